import type { ClientError } from './error.ts'
import type { ConsumedRecord, Isolation } from './reader-types.ts'
import type { CallOptions, TopicPartition } from './basic-types.ts'

export type AssignorName = 'range' | 'roundrobin' | 'cooperative-sticky'

export interface GroupConsumerOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  /** Static membership: the same name keeps its partitions over a restart (KIP-345). */
  readonly groupInstanceId?: string
  /** In order of preference; all members must share one. @default ['range', 'cooperative-sticky'] */
  readonly assignors?: readonly AssignorName[]
  /** @default 45_000 */
  readonly sessionTimeoutMs?: number
  /** @default 3_000 */
  readonly heartbeatIntervalMs?: number
  /** Members get this long to rejoin; also the longest pause between polls before this one leaves. @default 300_000 */
  readonly rebalanceTimeoutMs?: number
  /** `null`: commit is the caller's. @default 5_000 */
  readonly autoCommitIntervalMs?: number | null
  /** Where a partition without a committed offset begins. @default 'latest' */
  readonly startWithoutCommit?: 'earliest' | 'latest' | 'fail'
  /** @default 'read_uncommitted' */
  readonly isolation?: Isolation
  /** Records of one poll. @default 500 */
  readonly pollRecordsMax?: number
  /** @default 500 */
  readonly maxWaitMs?: number
  /** @default 8_388_608 */
  readonly maxBytes?: number
  /** @default 1_048_576 */
  readonly partitionBytesMax?: number
  /** Called within `poll`, and awaited, before reading from them starts. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** Called within `poll`, and awaited, while they are still owned: the place to commit. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** They are already someone else's. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** Failures that are retried meanwhile: a coordinator away, a commit refused. */
  readonly onWarning?: (error: ClientError) => void
}

export interface PartitionRecords extends TopicPartition {
  readonly records: readonly ConsumedRecord[]
  /** Behind the last record: what a commit would name. */
  readonly nextOffset: number
  readonly highWatermark: number
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

export type GroupConsumerState = 'unjoined' | 'joining' | 'stable' | 'closed'

/**
 * A member of a classic group. `poll` joins, rebalances, reads and commits automatically; heartbeats go on between polls.
 * Automatic commits cover what earlier polls returned, never what the current one is about to.
 */
export interface GroupConsumer {
  /** Resolves with records, or an empty list after `maxWaitMs` without any. Rejects only for what cannot be retried. */
  poll(options?: CallOptions): Promise<PartitionRecords[]>
  /** Without offsets: everything returned by earlier polls. */
  commit(offsets?: readonly OffsetToCommit[], options?: CallOptions): Promise<void>
  assignment(): readonly TopicPartition[]
  seek(partition: TopicPartition, offset: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  readonly state: GroupConsumerState
  readonly memberId: string
  readonly generationId: number
  /** Commits (when automatic), leaves the group unless static, and stops. */
  close(options?: CallOptions): Promise<void>
}
