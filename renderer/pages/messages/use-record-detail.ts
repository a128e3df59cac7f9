import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { MessageDetail } from '../../../broker/contract/messages.ts'
import { host } from '../../client/host.ts'
import { isCancelled, problemOf, type Problem } from '../../lib/problem.ts'

export interface RecordPlace {
  clusterId: string
  topic: string
  partition: number
  offset: number
}

export interface RecordDetail {
  /** The last record that arrived: stays in view until the next one does. */
  detail: ShallowRef<MessageDetail | null>
  problem: ShallowRef<Problem | null>
  busy: Ref<boolean>
  retry: () => void
}

/** While an arrow is held down only the record it rests on is read. */
const WALKING_PAUSE_MS = 35

/** The whole of the record at a place, following the place as it moves. */
export function useRecordDetail(place: () => RecordPlace | null): RecordDetail {
  const detail = shallowRef<MessageDetail | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const busy = ref(false)
  const round = ref(0)
  let abort: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  async function read(wanted: RecordPlace, signal: AbortSignal): Promise<void> {
    busy.value = true
    try {
      const found = await host().messages.at(wanted, { signal })
      if (signal.aborted) return
      detail.value = found
      problem.value = null
    } catch (error) {
      if (signal.aborted || isCancelled(error)) return
      problem.value = problemOf(error)
      detail.value = null
    } finally {
      if (!signal.aborted) busy.value = false
    }
  }

  watch(
    [() => JSON.stringify(place()), round],
    () => {
      abort?.abort()
      clearTimeout(timer)
      const wanted = place()
      if (wanted === null) {
        detail.value = null
        problem.value = null
        busy.value = false
        return
      }
      const controller = new AbortController()
      abort = controller
      const isFirst = detail.value === null
      timer = setTimeout(() => void read(wanted, controller.signal), isFirst ? 0 : WALKING_PAUSE_MS)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    abort?.abort()
    clearTimeout(timer)
  })

  return { detail, problem, busy, retry: () => (round.value += 1) }
}
