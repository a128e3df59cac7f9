/**
 * What the rest of the broker sees of the log: one `PartitionLog` per replica, kept by one `LogManager` per data folder.
 *
 * Invariants, kept by the implementation and relied upon by everyone:
 * - offsets are assigned in the order of `append` calls, within the call; nothing else assigns them;
 * - logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset, and writtenEndOffset <= logEndOffset;
 * - a batch is acknowledged, or shown to a follower's fetch offset, only after its `written` has resolved with NONE;
 * - a failed write or sync takes the log offline for good (until the process restarts): it answers KAFKA_STORAGE_ERROR
 *   from then on; appending, reading and truncating never throw because of the disk, lookups reject with a LogError.
 */
import type { DiskSpace } from '../env/types.ts'
import type { ErrorCode } from '../wire/errors.ts'
import type { LogConfig } from './topic-config.ts'

export type { DiskSpace } from '../env/types.ts'
export type { LogConfig } from './topic-config.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Who appends decides what is checked and what is assigned. */
export type AppendOrigin =
  /** One batch of a producer: everything in it is checked, its offsets are assigned. */
  | 'client'
  /** Batches made inside the broker (offset commits, markers, metadata): offsets are assigned, control batches allowed. */
  | 'coordinator'
  /** Batches copied from the leader: offsets and epochs are the leader's; checked for CRC and for continuing the log. */
  | 'replication'

export interface AppendOptions {
  readonly leaderEpoch: number
  readonly origin: AppendOrigin
}

/** Why one record of a refused batch is refused; `batchIndex` counts records within the batch. */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

export interface AppendResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly recordErrors: readonly RecordError[]
  /** -1 when refused. For a duplicate of one of the producer's last five batches: the offset it was given then. */
  readonly baseOffset: number
  readonly lastOffset: number
  /** -1 unless the topic uses LogAppendTime. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  readonly isDuplicate: boolean
  /**
   * Resolves when the write of these batches (and all before them) returned: NONE, or KAFKA_STORAGE_ERROR. Never
   * rejects, so that nobody has to listen.
   */
  readonly written: Promise<ErrorCode>
}

export interface ReadRequest {
  readonly fromOffset: number
  /** Batches are added while their sum stays within this. */
  readonly maxBytes: number
  /** No batch that starts at or above this offset is returned: high watermark, last stable offset or log end offset. */
  readonly upToOffset: number
  /** Return the first batch even when it alone is larger than `maxBytes`. */
  readonly atLeastOneBatch: boolean
}

export interface ReadResult {
  /**
   * NONE, OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR, NOT_LEADER_OR_FOLLOWER after `close`, or CORRUPT_MESSAGE when stored
   * bytes no longer parse.
   */
  readonly errorCode: ErrorCode
  /** Whole batches, views of log memory: not to be written to. The first may start below `fromOffset`. */
  readonly records: readonly Buffer[]
  readonly bytes: number
  /** Base offset of the first batch returned, or `fromOffset` when none is. */
  readonly firstOffset: number
  /** Where the next read continues. */
  readonly nextOffset: number
}

export interface TimestampAndOffset {
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

export interface EpochEndOffset {
  /** -1 when the epoch is unknown. */
  readonly leaderEpoch: number
  readonly endOffset: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** An open transaction in this partition, for the coordinator's checks and DescribeProducers. */
export interface ProducerView {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestampMs: number
  readonly coordinatorEpoch: number
  /** -1 when no transaction is open. */
  readonly currentTransactionStartOffset: number
}

export interface LogOffline {
  readonly reason: string
  readonly sinceMs: number
}

export interface PartitionLog {
  readonly topicPartition: TopicPartition
  /** 22 characters; null until the folder is told (the metadata log has none). */
  readonly topicId: string | null
  readonly directory: string
  readonly config: LogConfig

  readonly logStartOffset: number
  /** Next offset to be assigned. */
  readonly logEndOffset: number
  /** Everything below has been handed to the operating system. */
  readonly writtenEndOffset: number
  readonly highWatermark: number
  /** First offset of the oldest open transaction, or the high watermark. */
  readonly lastStableOffset: number
  /** Everything below has been synced; recovery starts here. */
  readonly recoveryPoint: number
  /** Latest epoch with a record, -1 when empty. */
  readonly latestEpoch: number
  /** Bytes of all segments' record batches. */
  readonly sizeBytes: number
  readonly segmentCount: number
  readonly offline: LogOffline | null

  /**
   * Checks, assigns offsets, and orders the write, all within the call. Takes ownership of `batches`: it is patched in
   * place and kept. While a truncation runs, and after `close`, it is refused with NOT_LEADER_OR_FOLLOWER.
   */
  append(batches: Buffer, options: AppendOptions): AppendResult
  /** The answer when it is wholly in memory, else null: then ask `read`. */
  readCached(request: ReadRequest): ReadResult | null
  read(request: ReadRequest): Promise<ReadResult>

  /** Moves within [logStartOffset, logEndOffset]; a lower value than before is taken too (a new leader's view). */
  setHighWatermark(offset: number): void
  /** Records that `leaderEpoch` starts at the log end (a leader does so when elected). */
  assignEpochStart(leaderEpoch: number): void
  /** End offset of the largest epoch <= `leaderEpoch`, -1/-1 when unknown (KIP-101, KIP-279). */
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset
  epochForOffset(offset: number): number
  /** First record below `upToOffset` with a timestamp >= `timestampMs`. Rejects with a LogError STORAGE. */
  offsetForTimestamp(timestampMs: number, upToOffset: number): Promise<TimestampAndOffset | null>
  /** The record below `upToOffset` with the largest timestamp (the first of them). Rejects with a LogError STORAGE. */
  offsetOfMaxTimestamp(upToOffset: number): Promise<TimestampAndOffset | null>

