/**
 * Which batches of a fetch belong to aborted transactions (KIP-98): the broker names the producers and where each aborted
 * transaction begins; the abort marker in the log ends it.
 */
import type { AbortedTransaction } from '../../client/types.ts'
import { BATCH_HEADER_BYTES, isControl, isTransactional, lastOffset, type BatchHeader } from '../../wire/record-batch.ts'

const abortMarkerType = 0

export class AbortedTransactions {
  private readonly upcoming: AbortedTransaction[]
  private readonly active = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.upcoming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** To be asked for every batch of the fetch, in order. */
  covers(buffer: Buffer, position: number, header: BatchHeader): boolean {
    for (let next = this.upcoming.at(-1); next !== undefined && next.firstOffset <= lastOffset(header); next = this.upcoming.at(-1)) {
      this.active.add(next.producerId)
      this.upcoming.pop()
    }
    if (isControl(header)) {
      if (markerType(buffer, position, header) === abortMarkerType) this.active.delete(header.producerId)
      return false
    }
    return isTransactional(header) && this.active.has(header.producerId)
  }
}

/** A marker's key is int16 version, int16 type; before it stand length, attributes, two deltas and the key's length, a byte each. */
function markerType(buffer: Buffer, position: number, header: BatchHeader): number | null {
  const keyAt = position + BATCH_HEADER_BYTES + 5
  return keyAt + 4 <= position + header.batchBytes ? buffer.readInt16BE(keyAt + 2) : null
}
