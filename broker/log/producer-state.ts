/**
 * Every producer a partition knows, and which transactions hold back the last stable offset.
 *
 * Owned by one log. `check` decides and changes nothing; `apply` takes what was appended (or is replayed after a start)
 * and decides nothing.
 */
import { ErrorCode } from '../wire/errors.ts'
import { type BatchHeader, isControl, isTransactional, lastOffset, recordsIn } from '../wire/record-batch.ts'
import {
  checkBatch,
  newProducerEntry,
  type ProducerCheck,
  type ProducerEntry,
  rememberBatch,
  rememberOlderBatch,
} from './producer-entry.ts'
import { encodeProducerSnapshot } from './producer-snapshot.ts'

/** Producers remembered per partition; beyond it the one longest silent is forgotten. */
const producersMax = 100_000

const abortMarker = 0
const commitMarker = 1

export interface EndTransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly isAbort: boolean
}

export interface CompletedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The marker's. */
  readonly lastOffset: number
  readonly isAbort: boolean
}

export class ProducerState {
  /** Least recently heard of first. */
  readonly #entries = new Map<number, ProducerEntry>()
  /** Ended, but their marker is not below the high watermark yet, by first offset. */
  readonly #unreplicated = new Map<number, CompletedTransaction>()
  readonly #openTransactions = new Map<number, number>()

  get producers(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }

  get(producerId: number): ProducerEntry | null {
    return this.#entries.get(producerId) ?? null
  }

  check(header: BatchHeader): ProducerCheck {
    return header.producerId < 0 ? { kind: 'accept' } : checkBatch(this.get(header.producerId), header)
  }

  /** A marker from an older coordinator, or for an epoch that has been fenced since, is refused. */
  checkMarker(marker: EndTransactionMarker): ProducerCheck {
    const entry = this.get(marker.producerId)
    if (entry === null) return { kind: 'accept' }
    if (marker.producerEpoch < entry.producerEpoch) {
      const message = `marker with epoch ${marker.producerEpoch}, producer ${marker.producerId} has ${entry.producerEpoch}`
      return { kind: 'refuse', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, message }
    }
    if (marker.coordinatorEpoch < entry.coordinatorEpoch) {
      const message = `marker of coordinator epoch ${marker.coordinatorEpoch}, seen is ${entry.coordinatorEpoch}`
      return { kind: 'refuse', errorCode: ErrorCode.TRANSACTION_COORDINATOR_FENCED, message }
    }
    return { kind: 'accept' }
  }

  /** Takes an appended batch that is not a marker. */
  applyBatch(header: BatchHeader): void {
    if (header.producerId < 0) return
    const entry = this.#touch(header.producerId, header.producerEpoch)
    rememberBatch(entry, header)
    if (entry.currentTransactionStartOffset >= 0) {
      this.#openTransactions.set(entry.producerId, entry.currentTransactionStartOffset)
    }
  }

  /** Takes an appended marker; null when the producer had no transaction open. */
  applyMarker(marker: EndTransactionMarker, markerOffset: number, timestampMs: number): CompletedTransaction | null {
    const entry = this.#touch(marker.producerId, marker.producerEpoch)
    if (marker.producerEpoch > entry.producerEpoch) {
      entry.producerEpoch = marker.producerEpoch
      entry.batches = []
    }
    const firstOffset = entry.currentTransactionStartOffset
    entry.coordinatorEpoch = marker.coordinatorEpoch
    entry.currentTransactionStartOffset = -1
    entry.lastTimestampMs = timestampMs
    this.#openTransactions.delete(marker.producerId)
    if (firstOffset < 0) return null
    const completed = { producerId: marker.producerId, firstOffset, lastOffset: markerOffset, isAbort: marker.isAbort }
    this.#unreplicated.set(firstOffset, completed)
    return completed
  }

  /** Replays a batch read back from the log. */
  replay(buffer: Buffer, position: number, header: BatchHeader): CompletedTransaction | null {
    const marker = isControl(header) ? readMarker(buffer, position, header) : null
    if (marker !== null) return this.applyMarker(marker, lastOffset(header), header.maxTimestamp)
    if (!isControl(header)) this.applyBatch(header)
    return null
  }

  rememberOlderBatch(header: BatchHeader): void {
    const entry = this.get(header.producerId)
    if (entry !== null && !isControl(header)) rememberOlderBatch(entry, header)
  }

  /** First offset that readers of committed data must not pass; null when nothing holds them back. */
  firstUnstableOffset(): number | null {
    if (this.#openTransactions.size === 0 && this.#unreplicated.size === 0) return null
    let first = Infinity
    for (const start of this.#openTransactions.values()) first = Math.min(first, start)
    for (const start of this.#unreplicated.keys()) first = Math.min(first, start)
    return first
  }

  /** The last stable offset at the moment `completed` ended: what holds readers back apart from it. */
  lastStableOffsetAfter(completed: CompletedTransaction): number {
    let offset = completed.lastOffset + 1
    for (const start of this.#openTransactions.values()) offset = Math.min(offset, start)
    return offset
  }

  highWatermarkMoved(highWatermark: number): void {
    for (const [firstOffset, transaction] of this.#unreplicated) {
      if (transaction.lastOffset < highWatermark) this.#unreplicated.delete(firstOffset)
    }
  }

  /** Forgets producers silent since before `timestampMs`, unless they hold a transaction open. */
  expire(timestampMs: number): void {
    for (const [producerId, entry] of this.#entries) {
      if (entry.lastTimestampMs < timestampMs && entry.currentTransactionStartOffset < 0) this.#entries.delete(producerId)
    }
  }

  snapshot(): Buffer {
    return encodeProducerSnapshot(this.#entries.values())
  }

  restore(entries: readonly ProducerEntry[]): void {
    this.clear()
    for (const entry of entries) {
      this.#entries.set(entry.producerId, entry)
      if (entry.currentTransactionStartOffset >= 0) {
        this.#openTransactions.set(entry.producerId, entry.currentTransactionStartOffset)
      }
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#unreplicated.clear()
    this.#openTransactions.clear()
  }

  #touch(producerId: number, producerEpoch: number): ProducerEntry {
    const entry = this.#entries.get(producerId) ?? newProducerEntry(producerId, producerEpoch)
    this.#entries.delete(producerId)
    this.#entries.set(producerId, entry)
    if (this.#entries.size > producersMax) this.#forgetOldest()
    return entry
  }

  #forgetOldest(): void {
    for (const [producerId, entry] of this.#entries) {
      if (entry.currentTransactionStartOffset >= 0) continue
      this.#entries.delete(producerId)
      return
    }
  }
}

/** The end-of-transaction marker in a control batch; null for other control records (a leader change, say). */
export function readMarker(buffer: Buffer, position: number, header: BatchHeader): EndTransactionMarker | null {
  if (!isTransactional(header)) return null
  for (const { key, value } of recordsIn(buffer, position, header)) {
    if (key === null || key.length < 4 || value === null || value.length < 6) return null
    const type = key.readInt16BE(2)
    if (type !== abortMarker && type !== commitMarker) return null
    return {
      producerId: header.producerId,
      producerEpoch: header.producerEpoch,
      coordinatorEpoch: value.readInt32BE(2),
      isAbort: type === abortMarker,
    }
  }
  return null
}