  /** Aborted transactions that overlap [fromOffset, upToOffset). Rejects with a LogError STORAGE. */
  abortedTransactions(fromOffset: number, upToOffset: number): Promise<readonly AbortedTransaction[]>
  producers(): readonly ProducerView[]

  /** Removes everything at and above `offset`. Resolves with KAFKA_STORAGE_ERROR when the disk refuses. */
  truncateTo(offset: number): Promise<ErrorCode>
  /** Removes everything and continues at `offset`. */
  truncateFullyAndStartAt(offset: number): Promise<ErrorCode>
  /** Moves the log start; OFFSET_OUT_OF_RANGE above the high watermark. A lower offset changes nothing. */
  deleteRecordsBefore(offset: number): ErrorCode

  updateConfig(config: LogConfig): void
  /** Writes `partition.metadata` once; INCONSISTENT_TOPIC_ID when it already names another. */
  assignTopicId(topicId: string): Promise<ErrorCode>
  /** Syncs everything appended before the call and moves the recovery point. */
  flush(): Promise<ErrorCode>
  /** Waits for writes, syncs, writes indexes and the producer snapshot, closes files. */
  close(): Promise<void>
}

export interface LogManagerOptions {
  readonly directory: string
  /** Written to meta.properties on first use, compared afterwards. */
  readonly clusterId: string
  readonly nodeId: number
  /** Settings of a topic at load time; unknown topics get the defaults. */
  readonly configOf?: (topic: string) => LogConfig
  /** Shown while partitions load. */
  readonly onProgress?: (progress: { readonly loaded: number; readonly total: number; readonly recoveredBytes: number }) => void
  /** The log has gone offline: stop leading it, tell the controller. Called once per log. */
  readonly onLogOffline?: (log: PartitionLog, reason: string) => void
  readonly signal?: AbortSignal
  readonly limits?: Partial<LogLimits>
  /** @default Kafka's: after 30 s, then every 5 minutes */
  readonly retentionSchedule?: RetentionSchedule
}

/** When old segments are looked for. What has become too old or too much in between stays readable until then. */
export interface RetentionSchedule {
  /** log.initial.task.delay.ms: from the opening of the folder to the first round. */
  readonly initialDelayMs: number
  /** log.retention.check.interval.ms: from the end of one round to the next. */
  readonly intervalMs: number
}

/** Bounds of everything the log room keeps in memory, and of what it does at once. */
export interface LogLimits {
  /** Newest batches of all logs kept for reads at the tail. */
  readonly tailCacheBytesMax: number
  /** Appended and not yet taken by the disk, all logs; beyond it appends are refused with REQUEST_TIMED_OUT. */
  readonly pendingWriteBytesMax: number
  /** Indexes of older segments kept in memory. */
  readonly indexCacheBytesMax: number
  /** Keys a compaction pass remembers (their bytes and a fixed cost each). */
  readonly cleanerKeyBytesMax: number
  /** Bytes appended since the last sync, all logs; more is synced in the background, largest first. */
  readonly unflushedBytesTarget: number
  readonly concurrentLoadsMax: number
  /** A compressed batch that expands beyond this is refused as corrupt. */
  readonly decompressedBatchBytesMax: number
}

export interface LogManager {
  readonly directory: string
  /** 22 characters, from meta.properties. */
  readonly directoryId: string
  /** False after a crash. */
  readonly wasCleanShutdown: boolean
  /**
   * The epoch of the last life when all it wrote is known to be here: it stopped cleanly, or its process died and the
   * operating system went on. -1 otherwise.
   */
  readonly previousBrokerEpoch: number
  /**
   * Who is to ask for the next epoch. A process that ended before it heard its own has left its name: the controller may have
   * given it one.
   */
  readonly incarnationId: string

  get(topic: string, partition: number): PartitionLog | null
  all(): readonly PartitionLog[]
  /**
   * The existing log, or a new one. Rejects with a `LogError`: TOPIC_ID_MISMATCH when the folder belongs to another
   * topic of that name, STORAGE when the disk refuses.
   */
  getOrCreate(topicPartition: TopicPartition, options: { topicId: string | null; config: LogConfig }): Promise<PartitionLog>
  /** Renames to `-delete` at once, removes the files after file.delete.delay.ms. */
  delete(topic: string, partition: number): Promise<void>
  /** Renames to `-stray`: a folder the metadata does not know. It is kept for a person to judge. */
  setAside(topic: string, partition: number): Promise<void>
  updateConfig(topic: string, config: LogConfig): void
  /**
   * Whose life this is, for the `previousBrokerEpoch` of the next. Where it cannot be written that one finds none; rejects with
   * a DiskError when it would find what is true no more.
   */
  noteBrokerEpoch(brokerEpoch: number): Promise<void>
  /** Of the volume the data folder is on. */
  space(): Promise<DiskSpace>
  /** Retention and compaction at once, for tests and for the console's "apply now". */
  runMaintenance(): Promise<void>
  /** Closes every log, writes the checkpoints and the clean-shutdown marker with the life's epoch, releases the lock. */
  close(): Promise<void>
}

export type LogErrorCode =
  /** Another process holds the data folder. */
  | 'DIRECTORY_LOCKED'
  /** meta.properties names another cluster or node. */
  | 'DIRECTORY_FOREIGN'
  | 'TOPIC_ID_MISMATCH'
  | 'STORAGE'
  | 'ABORTED'
  | 'CLOSED'

export class LogError extends Error {
  readonly code: LogErrorCode
  constructor(code: LogErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'LogError'
    this.code = code
  }
}
