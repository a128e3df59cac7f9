/**
 * What a partition remembers of one producer (KIP-98): its epoch, its last five batches, its open transaction.
 *
 * | incoming batch                                   | answer                                    |
 * |--------------------------------------------------|-------------------------------------------|
 * | equal to one of the last five, same epoch        | duplicate: success, with the old offset   |
 * | epoch below the known one                        | INVALID_PRODUCER_EPOCH                    |
 * | higher epoch, sequence 0                         | taken                                     |
 * | higher epoch, any other sequence                 | OUT_OF_ORDER_SEQUENCE_NUMBER              |
 * | same epoch, sequence follows (2147483647 -> 0)   | taken                                     |
 * | same epoch, any other sequence                   | OUT_OF_ORDER_SEQUENCE_NUMBER              |
 * | unknown producer                                 | taken, wherever it starts                 |
 * | not transactional while a transaction is open    | INVALID_TXN_STATE                         |
 */
import { ErrorCode } from '../wire/errors.ts'
import { type BatchHeader, isTransactional, lastOffset, lastSequence } from '../wire/record-batch.ts'

/** Requests a producer may have in flight, and therefore may send again (max.in.flight.requests.per.connection). */
export const retainedBatchCount = 5
const sequenceMaximum = 2_147_483_647

export interface RetainedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestampMs: number
}

export interface ProducerEntry {
  readonly producerId: number
  producerEpoch: number
  /** Oldest first; empty after a marker of a new epoch. */
  batches: RetainedBatch[]
  lastTimestampMs: number
  coordinatorEpoch: number
  /** -1 when no transaction is open. */
  currentTransactionStartOffset: number
}

export type ProducerCheck =
  | { readonly kind: 'accept' }
  | { readonly kind: 'duplicate'; readonly batch: RetainedBatch }
  | { readonly kind: 'refuse'; readonly errorCode: ErrorCode; readonly message: string }

const accept: ProducerCheck = { kind: 'accept' }

export function newProducerEntry(producerId: number, producerEpoch: number): ProducerEntry {
  return {
    producerId,
    producerEpoch,
    batches: [],
    lastTimestampMs: -1,
    coordinatorEpoch: -1,
    currentTransactionStartOffset: -1,
  }
}

/** See the table above. `entry` is null for an unknown producer. */
export function checkBatch(entry: ProducerEntry | null, header: BatchHeader): ProducerCheck {
  if (entry === null) return accept
  const { producerId, producerEpoch, baseSequence } = header
  if (producerEpoch === entry.producerEpoch) {
    const batch = findDuplicate(entry, header)
    if (batch !== null) return { kind: 'duplicate', batch }
  }
  if (producerEpoch < entry.producerEpoch) {
    return refuse(ErrorCode.INVALID_PRODUCER_EPOCH, `producer ${producerId} has epoch ${entry.producerEpoch}, the batch ${producerEpoch}`)
  }
  if (entry.currentTransactionStartOffset >= 0 && producerEpoch === entry.producerEpoch && !isTransactional(header)) {
    return refuse(ErrorCode.INVALID_TXN_STATE, `producer ${producerId} has a transaction open and sent a batch outside it`)
  }
  const last = entry.batches.at(-1)?.lastSequence ?? -1
  const expected = producerEpoch > entry.producerEpoch || last === -1 ? 0 : nextSequence(last)
  if (baseSequence === expected) return accept
  return refuse(
    ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `producer ${producerId} sent sequence ${baseSequence} in epoch ${producerEpoch}, due is ${expected} in epoch ${entry.producerEpoch}`,
  )
}

/** Takes a batch that was appended; checks nothing, so that what is in the log can always be replayed. */
export function rememberBatch(entry: ProducerEntry, header: BatchHeader): void {
  if (header.producerEpoch !== entry.producerEpoch) {
    entry.producerEpoch = header.producerEpoch
    entry.batches = []
  }
  // The coordinator's own writes within a transaction carry no sequence.
  if (header.baseSequence >= 0) entry.batches.push(retained(header))
  if (entry.batches.length > retainedBatchCount) entry.batches.shift()
  entry.lastTimestampMs = header.maxTimestamp
  if (isTransactional(header) && entry.currentTransactionStartOffset < 0) {
    entry.currentTransactionStartOffset = header.baseOffset
  }
}

/** Puts an older batch in front of those known: used when the window is read back from the log after a start. */
export function rememberOlderBatch(entry: ProducerEntry, header: BatchHeader): void {
  const first = entry.batches[0]
  const fits =
    header.producerEpoch === entry.producerEpoch &&
    entry.batches.length < retainedBatchCount &&
    (first === undefined || lastOffset(header) < first.lastOffset - first.offsetDelta)
  if (fits && first !== undefined) entry.batches.unshift(retained(header))
}

function retained(header: BatchHeader): RetainedBatch {
  return {
    firstSequence: header.baseSequence,
    lastSequence: lastSequence(header),
    lastOffset: lastOffset(header),
    offsetDelta: header.lastOffsetDelta,
    timestampMs: header.maxTimestamp,
  }
}

function findDuplicate(entry: ProducerEntry, header: BatchHeader): RetainedBatch | null {
  const last = lastSequence(header)
  return entry.batches.find((batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === last) ?? null
}

function nextSequence(sequence: number): number {
  return sequence === sequenceMaximum ? 0 : sequence + 1
}

function refuse(errorCode: ErrorCode, message: string): ProducerCheck {
  return { kind: 'refuse', errorCode, message }
}
