/**
 * One replica's log on disk: Kafka's segments, indexes, epochs and producer snapshots in one folder. This is the door;
 * the rooms behind it (append, read, truncate, retain, compact) share one `LogCore`.
 */
import { DiskError, type Env } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import { append } from './log-append.ts'
import { createLogContext, type LogContext } from './log-context.ts'
import { LogCore } from './log-core.ts'
import { joinPath, partitionMetadataFile } from './log-files.ts'
import { emptyRead, readFromDisk, readFromMemory } from './log-reader.ts'
import { applyRetention, deleteRecordsBefore } from './log-retention.ts'
import { truncateFullyAndStartAt, truncateTo } from './log-truncation.ts'
import { encodePartitionMetadata } from './partition-metadata.ts'
import { recoverLog } from './recovery.ts'
import { findByTimestamp, findLargestTimestamp, type FoundRecord, unlessCorrupt } from './time-lookup.ts'
import {
  type AbortedTransaction,
  type AppendOptions,
  type AppendResult,
  type EpochEndOffset,
  type LogConfig,
  LogError,
  type LogLimits,
  type LogOffline,
  type PartitionLog,
  type ProducerView,
  type ReadRequest,
  type ReadResult,
  type TimestampAndOffset,
  type TopicPartition,
} from './types.ts'

export interface OpenLogOptions {
  readonly topicPartition: TopicPartition
  /** The partition's folder; made when absent. */
  readonly directory: string
  readonly config: LogConfig
  /** Whether the last stop of this folder was clean. */
  readonly isClean: boolean
  /** Everything below has been synced; null when not known: then all is checked. */
  readonly recoveryPoint: number | null
  readonly logStartOffset: number
}

/**
 * Opens one log without a manager (the metadata log). Whatever the files hold, it opens, cut at the first bad byte.
 * Rejects with a DiskError only when the disk itself refuses.
 */
export function openPartitionLog(env: Env, options: OpenLogOptions & { readonly limits?: Partial<LogLimits> }): Promise<DiskPartitionLog> {
  return openLogIn(createLogContext(env, { limits: options.limits }), options)
}

/** The same within a manager, sharing its memory. */
export async function openLogIn(context: LogContext, options: OpenLogOptions): Promise<DiskPartitionLog> {
  const recovered = await recoverLog({ context, ...options })
  const log: DiskPartitionLog = new DiskPartitionLog(
    new LogCore({ ...options, context, recovered, onOffline: (reason) => context.onOffline(log, reason) }),
    { topicId: recovered.topicId, scannedBytes: recovered.scannedBytes },
  )
  return log
}

export class DiskPartitionLog implements PartitionLog {
  readonly core: LogCore
  /** Bytes that had to be read when it was opened. */
  readonly scannedBytes: number
  #topicId: string | null

  constructor(core: LogCore, facts: { topicId: string | null; scannedBytes: number }) {
    this.core = core
    this.#topicId = facts.topicId
    this.scannedBytes = facts.scannedBytes
  }

  get topicPartition(): TopicPartition {
    return this.core.topicPartition
  }

  get topicId(): string | null {
    return this.#topicId
  }

  get directory(): string {
    return this.core.directory
  }

  get config(): LogConfig {
    return this.core.config
  }

  get logStartOffset(): number {
    return this.core.logStartOffset
  }

  get logEndOffset(): number {
    return this.core.logEndOffset
  }

  get writtenEndOffset(): number {
    return this.core.writtenEndOffset
  }

  get highWatermark(): number {
    return this.core.highWatermark
  }

  get lastStableOffset(): number {
    const unstable = this.core.producers.firstUnstableOffset() ?? Infinity
    return Math.max(this.core.logStartOffset, Math.min(this.core.highWatermark, unstable))
  }

  get recoveryPoint(): number {
    return this.core.recoveryPoint
  }

  get latestEpoch(): number {
    return this.core.epochs.latestEpoch
  }

  get sizeBytes(): number {
    return this.core.segments.sizeBytes
  }

  get segmentCount(): number {
    return this.core.segments.all.length
  }

  get offline(): LogOffline | null {
    return this.core.offline
  }

  append(batches: Buffer, options: AppendOptions): AppendResult {
    return append(this.core, batches, options)
  }

