/**
 * A partition log in memory whose writes return when the test says so. It checks nothing of a batch; what the real log
 * checks is tested with the real log.
 */
import { defaultLogConfig, type LogConfig } from '../../broker/log/topic-config.ts'
import type { AppendResult, EpochEndOffset, PartitionLog, ReadRequest, ReadResult } from '../../broker/log/types.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'
import { patchBaseOffset, readBatchHeader } from '../../broker/wire/record-batch.ts'

interface Stored {
  readonly baseOffset: number
  readonly endOffset: number
  readonly bytes: Buffer
}

export class MemoryLog implements PartitionLog {
  readonly topicPartition
  readonly topicId: string | null = null
  readonly directory = '/memory'
  config: LogConfig
  logStartOffset = 0
  logEndOffset = 0
  writtenEndOffset = 0
  highWatermark = 0
  readonly recoveryPoint = 0
  latestEpoch = -1
  readonly segmentCount = 1
  readonly offline = null
  /** What `endOffsetForEpoch` answers. */
  epochEnd: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 }
  /** What the next append is refused with. */
  refusal: ErrorCode = ErrorCode.NONE
  readonly #batches: Stored[] = []
  readonly #writes: { readonly endOffset: number; readonly done: (error: ErrorCode) => void }[] = []
  readonly #writesAtOnce: boolean

  constructor(
    options: {
      readonly topic?: string
      readonly partition?: number
      readonly writesAtOnce?: boolean
      readonly config?: Partial<LogConfig>
    } = {},
  ) {
    this.topicPartition = { topic: options.topic ?? 'orders', partition: options.partition ?? 0 }
    this.config = { ...defaultLogConfig, ...options.config }
    this.#writesAtOnce = options.writesAtOnce ?? false
  }

  get lastStableOffset(): number {
    return this.highWatermark
  }
  get sizeBytes(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  append(batches: Buffer): AppendResult {
    const common = { errorMessage: null, recordErrors: [], logAppendTimeMs: -1, logStartOffset: this.logStartOffset, isDuplicate: false }
    if (this.refusal !== ErrorCode.NONE) {
      return { ...common, errorCode: this.refusal, baseOffset: -1, lastOffset: -1, written: Promise.resolve(this.refusal) }
    }
    const baseOffset = this.logEndOffset
    const endOffset = baseOffset + readBatchHeader(batches, 0).lastOffsetDelta + 1
    patchBaseOffset(batches, 0, baseOffset)
    this.#batches.push({ baseOffset, endOffset, bytes: batches })
    this.logEndOffset = endOffset
    const written = new Promise<ErrorCode>((done) => this.#writes.push({ endOffset, done }))
    if (this.#writesAtOnce) this.finishWrites()
    return { ...common, errorCode: ErrorCode.NONE, baseOffset, lastOffset: endOffset - 1, written }
  }

  /** Lets every write so far return. */
  finishWrites(error: ErrorCode = ErrorCode.NONE): void {
    for (const { endOffset, done } of this.#writes.splice(0)) {
      if (error === ErrorCode.NONE) this.writtenEndOffset = endOffset
      done(error)
    }
  }

  readCached(request: ReadRequest): ReadResult {
    const records: Buffer[] = []
    let bytes = 0
    let nextOffset = request.fromOffset
    for (const batch of this.#batches) {
      if (batch.endOffset <= request.fromOffset) continue
      const fits = bytes + batch.bytes.length <= request.maxBytes || (records.length === 0 && request.atLeastOneBatch)
      if (batch.baseOffset >= request.upToOffset || !fits) break
      records.push(batch.bytes)
      bytes += batch.bytes.length
      nextOffset = batch.endOffset
    }
    return { errorCode: ErrorCode.NONE, records, bytes, firstOffset: request.fromOffset, nextOffset }
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    return this.readCached(request)
  }

  setHighWatermark(offset: number): void {
    this.highWatermark = offset
  }
  assignEpochStart(leaderEpoch: number): void {
    this.latestEpoch = leaderEpoch
  }
  endOffsetForEpoch(): EpochEndOffset {
    return this.epochEnd
  }
  epochForOffset(): number {
    return this.latestEpoch
  }
  async offsetForTimestamp() {
    return null
  }
  async offsetOfMaxTimestamp() {
    return null
  }
  async abortedTransactions() {
    return []
  }
  producers() {
    return []
  }
  async truncateTo(): Promise<ErrorCode> {
    return ErrorCode.NONE
  }
  async truncateFullyAndStartAt(): Promise<ErrorCode> {
    return ErrorCode.NONE
  }
  deleteRecordsBefore(offset: number): ErrorCode {
    this.logStartOffset = Math.max(this.logStartOffset, offset)
    return ErrorCode.NONE
  }
  updateConfig(config: LogConfig): void {
    this.config = config
  }
  async assignTopicId(): Promise<ErrorCode> {
    return ErrorCode.NONE
  }
  async flush(): Promise<ErrorCode> {
    return ErrorCode.NONE
  }
  async close(): Promise<void> {}
}
