/**
 * The state of one partition log and what keeps it on the disk: syncing, rolling, checkpointing, going offline. The parts
 * of the log (appending, truncating, retention, compaction) work on this one object; nobody else sees it.
 *
 * Invariant: fields change only within a call of the log's own, never between two awaits of someone else's; whatever
 * renames or cuts files runs as a task, one at a time.
 */
import { ErrorCode } from '../wire/errors.ts'
import { encodeEpochCheckpoint } from './checkpoints.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogContext } from './log-context.ts'
import { joinPath, leaderEpochFile } from './log-files.ts'
import { LogTasks } from './log-tasks.ts'
import { LogWriter } from './log-writer.ts'
import type { ProducerState } from './producer-state.ts'
import type { RecoveredLog } from './recovery.ts'
import { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import type { CachedRun } from './tail-cache.ts'
import type { LogConfig, LogOffline, TopicPartition } from './types.ts'

export interface LogCoreOptions {
  readonly context: LogContext
  readonly topicPartition: TopicPartition
  readonly directory: string
  readonly config: LogConfig
  readonly recovered: RecoveredLog
  readonly onOffline: (reason: string) => void
}

export class LogCore {
  readonly context: LogContext
  readonly topicPartition: TopicPartition
  readonly directory: string
  readonly segments: SegmentList
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  readonly writer: LogWriter
  readonly tasks: LogTasks
  readonly #onOffline: (reason: string) => void
  config: LogConfig
  run: CachedRun
  logStartOffset: number
  logEndOffset: number
  writtenEndOffset: number
  highWatermark: number
  recoveryPoint: number
  /** As the checkpoint file says, which a start after a crash goes by. */
  storedRecoveryPoint: number
  offline: LogOffline | null = null
  isTruncating = false
  isClosed = false
  /** When the oldest record above the recovery point was appended. */
  unflushedSinceMs: number | null = null
  #segmentMs: number
  #queuedFlush: Promise<ErrorCode> | null = null

  constructor(options: LogCoreOptions) {
    const { context, recovered } = options
    this.context = context
    this.topicPartition = options.topicPartition
    this.directory = options.directory
    this.config = options.config
    this.#onOffline = options.onOffline
    this.segments = recovered.segments
    this.epochs = recovered.epochs
    this.producers = recovered.producers
    this.snapshots = recovered.snapshots
    this.logStartOffset = recovered.logStartOffset
    this.logEndOffset = Math.max(recovered.segments.active.nextOffset, recovered.logStartOffset)
    this.writtenEndOffset = this.logEndOffset
    this.highWatermark = recovered.logStartOffset
    this.recoveryPoint = recovered.recoveryPoint
    this.storedRecoveryPoint = recovered.recoveryPoint
    this.run = this.#newRun()
    this.#segmentMs = this.#nextSegmentMs()
    this.tasks = new LogTasks((error) => this.fail(error))
    this.writer = new LogWriter({
      scheduler: context.env.scheduler,
      pending: context.pendingWrites,
      onWritten: (endOffset) => this.#onWritten(endOffset),
      onFailure: (error) => this.fail(error),
    })
    if (this.recoveryPoint < this.logEndOffset) this.unflushedSinceMs = context.env.clock.monotonicMs()
  }

  /** Bytes above the recovery point, to the segment. */
  get unflushedBytes(): number {
    if (this.recoveryPoint >= this.logEndOffset) return 0
    let bytes = 0
    for (const segment of this.segments.from(this.recoveryPoint)) bytes += segment.bytes - Math.max(0, segment.syncedBytes)
    return bytes
  }

  rollRule(nowMs: number): { config: LogConfig; nowMs: number; segmentMs: number } {
    return { config: this.config, nowMs, segmentMs: this.#segmentMs }
  }

  updateConfig(config: LogConfig): void {
    this.config = config
    this.#segmentMs = this.#nextSegmentMs()
  }

  /** Begins a new segment at the log end; the old one is synced and its indexes stored in the background. */
  roll(): void {
    const old = this.segments.active
    old.seal()
    this.segments.add(this.newSegment(this.logEndOffset))
    this.#segmentMs = this.#nextSegmentMs()
    const offset = this.logEndOffset
    const snapshot = this.producers.snapshot()
    void this.tasks.run(async () => {
      await this.#syncBelow(offset)
      await old.storeIndexes()
      old.releaseIndexes()
      await this.#writeSnapshot(offset, snapshot)
    })
  }

  newSegment(baseOffset: number): Segment {
    const { env, indexCache } = this.context
    return Segment.create({ env, indexCache, directory: this.directory, baseOffset })
  }

  /** Syncs everything appended so far. Calls made before it has begun share one sync. */
  flush(): Promise<ErrorCode> {
    this.#queuedFlush ??= this.tasks.run(async () => {
      this.#queuedFlush = null
      await this.#syncBelow(this.logEndOffset)
    })
    return this.#queuedFlush
  }

  /** A sync after which a start has next to nothing to read: indexes and producer state are stored too. */
  checkpoint(): Promise<ErrorCode> {
    return this.tasks.run(() => this.checkpointNow())
  }

  /** Within a task. */
  async checkpointNow(): Promise<void> {
    const offset = this.logEndOffset
    const snapshot = offset === this.snapshots.newest ? null : this.producers.snapshot()
    await this.#syncBelow(offset)
    await this.segments.active.storeIndexes()
    if (snapshot !== null) await this.#writeSnapshot(offset, snapshot)
  }

  async storeEpochs(): Promise<void> {
    if (!this.epochs.isChanged) return
    this.epochs.isChanged = false
    const content = encodeEpochCheckpoint(this.epochs.entries)
    await this.context.env.disk.writeFileAtomic(joinPath(this.directory, leaderEpochFile), content)
  }

  /** The cached tail no longer continues the log: reads go to the disk until new batches arrive. */
  forgetTail(): void {
    this.run.close()
    this.run = this.#newRun()
  }

  /** The disk refused: the log answers KAFKA_STORAGE_ERROR from now on. */
  fail(error: unknown): void {
    if (this.offline !== null || this.isClosed) return
    const { clock, log } = this.context.env
    const reason = error instanceof Error ? error.message : String(error)
    this.offline = { reason, sinceMs: clock.nowMs() }
    this.tasks.stop()
    log.write('error', 'a partition log went offline', { ...this.topicPartition, directory: this.directory, reason })
    this.#onOffline(reason)
  }

  async #syncBelow(offset: number): Promise<void> {
    if ((await this.writer.drained()) !== ErrorCode.NONE) throw new Error('a write before this sync failed')
    const sinceMs = this.context.env.clock.monotonicMs()
    for (const segment of this.segments.from(this.recoveryPoint)) {
      if (segment.baseOffset < offset || segment === this.segments.active) await segment.sync()
    }
    await this.storeEpochs()
    this.recoveryPoint = Math.max(this.recoveryPoint, Math.min(offset, this.logEndOffset))
    this.unflushedSinceMs = this.recoveryPoint < this.logEndOffset ? sinceMs : null
  }

  async #writeSnapshot(offset: number, content: Buffer): Promise<void> {
    await this.snapshots.write(offset, content)
    const segmentBases = new Set(this.segments.all.map((segment) => segment.baseOffset))
    const { logStartOffset, storedRecoveryPoint } = this
    await this.snapshots.prune({ logStartOffset, segmentBases, storedRecoveryPoint })
  }

  #onWritten(endOffset: number): void {
    this.writtenEndOffset = endOffset
    this.run.writtenEndOffset = endOffset
    this.context.tailCache.trim()
  }

  #newRun(): CachedRun {
    const run = this.context.tailCache.newRun()
    run.writtenEndOffset = this.writtenEndOffset
    return run
  }

  /** A compacted log must not keep a record uncompacted longer than asked, and only closed segments are compacted. */
  #nextSegmentMs(): number {
    const { segmentMs, segmentJitterMs, isCompacted, maxCompactionLagMs } = this.config
    const limitMs = isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
    const jitterMs = Math.min(segmentJitterMs, limitMs)
    return limitMs - (jitterMs > 0 ? this.context.env.random.below(jitterMs) : 0)
  }
}
