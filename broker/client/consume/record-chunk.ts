import { WireError } from '../../wire/errors.ts'
import { batchCrcIsValid, batchesIn, lastOffset, recordsIn, isControl } from '../../wire/record-batch.ts'
import type { BatchAt } from '../../wire/record-batch.ts'
import { ClientError } from '../error.ts'
import type { ConsumedRecord, CorruptRange, FetchedPartition, RecordChunk } from '../reader-types.ts'
import { AbortedFilter } from './aborted-filter.ts'

export interface ChunkOptions {
  /** Records before it are left out: a fetch may begin with a batch that starts earlier. */
  readonly fromOffset: number
  /** Exclusive; `null` for no end. */
  readonly upTo: number | null
  readonly decompressedBytesMax: number
  readonly topicId?: string | null
}

/**
 * The records of one fetched partition, decoded when iterated.
 *
 * Only batch headers are read at first: they tell where the next fetch begins. A batch whose checksum or records are
 * wrong is passed over and noted in `corrupt`; a header that cannot be ends the chunk with an error, for where the next
 * batch would begin is unknown.
 */
export class FetchedChunk implements RecordChunk {
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  readonly nextOffset: number
  readonly lastLeaderEpoch: number
  readonly topicId: string | null
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly batchBytes: number
  readonly error: ClientError | null
  readonly isLast: boolean
  readonly #fetched: FetchedPartition
  readonly #options: ChunkOptions
  readonly #batches: readonly BatchAt[]
  #corrupt: CorruptRange[] = []

  constructor(fetched: FetchedPartition, options: ChunkOptions) {
    this.#fetched = fetched
    this.#options = options
    this.topic = fetched.topic
    this.partition = fetched.partition
    this.topicId = options.topicId ?? null
    this.fromOffset = options.fromOffset
    this.highWatermark = fetched.highWatermark
    this.lastStableOffset = fetched.lastStableOffset
    this.logStartOffset = fetched.logStartOffset
    const { batches, error } = indexBatches(fetched)
    this.#batches = batches
    const last = batches.at(-1)
    this.lastLeaderEpoch = last?.header.partitionLeaderEpoch ?? -1
    const behind = last === undefined ? options.fromOffset : Math.max(options.fromOffset, lastOffset(last.header) + 1)
    this.nextOffset = options.upTo === null ? behind : Math.min(behind, Math.max(options.upTo, options.fromOffset))
    this.batchBytes = last === undefined ? 0 : last.position + last.header.batchBytes
    this.error = fetched.error ?? error
    this.isLast = options.upTo !== null && this.nextOffset >= options.upTo
  }

  get corrupt(): readonly CorruptRange[] {
    return this.#corrupt
  }

  /** Neither records nor news. */
  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.error === null
  }

  *[Symbol.iterator](): Generator<ConsumedRecord, void, undefined> {
    const { records, abortedTransactions } = this.#fetched
    const { fromOffset, upTo } = this.#options
    const filter = abortedTransactions === null ? null : new AbortedFilter(abortedTransactions)
    this.#corrupt = []
    for (const { header, position } of this.#batches) {
      const end = lastOffset(header)
      if (upTo !== null && header.baseOffset >= upTo) return
      if (!batchCrcIsValid(records, position, header)) {
        this.#corrupt.push({ firstOffset: Math.max(fromOffset, header.baseOffset), lastOffset: end, reason: 'the checksum does not fit' })
        continue
      }
      let nextOffset = Math.max(fromOffset, header.baseOffset)
      try {
        // The filter must see every batch, also those before `fromOffset`: markers end transactions.
        const isSkipped = filter === null ? isControl(header) : filter.skips(records, position, header)
        if (isSkipped || end < fromOffset) continue
        for (const record of recordsIn(records, position, header, this.#options.decompressedBytesMax)) {
          if (record.offset < fromOffset) continue
          if (upTo !== null && record.offset >= upTo) return
          nextOffset = record.offset + 1
          yield record
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error
        this.#corrupt.push({ firstOffset: nextOffset, lastOffset: end, reason: error.message })
      }
    }
  }
}

function indexBatches(fetched: FetchedPartition): { readonly batches: readonly BatchAt[]; readonly error: ClientError | null } {
  const batches: BatchAt[] = []
  const { records, topic, partition, fetchOffset } = fetched
  try {
    for (const batch of batchesIn(records)) batches.push(batch)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const at = batches.length === 0 ? fetchOffset : lastOffset((batches.at(-1) as BatchAt).header) + 1
    return {
      batches,
      error: new ClientError('CORRUPT_BATCH', `${topic}-${partition} cannot be read from offset ${at} on: ${error.message}`, {
        cause: error,
      }),
    }
  }
  if (batches.length > 0 || records.length === 0) return { batches, error: null }
  return {
    batches,
    error: new ClientError(
      'CORRUPT_BATCH',
      `${topic}-${partition} at offset ${fetchOffset}: the broker sent ${records.length} bytes that are no whole batch.`,
    ),
  }
}
