import { isControl, isTransactional, lastOffset, recordsIn } from '../../wire/record-batch.ts'
import type { BatchHeader } from '../../wire/record-batch.ts'
import type { AbortedTransaction } from '../reader-types.ts'

/** The type in a control record's key: behind its int16 version. */
const ABORT_MARKER = 0

/**
 * Tells the batches of aborted transactions from the others, as a read_committed consumer must (KIP-98).
 *
 * Invariant: a producer is in `#aborting` from the first offset of one of its aborted transactions up to the marker that
 * ends it. Batches must be shown in offset order; one producer may have several aborted transactions, with committed ones
 * between them, so each is entered only when its own first offset is reached.
 */
export class AbortedFilter {
  readonly #upcoming: readonly AbortedTransaction[]
  readonly #aborting = new Set<number>()
  #entered = 0

  /** In any order, as the broker listed them for the range read. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = aborted.toSorted((left, right) => left.firstOffset - right.firstOffset)
  }

  /** Whether the batch belongs to an aborted transaction, or is a marker: its records are not for consumers. */
  skips(buffer: Buffer, position: number, header: BatchHeader): boolean {
    this.#enter(lastOffset(header))
    if (isControl(header)) {
      if (isAbortMarker(buffer, position, header)) this.#aborting.delete(header.producerId)
      return true
    }
    return isTransactional(header) && this.#aborting.has(header.producerId)
  }

  #enter(upToOffset: number): void {
    for (
      let next = this.#upcoming[this.#entered];
      next !== undefined && next.firstOffset <= upToOffset;
      next = this.#upcoming[this.#entered]
    ) {
      this.#aborting.add(next.producerId)
      this.#entered++
    }
  }
}

function isAbortMarker(buffer: Buffer, position: number, header: BatchHeader): boolean {
  for (const { key } of recordsIn(buffer, position, header)) {
    return key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER
  }
  return false
}
