import type { MessageRow } from '../../broker/contract/messages.ts'

/**
 * The newest records of a live tail, newest first, at most `rowsMax` of them. Held still while someone reads: then what is shown stays as it was and
 * newer ones gather behind it, under the same bound. A record seen before (a tail that was opened again) is not taken twice.
 */
export interface TailBuffer {
  readonly length: number
  /** Records that came since it is held; those beyond the bound are counted all the same. */
  readonly newerCount: number
  readonly isHeld: boolean
  take: (rows: readonly MessageRow[]) => void
  hold: () => void
  release: () => void
  /** Newest first. */
  rowAt: (index: number) => MessageRow | undefined
}

export function createTailBuffer(rowsMax: number): TailBuffer {
  let rows: MessageRow[] = []
  let held: readonly MessageRow[] | null = null
  let newerCount = 0
  const newestOffsets = new Map<number, number>()
  const shown = (): readonly MessageRow[] => held ?? rows

  return {
    get length() {
      return shown().length
    },
    get newerCount() {
      return newerCount
    },
    get isHeld() {
      return held !== null
    },
    take(arrived) {
      const fresh = arrived.filter((row) => {
        if (row.offset <= (newestOffsets.get(row.partition) ?? -1)) return false
        newestOffsets.set(row.partition, row.offset)
        return true
      })
      rows = [...rows, ...fresh].slice(-rowsMax)
      if (held !== null) newerCount += fresh.length
    },
    hold() {
      held ??= rows
    },
    release() {
      held = null
      newerCount = 0
    },
    rowAt: (index) => shown()[shown().length - 1 - index],
  }
}
