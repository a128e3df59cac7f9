/**
 * One partition's part of a query: reads its range in chunks, forwards or backwards, and holds the rows found until they are
 * their partition's turn in the merge.
 *
 * Invariant: `pending` is in the query's order; everything between the range's beginning (in that order) and `next` has been
 * read. `frontierMs` is the timestamp of the last record read: no row still to come from here should lie before it in the
 * query's order. Where producers' clocks disagree a row may; it then keeps its place by offset.
 */
import type { FetchedPartition, KafkaClient } from '../../client/types.ts'
import { batchCrcIsValid, batchesIn, isControl, lastOffset, usesLogAppendTime, type BatchHeader } from '../../wire/record-batch.ts'
import { WireError } from '../../wire/errors.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import { previewOf } from './payload-text.ts'
import { eachMatch, keyOf, valueOf, type RecordSpan } from './record-block.ts'
import type { NewRow } from './row-store.ts'
import type { TextMatcher } from './text-matcher.ts'

/** What one fetch of one partition may bring. */
export const fetchBytes = 4 * 1024 * 1024
const fetchDeadlineMs = 8_000
/** Backward chunks aim at this many bytes. */
const backwardChunkBytes = 3 * 1024 * 1024
const backwardOffsetsMax = 200_000
/** What the estimate of a chunk's size is exceeded by at most, as a rule. */
const fetchMarginBytes = 128 * 1024

export interface ScanOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
  readonly isBackward: boolean
  readonly matcher: TextMatcher | null
  readonly isCommittedOnly: boolean
  /** Records outside are left out: offsets found by time say where to begin, not that all that follows is later. */
  readonly fromMs: number
  readonly toMs: number
  /** First backward chunk, in offsets. */
  readonly firstChunkOffsets: number
  readonly signal: AbortSignal
}

export class PartitionScan {
  readonly partition: number
  readonly fromOffset: number
  readonly toOffset: number
  /** Rows found, the next one last: popping is cheap. */
  pending: NewRow[] = []
  frontierMs: number
  isDone: boolean
  scanned = 0
  matched = 0
  bytes = 0
  problem: string | null = null
  /** Forward: the first offset not read. Backward: everything from here on is read. */
  private next: number
  private chunkOffsets: number
  /** As measured on the chunk before; 0: not yet. */
  private bytesPerOffset = 0
  private readonly options: ScanOptions

  constructor(options: ScanOptions) {
    this.options = options
    this.partition = options.partition
    this.fromOffset = options.fromOffset
    this.toOffset = Math.max(options.fromOffset, options.toOffset)
    this.next = options.isBackward ? this.toOffset : this.fromOffset
    this.chunkOffsets = options.firstChunkOffsets
    this.isDone = this.fromOffset >= this.toOffset
    this.frontierMs = options.isBackward ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  }

  get remaining(): number {
    if (this.isDone) return 0
    return this.options.isBackward ? this.next - this.fromOffset : this.toOffset - this.next
  }

  /** Ends this partition's part with a sentence; the other partitions go on. */
  fail(problem: string): void {
    this.problem = problem
    this.isDone = true
  }

  /** Reads the next chunk. A failure is this partition's `problem`, never a rejection. */
  async readChunk(): Promise<void> {
    try {
      if (this.options.isBackward) await this.readBackward()
      else await this.readForward()
    } catch (error) {
      if (this.options.signal.aborted) return
      this.fail(error instanceof Error ? error.message : String(error))
    }
  }

  private async readForward(): Promise<void> {
    const rows: NewRow[] = []
    this.next = await this.readFrom(this.next, this.toOffset, rows)
    if (this.next >= this.toOffset) this.isDone = true
    this.pending = rows.reverse().concat(this.pending)
  }

  private async readBackward(): Promise<void> {
    const end = this.next
    const start = Math.max(this.fromOffset, end - this.chunkOffsets)
    const before = { scanned: this.scanned, bytes: this.bytes }
    const rows: NewRow[] = []
    // Its first record is the chunk's last in this order, so the frontier is taken from the first fetch.
    let frontierMs: number | null = null
    let at = start
    while (at < end && !this.options.signal.aborted) {
      at = await this.readFrom(at, end, rows, (timestampMs) => {
        frontierMs ??= timestampMs
      })
    }
    if (this.options.signal.aborted) return
    this.next = start
    if (frontierMs !== null) this.frontierMs = Math.min(this.frontierMs, frontierMs)
    if (start <= this.fromOffset) this.isDone = true
    this.adaptChunk(this.bytes - before.bytes, end - start)
    // Found forwards, taken from the end: already in order for popping.
    this.pending = rows.concat(this.pending)
  }

  private adaptChunk(bytes: number, offsets: number): void {
    this.bytesPerOffset = Math.max(1, bytes / Math.max(1, offsets))
    const wished = Math.floor(backwardChunkBytes / this.bytesPerOffset)
    this.chunkOffsets = Math.max(16, Math.min(wished, this.chunkOffsets * 8, backwardOffsetsMax))
  }