  readCached(request: ReadRequest): ReadResult | null {
    const { core } = this
    if (core.offline !== null) return emptyRead(request.fromOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    if (core.isClosed) return emptyRead(request.fromOffset, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (request.fromOffset < core.logStartOffset || request.fromOffset > core.logEndOffset) {
      return emptyRead(request.fromOffset, ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    if (request.fromOffset >= Math.min(request.upToOffset, core.logEndOffset)) return emptyRead(request.fromOffset)
    return readFromMemory(core.run, request)
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    const cached = this.readCached(request)
    if (cached !== null) return cached
    try {
      const upToOffset = Math.min(request.upToOffset, this.core.logEndOffset)
      return await readFromDisk(this.core.segments, { ...request, upToOffset })
    } catch (error) {
      this.#storageError(error)
      return emptyRead(request.fromOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    }
  }

  setHighWatermark(offset: number): void {
    const { core } = this
    core.highWatermark = Math.max(core.logStartOffset, Math.min(offset, core.logEndOffset))
    core.producers.highWatermarkMoved(core.highWatermark)
  }

  assignEpochStart(leaderEpoch: number): void {
    this.core.epochs.assign(leaderEpoch, this.core.logEndOffset)
  }

  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset {
    return this.core.epochs.endOffsetFor(leaderEpoch, this.core.logEndOffset)
  }

  epochForOffset(offset: number): number {
    return this.core.epochs.epochForOffset(offset)
  }

  offsetForTimestamp(timestampMs: number, upToOffset: number): Promise<TimestampAndOffset | null> {
    return this.#find((options) => findByTimestamp(options, timestampMs), upToOffset)
  }

  offsetOfMaxTimestamp(upToOffset: number): Promise<TimestampAndOffset | null> {
    return this.#find(findLargestTimestamp, upToOffset)
  }

  async abortedTransactions(fromOffset: number, upToOffset: number): Promise<readonly AbortedTransaction[]> {
    const aborted: AbortedTransaction[] = []
    try {
      for (const segment of this.core.segments.from(fromOffset)) {
        const { transactions } = await segment.indexes()
        for (const entry of transactions.entries) {
          const overlaps = entry.lastOffset >= fromOffset && entry.firstOffset < upToOffset
          if (overlaps) aborted.push({ producerId: entry.producerId, firstOffset: entry.firstOffset })
          // Transactions that ended later began at or above this, beyond what is asked for.
          if (entry.lastStableOffset >= upToOffset) return aborted
        }
      }
    } catch (error) {
      throw this.#storageError(error)
    }
    return aborted
  }

  producers(): readonly ProducerView[] {
    return Array.from(this.core.producers.producers, (entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestampMs: entry.lastTimestampMs,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.currentTransactionStartOffset,
    }))
  }

  truncateTo(offset: number): Promise<ErrorCode> {
    return truncateTo(this.core, offset)
  }

  truncateFullyAndStartAt(offset: number): Promise<ErrorCode> {
    return truncateFullyAndStartAt(this.core, offset)
  }

  deleteRecordsBefore(offset: number): ErrorCode {
    return deleteRecordsBefore(this.core, offset)
  }

  applyRetention(): Promise<ErrorCode> {
    return applyRetention(this.core)
  }

  updateConfig(config: LogConfig): void {
    this.core.updateConfig(config)
  }

  async assignTopicId(topicId: string): Promise<ErrorCode> {
    if (this.#topicId !== null) return this.#topicId === topicId ? ErrorCode.NONE : ErrorCode.INCONSISTENT_TOPIC_ID
    this.#topicId = topicId
    const path = joinPath(this.core.directory, partitionMetadataFile)
    return this.core.tasks.run(() => this.core.context.env.disk.writeFileAtomic(path, encodePartitionMetadata(topicId)))
  }

  flush(): Promise<ErrorCode> {
    return this.core.flush()
  }

  /** A sync that stores indexes and producer state too, so that a start after a crash reads little. */
  checkpoint(): Promise<ErrorCode> {
    return this.core.checkpoint()
  }

  async close(): Promise<void> {
    const { core } = this
    if (core.isClosed) return
    await core.tasks.run(async () => {
      core.segments.active.seal()
      await core.checkpointNow()
    })
    await this.abandon()
  }

  /** Closes the files as they are: what was not synced is left to recovery. */
  async abandon(): Promise<void> {
    const { core } = this
    core.isClosed = true
    core.tasks.stop()
    await core.tasks.idle()
    await core.writer.drained()
    core.run.close()
    for (const segment of core.segments.all) {
      await segment.close().catch((error: unknown) => {
        core.context.env.log.write('warn', 'a segment file did not close', { path: segment.path, error })
      })
    }
  }

  async #find(
    lookup: (options: Parameters<typeof findLargestTimestamp>[0]) => Promise<FoundRecord | null>,
    upToOffset: number,
  ): Promise<TimestampAndOffset | null> {
    const { core } = this
    const read = async (request: ReadRequest): Promise<ReadResult> => {
      const result = await this.read(request)
      if (result.errorCode === ErrorCode.KAFKA_STORAGE_ERROR) throw new LogError('STORAGE', `${core.directory} cannot be read`)
      if (core.isClosed) throw new LogError('CLOSED', `${core.directory} has been closed`)
      return result
    }
    const options = { segments: core.segments.from(core.logStartOffset), read, logStartOffset: core.logStartOffset, upToOffset }
    try {
      const found = await unlessCorrupt(lookup(options))
      return found === null ? null : { ...found, leaderEpoch: core.epochs.epochForOffset(found.offset) }
    } catch (error) {
      throw this.#storageError(error)
    }
  }

  /** Takes the log offline for what the disk said; throws on what is not the disk's doing. */
  #storageError(cause: unknown): LogError {
    if (cause instanceof LogError) return cause
    if (!(cause instanceof DiskError)) throw cause
    // Too many open files is the process's trouble, not this disk's, and passes.
    if (cause.code !== 'EMFILE' && cause.code !== 'ENFILE') this.core.fail(cause)
    return new LogError('STORAGE', `${this.core.directory} cannot be read: ${cause.message}`, { cause })
  }
}
