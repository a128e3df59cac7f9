import { computed, nextTick, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import type { MessageRow } from '../../../broker/contract/messages.ts'
import { debounce } from '../../lib/debounce.ts'
import type { MessageView } from '../../lib/message-address.ts'
import type { RecordPlace } from './use-record-detail.ts'

/**
 * Which record is open. It follows the selected row and is part of the address, so it can be linked to, and Back closes it.
 *
 *   closed -> open: a row is activated, or the address names a record
 *   open -> open: another row is selected, or the address names another record
 *   open -> closed: closed by hand, or the address names none
 *   `first` in the address: opens the first row as soon as there is one
 */
export interface OpenRecord {
  selected: Ref<number>
  place: ComputedRef<RecordPlace | null>
  activate: () => void
  close: () => void
}

interface RecordSource {
  place: () => { clusterId: string; topic: string }
  rowAt: (index: number) => MessageRow | undefined
  rowCount: () => number
  indexOf: (place: { partition: number; offset: number }) => number | null
  /** Asks again, because a record that should be there is not among the rows. */
  rerun: () => void
  isAnswered: () => boolean
}

/** Browsers limit how often an address may change; an arrow held down moves faster than that. */
const ADDRESS_PAUSE_MS = 200

export function useOpenRecord(options: {
  view: ComputedRef<MessageView>
  source: RecordSource
  setAddress: (record: MessageView['record']) => void
  reveal: (index: number) => void
}): OpenRecord {
  const { view, source } = options
  const selected = ref(-1)
  const open = ref<{ partition: number; offset: number } | null>(null)
  /** A record of the address that is yet to be found among the rows. */
  const sought = ref<{ partition: number; offset: number } | 'first' | null>(null)
  const nameOf = (record: MessageView['record']): string =>
    record === null ? '' : record === 'first' ? record : `${record.partition}:${record.offset}`

  const writeAddress = debounce(() => {
    if (sought.value !== 'first' && nameOf(open.value) !== nameOf(view.value.record)) options.setAddress(open.value)
  }, ADDRESS_PAUSE_MS)
  onScopeDispose(() => writeAddress.cancel())

  function reveal(index: number): void {
    selected.value = index
    void nextTick(() => options.reveal(index))
  }

  function seek(): void {
    if (sought.value === null || source.rowCount() === 0) return
    const index = sought.value === 'first' ? (source.rowAt(0) === undefined ? null : 0) : source.indexOf(sought.value)
    if (index === null) return
    const row = source.rowAt(index)
    sought.value = null
    if (row !== undefined) open.value = { partition: row.partition, offset: row.offset }
    reveal(index)
  }

  watch(
    () => nameOf(view.value.record),
    () => {
      const { record } = view.value
      if (nameOf(record) === nameOf(open.value)) return
      writeAddress.cancel()
      sought.value = record
      if (record === null) {
        open.value = null
        return
      }
      if (record !== 'first') open.value = record
      seek()
      if (sought.value !== null && record !== 'first') {
        selected.value = -1
        if (source.isAnswered()) source.rerun()
      }
    },
    { immediate: true },
  )
  watch(() => [source.rowCount(), source.rowAt(0), sought.value], seek)
  watch(
    () => (selected.value >= 0 ? source.rowAt(selected.value) : undefined),
    (row) => {
      if (row === undefined || open.value === null) return
      sought.value = null
      open.value = { partition: row.partition, offset: row.offset }
    },
  )
  watch(open, () => writeAddress())

  return {
    selected,
    place: computed(() => (open.value === null ? null : { ...source.place(), ...open.value })),
    activate() {
      const row = source.rowAt(selected.value)
      sought.value = null
      if (row !== undefined) open.value = { partition: row.partition, offset: row.offset }
    },
    close() {
      sought.value = null
      open.value = null
    },
  }
}
