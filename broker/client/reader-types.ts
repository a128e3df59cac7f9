import type { ClientError } from './error.ts'
import type { CallOptions, TopicPartition } from './basic-types.ts'

export type Isolation = 'read_uncommitted' | 'read_committed'

export interface FetchPosition extends TopicPartition {
  readonly fetchOffset: number
  /** @default 1_048_576 */
  readonly partitionBytesMax?: number
  /** The epoch of the last record had, for detecting truncation (KIP-595). @default -1 */
  readonly lastFetchedEpoch?: number
  /** The epoch the leader is known to lead in; it refuses when it is in another (KIP-320). @default -1 */
  readonly currentLeaderEpoch?: number
}

export interface FetchRequest {
  readonly partitions: readonly FetchPosition[]
  /** The broker waits this long for `minBytes`. @default 0 */
  readonly maxWaitMs?: number
  /** @default 1 */
  readonly minBytes?: number
  /** Of one reply; the first batch comes whole even above it. @default 52_428_800 */
  readonly maxBytes?: number
  /** @default 'read_uncommitted' */
  readonly isolation?: Isolation
  /** Prefer replicas here (KIP-392). @default '' */
  readonly rackId?: string
  /** Requests that wait belong in a lane of their own. @default 'fetch' */
  readonly lane?: string
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchedPartition extends TopicPartition {
  readonly fetchOffset: number
  readonly error: ClientError | null
  /** -1 where unknown. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** In the broker's order; `null` unless read_committed. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** Batches back to back as stored, the last perhaps cut short. */
  readonly records: Buffer
  /** Where the logs part, when `lastFetchedEpoch` was not what the leader has. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  /** The broker asks to read from this replica instead. */
  readonly preferredReadReplica: number | null
}

/**
 * Where reading begins. `leaderEpoch`: of the record before the offset, where known; a leader of an earlier epoch is then no
 * authority on the offset being out of range, unless the topic is no longer that of `topicId`. `timestampMs`: the first record at or after it, or the end.
 * `tail`: that many offsets before the end.
 */
export type StartPosition =
  | 'earliest'
  | 'latest'
  | { readonly offset: number; readonly leaderEpoch?: number; readonly topicId?: string | null }
  | { readonly timestampMs: number }
  | { readonly tail: number }

export interface ReaderPartition extends TopicPartition {
  readonly from: StartPosition
  /** Exclusive. `'end'`: what was there when reading began (the high watermark, or last stable offset). Absent: for ever. */
  readonly upTo?: number | 'end'
}

export interface ReaderOptions {
  readonly partitions: readonly ReaderPartition[]
  /** @default 'read_uncommitted' */
  readonly isolation?: Isolation
  /** @default 500 */
  readonly maxWaitMs?: number
  /** @default 1 */
  readonly minBytes?: number
  /** Of one reply of one broker. @default 8_388_608 */
  readonly maxBytes?: number
  /** @default 1_048_576 */
  readonly partitionBytesMax?: number
  /** Decompressed size of one batch, against decompression bombs. @default 134_217_728 */
  readonly decompressedBytesMax?: number
  /** The start has been deleted, or lies beyond the end. 'fail' puts the error into the chunk and leaves the partition. @default 'earliest' */
  readonly onOutOfRange?: 'earliest' | 'latest' | 'fail'
}

/** A record as views into the fetched (or decompressed) bytes. Copy what must outlive the chunk. */
export interface ConsumedRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** A batch that could not be read: its offsets are passed over, said here. */
export interface CorruptRange {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly reason: string
}

/** What one fetch brought of one partition. Iterating decodes; iterating again decodes again. */
export interface RecordChunk extends TopicPartition, Iterable<ConsumedRecord> {
  readonly fromOffset: number
  /** Where the next chunk begins. Beyond the last record where markers, aborted or compacted records follow. */
  readonly nextOffset: number
  /** Of the last batch; -1 where there is none. */
  readonly lastLeaderEpoch: number
  /** Of the topic as it was read; `null` where brokers have no ids. */
  readonly topicId: string | null
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Bytes as stored. */
  readonly batchBytes: number
  /** Batches passed over. Complete once the chunk has been iterated. */
  readonly corrupt: readonly CorruptRange[]
  /** Why this partition brought nothing, when that is not simply the end. */
  readonly error: ClientError | null
  /** `upTo` is reached: nothing more will come of this partition. */
  readonly isLast: boolean
}

export interface ReaderPosition extends TopicPartition {
  readonly offset: number
  /** Exclusive end, `null` for ever. */
  readonly upTo: number | null
  readonly highWatermark: number
  readonly isDone: boolean
}

/**
 * Reads partitions from positions, without a group. Records of a partition come in order; partitions take turns.
 * `read` resolves with what is there, an empty list after `maxWaitMs` without news, `null` when all partitions are done.
 */
export interface RecordReader extends AsyncIterable<RecordChunk> {
  read(options?: CallOptions): Promise<RecordChunk[] | null>
  /** Known once the first `read` has resolved the start positions. */
  positions(): readonly ReaderPosition[]
  seek(partition: TopicPartition, position: StartPosition): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  close(): Promise<void>
}
