/**
 * What the metadata log says about one partition. Immutable: every change makes a new object.
 *
 * `leaderEpoch` rises with every change of leader (also to none); `partitionEpoch` rises with every change of anything here.
 */
export interface PartitionState {
  /** In order of preference: the first is the preferred leader. */
  readonly replicas: readonly number[]
  /** Log directory ids, in the order of `replicas`. */
  readonly directories: readonly string[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** NO_LEADER while no eligible replica is alive. */
  readonly leader: number
  readonly leaderRecoveryState: LeaderRecoveryState
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** Replicas out of the ISR that are known to hold every committed record (KIP-966). */
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export const NO_LEADER = -1
/** In a PartitionChange record: leave the leader, and its epoch, as they are. */
export const NO_LEADER_CHANGE = -2

export const LeaderRecoveryState = {
  /** The leader was elected from the ISR. */
  RECOVERED: 0,
  /** The leader was elected uncleanly and has not finished recovering. */
  RECOVERING: 1,
} as const
export type LeaderRecoveryState = (typeof LeaderRecoveryState)[keyof typeof LeaderRecoveryState]

/** Reserved directory ids (uuid 0,0; 0,1; 0,2), in Kafka's text form. */
export const DirectoryId = {
  MIGRATING: 'AAAAAAAAAAAAAAAAAAAAAA',
  UNASSIGNED: 'AAAAAAAAAAAAAAAAAAAAAQ',
  LOST: 'AAAAAAAAAAAAAAAAAAAAAg',
} as const

export function hasLeader(partition: PartitionState): boolean {
  return partition.leader !== NO_LEADER
}

export function preferredLeader({ replicas }: Pick<PartitionState, 'replicas'>): number {
  return replicas[0] ?? NO_LEADER
}

/** Same members, in any order. */
export function sameMembers<T>(left: readonly T[], right: readonly T[]): boolean {
  return left.length === right.length && left.every((id) => right.includes(id))
}
