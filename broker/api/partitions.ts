/**
 * The partitions a broker hosts, as handlers and the group coordinator see them. Implemented by
 * node/partition-manager.ts and node/partition.ts, which own all state behind these interfaces.
 */
import type { FollowerFetch } from '../cluster/follower-progress.ts'
import type { DiskSpace, PartitionLog, RecordError } from '../log/types.ts'
import type { ErrorCode } from '../wire/errors.ts'

export interface Partitions {
  /**
   * The replica to read from or write to, if this broker leads it. Errors, as Kafka picks them:
   * UNKNOWN_TOPIC_OR_PARTITION (not in the image), NOT_LEADER_OR_FOLLOWER (led elsewhere or by nobody),
   * KAFKA_STORAGE_ERROR (its disk failed), and with `currentLeaderEpoch` other than -1 FENCED_LEADER_EPOCH or
   * UNKNOWN_LEADER_EPOCH (KIP-320).
   */
  leader(topic: string, partition: number, currentLeaderEpoch?: number): LeaderLookup
  /** Every replica this broker hosts, in no particular order. */
  hosted(): Iterable<HostedPartition>
  /**
   * Calls `listener` whenever a hosted replica becomes leader (also anew, in a later epoch), stops being it, or goes;
   * `isLeader` and `leaderEpoch` tell which. Returns how to stop.
   */
  onLeadershipChange(listener: (partition: HostedPartition) => void): () => void
  /** The directory that holds the logs. */
  readonly logDirectory: string
  /** Whether it failed in this life of the broker. */
  readonly isLogDirectoryOffline: boolean
  /** Of the volume it is on, for DescribeLogDirs. */
  diskSpace(): Promise<DiskSpace>
}

export type FailureCode = Exclude<ErrorCode, typeof ErrorCode.NONE>

export type LeaderLookup =
  | { readonly partition: HostedPartition; readonly error: typeof ErrorCode.NONE }
  | { readonly partition: null; readonly error: FailureCode }

export interface HostedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly isLeader: boolean
  /** Whether the disk under it failed; it then answers nothing but KAFKA_STORAGE_ERROR. */
  readonly isOffline: boolean
  readonly leaderEpoch: number
  /** The first offset of this leader's epoch: offsets are uncertain while the high watermark is below it. */
  readonly leaderEpochStartOffset: number
  readonly log: PartitionLog
  /** Where consumers stop: the high watermark, or the last stable offset for read_committed. */
  visibleEnd(isolation: Isolation): number
  /** Validates and appends one batch. Synchronous, so that call order is log order. Takes ownership of `records`. */
  append(records: Buffer, options: PartitionAppend): AppendOutcome
  /**
   * A follower asked for `fetchOffset`, and its log was found to agree with this one up to there: it holds everything
   * below. Errors: NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE beyond the log end, and UNKNOWN_LEADER_EPOCH for a broker
   * that is no replica here, or for an earlier life of one.
   */
  followerFetched(fetch: FollowerFetch): ErrorCode
  /**
   * Calls `listener` with the bytes that became visible at `isolation` (for consumers when the high watermark moves, for
   * replicas when the log grows), and with 0 when there is something else to tell: the partition can no longer serve (leadership
   * lost, deleted, offline), or replicas are to remove what lies below a new log start.
   * Returns how to stop. Listeners are called in the turn of the change, and may stop themselves.
   */
  onVisible(isolation: Isolation, listener: (bytes: number) => void): () => void
  /**
   * DeleteRecords: moves the log start to `offset` (-1: the high watermark), within the call. Resolves once every live replica has
   * followed, or with REQUEST_TIMED_OUT after `timeoutMs`.
   */
  deleteRecordsBefore(offset: number, timeoutMs: number): Promise<DeletedRecords>
}

export interface DeletedRecords {
  readonly error: ErrorCode
  /** Below it no live replica has records; -1 with an error. */
  readonly lowWatermark: number
}

export type Isolation = 'readUncommitted' | 'readCommitted' | 'replica'

export interface PartitionAppend {
  /** 'coordinator' for batches made inside the broker, which may be larger and may be control batches. */
  readonly origin: 'client' | 'coordinator'
  readonly acks: 0 | 1 | -1
  /** How long `acknowledged` may take with acks=-1, before REQUEST_TIMED_OUT. */
  readonly timeoutMs: number
  /** zstd is refused below Produce v7 (KIP-110). */
  readonly zstdAllowed: boolean
}

export type AppendOutcome = AppendRefused | AppendAccepted

export interface AppendRefused {
  readonly error: FailureCode
  readonly message: string | null
  /** Which records of the batch were wrong (KIP-467). */
  readonly recordErrors: readonly RecordError[]
  /** -1 unless OUT_OF_ORDER or the like tells the client where the log starts. */
  readonly logStartOffset: number
}

export interface AppendAccepted {
  readonly error: typeof ErrorCode.NONE
  readonly baseOffset: number
  /** The broker's time for LogAppendTime topics, else -1. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** NONE once the promise of `acks` holds, else the error to answer. Never rejects. */
  readonly acknowledged: Promise<ErrorCode>
}
