/** What an assignor is given and returns. */
import type { TopicPartition } from '../basic-types.ts'
import type { Subscription } from './consumer-protocol.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly subscription: Subscription
}

export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>
/** Topics that do not exist are absent. */
export type PartitionCounts = ReadonlyMap<string, number>
export type Assignor = (members: readonly AssignorMember[], partitionCounts: PartitionCounts) => Assignment
