import type { ClientError } from './error.ts'
import type { CallOptions, TopicPartition } from './basic-types.ts'

export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface ProducerOptions {
  /** 0: none, offsets are -1 and losses unseen; 1: the leader; 'all': all in-sync replicas. @default 'all' */
  readonly acks?: 0 | 1 | 'all'
  /** No duplicates and no reordering by retries; demands acks 'all'. @default true with acks 'all' */
  readonly idempotent?: boolean
  /** @default 'none' */
  readonly compression?: CompressionName
  /** How long a batch waits for company. 0 sends at the end of the turn. @default 0 */
  readonly lingerMs?: number
  /** A batch is sent when its records reach this size (before compression). @default 262_144 */
  readonly batchBytesMax?: number
  /** A larger record is refused with RECORD_TOO_LARGE before it is sent. @default 1_048_576 */
  readonly recordBytesMax?: number
  /** Records accepted and not yet acknowledged, in bytes; above, `send` waits. @default 33_554_432 */
  readonly bufferBytesMax?: number
  /** Batches in flight per partition; at most 5 when idempotent (a broker remembers that many). @default 5 */
  readonly inflightBatchesMax?: number
  /** From `send` to the last retry's end. @default 120_000 */
  readonly deliveryTimeoutMs?: number
  /** One attempt, also what the broker is told to wait for its followers. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** @default the key's murmur2 as in Java; without a key, one partition per batch in turn */
  readonly partitioner?: Partitioner
}

/** `partitionCount` is at least 1; `null` leaves the choice to the producer (sticky). */
export type Partitioner = (record: ProducerRecord, partitionCount: number) => number | null

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface ProducerRecord {
  readonly topic: string
  /** Absent: by key, or sticky without one. */
  readonly partition?: number
  /** Text is sent as UTF-8. */
  readonly key?: Uint8Array | string | null
  /** `null` is a tombstone. */
  readonly value: Uint8Array | string | null
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | string | null }[]
  /** @default now */
  readonly timestampMs?: number
}

export interface RecordAcknowledgement extends TopicPartition {
  /** -1 with acks 0. */
  readonly offset: number
  /** The record's, or the broker's when the topic uses LogAppendTime. */
  readonly timestampMs: number
}

export type SendResult =
  | { readonly acknowledgement: RecordAcknowledgement; readonly error: null }
  | { readonly acknowledgement: null; readonly error: ClientError }

export interface ProducerStats {
  readonly bufferedBytes: number
  readonly bufferedRecordCount: number
  readonly sentRecordCount: number
  readonly failedRecordCount: number
  readonly retriedBatchCount: number
}

export interface Producer {
  /** Resolves when acknowledged as `acks` demands. Aborting the signal gives up waiting; a record in flight may still arrive. */
  send(record: ProducerRecord, options?: CallOptions): Promise<RecordAcknowledgement>
  /** As many sends, one promise; each record's fate in its place. Never rejects for a record's sake. */
  sendAll(records: readonly ProducerRecord[], options?: CallOptions): Promise<SendResult[]>
  /** Resolves when everything accepted so far is acknowledged or failed. */
  flush(options?: CallOptions): Promise<void>
  /** Flushes within the deadline, then refuses more. */
  close(options?: CallOptions): Promise<void>
  stats(): ProducerStats
}