  /** One fetch; rows with offsets in [offset, end) are added. Answers where to go on. */
  private async readFrom(offset: number, end: number, rows: NewRow[], onFirst?: (timestampMs: number) => void): Promise<number> {
    const { client, topic, partition, signal } = this.options
    const [fetched] = await client.fetchBatches(
      {
        partitions: [{ topic, partition, fetchOffset: offset, partitionBytesMax: this.bytesFor(end - offset) }],
        maxWaitMs: 200,
        isolation: this.options.isCommittedOnly ? 'read_committed' : 'read_uncommitted',
        lane: 'query',
      },
      { timeoutMs: fetchDeadlineMs, signal },
    )
    if (fetched === undefined) throw new Error(`Partition ${partition} was not answered.`)
    if (fetched.error !== null) return this.afterFetchError(fetched, offset, end)
    const nextOffset = this.scanBatches(fetched, offset, end, rows, onFirst)
    // Nothing came: retention has taken the rest, or the log was cut back. What is there has been read.
    return nextOffset > offset ? nextOffset : end
  }

  /** Backwards, what follows the chunk has been read before: it is not fetched again. */
  private bytesFor(offsets: number): number {
    if (!this.options.isBackward) return fetchBytes
    return Math.min(fetchBytes, Math.ceil(offsets * (this.bytesPerOffset || 1_024)) + fetchMarginBytes)
  }

  private afterFetchError(fetched: FetchedPartition, offset: number, end: number): number {
    const error = fetched.error
    if (error === null) return end
    if (error.kafkaErrorName !== 'OFFSET_OUT_OF_RANGE') throw error
    // Retention deleted what lies before the log's new start while the query was on its way.
    return fetched.logStartOffset > offset ? Math.min(fetched.logStartOffset, end) : end
  }

  private scanBatches(
    fetched: FetchedPartition,
    offset: number,
    end: number,
    rows: NewRow[],
    onFirst?: (timestampMs: number) => void,
  ): number {
    const aborted = this.options.isCommittedOnly ? new AbortedTransactions(fetched.abortedTransactions ?? []) : null
    let nextOffset = offset
    for (const { header, position } of batchesIn(fetched.records)) {
      if (header.baseOffset >= end) return end
      nextOffset = Math.max(nextOffset, lastOffset(header) + 1)
      this.bytes += header.batchBytes
      if (aborted?.covers(fetched.records, position, header) === true || isControl(header)) continue
      this.scanBatch(fetched.records, position, header, { offset, end, rows })
      onFirst?.(earliestReadMs(header, offset))
      if (!this.options.isBackward) this.frontierMs = header.maxTimestamp
    }
    return Math.min(nextOffset, end)
  }

  private scanBatch(buffer: Buffer, position: number, header: BatchHeader, range: { offset: number; end: number; rows: NewRow[] }): void {
    if (!batchCrcIsValid(buffer, position, header)) {
      this.problem = `The batch at offset ${header.baseOffset} is corrupt (its checksum is wrong) and was passed over.`
      return
    }
    const { matcher, fromMs, toMs } = this.options
    this.scanned += countInRange(header, range.offset, range.end)
    try {
      eachMatch(buffer, position, header, matcher, (record) => {
        if (record.offset < range.offset || record.offset >= range.end) return
        if (record.timestampMs < fromMs || record.timestampMs >= toMs) return
        this.matched += 1
        range.rows.push(rowOf(this.partition, record, header))
      })
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.problem = `The batch at offset ${header.baseOffset} cannot be decoded: ${error.message}. It was passed over.`
    }
  }
}

/** Records of the batch that lie in [from, end): all, but for the batches at the range's two ends. */
function countInRange(header: BatchHeader, from: number, end: number): number {
  const last = lastOffset(header)
  if (header.baseOffset >= from && last < end) return header.recordCount
  return Math.max(0, Math.min(header.recordCount, Math.min(last + 1, end) - Math.max(header.baseOffset, from)))
}

/**
 * A time no unread record before this batch lies after. Of a batch that is only partly in the chunk the records left out may
 * be as late as its last one.
 */
function earliestReadMs(header: BatchHeader, from: number): number {
  return header.baseOffset < from || usesLogAppendTime(header) ? header.maxTimestamp : header.baseTimestamp
}

export function rowOf(partition: number, record: RecordSpan, header: BatchHeader): NewRow {
  const key = keyOf(record)
  const value = valueOf(record)
  return {
    partition,
    offset: record.offset,
    timestampMs: record.timestampMs,
    timestampType: usesLogAppendTime(header) ? 'append' : 'create',
    key: key === null ? null : previewOf(key),
    value: value === null ? null : previewOf(value),
    keyBytes: Math.max(0, record.keyBytes),
    valueBytes: Math.max(0, record.valueBytes),
    headerCount: record.headerCount,
  }
}
