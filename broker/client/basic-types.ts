/** Words that every part of the client uses. */
import type { ClientError } from './error.ts'

/** Every call takes these; a call without them runs under the client's default deadline. */
export interface CallOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface BrokerEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface PartitionMetadata {
  readonly partition: number
  /** `null` while there is none. */
  readonly leader: number | null
  /** -1 where the broker's version does not tell. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  readonly error: ClientError | null
}

export interface TopicMetadata {
  readonly name: string
  /** `null` where the broker's version does not tell. */
  readonly topicId: string | null
  readonly isInternal: boolean
  /** Ascending by partition. */
  readonly partitions: readonly PartitionMetadata[]
  readonly error: ClientError | null
}
