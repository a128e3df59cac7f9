/**
 * Which batches of a pass belong to aborted transactions, and which markers nobody needs any more. Fed in log order.
 *
 * A marker may go once all records of its transaction have gone: an abort marker when no record of it was met in this
 * pass, a commit marker likewise.
 */
import { type BatchHeader, isTransactional, lastOffset } from '../wire/record-batch.ts'
import type { AbortedTransactionEntry } from './transaction-index.ts'

interface OngoingAbort {
  readonly entry: AbortedTransactionEntry
  hasRecords: boolean
}

export class CleanerTransactions {
  /** By first offset, those not reached yet. */
  #upcoming: AbortedTransactionEntry[] = []
  readonly #aborted = new Map<number, OngoingAbort>()
  readonly #committed = new Set<number>()

  /** Aborted transactions whose marker lies in the segments read next. */
  add(entries: readonly AbortedTransactionEntry[]): void {
    this.#upcoming = [...this.#upcoming, ...entries].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether a data batch belongs to an aborted transaction. */
  isAborted(header: BatchHeader): boolean {
    this.#reach(lastOffset(header))
    if (!isTransactional(header)) return false
    const aborted = this.#aborted.get(header.producerId)
    if (aborted === undefined) {
      this.#committed.add(header.producerId)
      return false
    }
    aborted.hasRecords = true
    return true
  }

  /** For a marker: whether it may go, and else the entry an abort keeps in the transaction index. */
  endTransaction(header: BatchHeader, isAbort: boolean): { readonly mayGo: boolean; readonly entry: AbortedTransactionEntry | null } {
    this.#reach(lastOffset(header))
    if (!isAbort) return { mayGo: !this.#committed.delete(header.producerId), entry: null }
    const aborted = this.#aborted.get(header.producerId)
    this.#aborted.delete(header.producerId)
    const isNeeded = aborted?.hasRecords === true
    return { mayGo: !isNeeded, entry: isNeeded ? aborted.entry : null }
  }

  #reach(offset: number): void {
    while ((this.#upcoming[0]?.firstOffset ?? Infinity) <= offset) {
      const entry = this.#upcoming.shift()
      if (entry !== undefined && !this.#aborted.has(entry.producerId)) {
        this.#aborted.set(entry.producerId, { entry, hasRecords: false })
      }
    }
  }
}
