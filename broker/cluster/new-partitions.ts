/** The first state of a partition, and what is wrong with replicas given by hand. */
import { ErrorCode } from '../wire/errors.ts'
import { refusal, type Refusal } from './decision.ts'
import type { MetadataImage } from './image.ts'
import { placeReplicas, type UsableBroker } from './placement.ts'
import { onlyDirectoryOf } from './partition-change.ts'
import { LeaderRecoveryState, NO_LEADER, type PartitionState } from './partition-state.ts'

/** A new partition is in sync on every replica that is up: there is nothing in it yet to be behind on. */
export function newPartition(image: MetadataImage, replicas: readonly number[]): PartitionState {
  const isr = replicas.filter((id) => image.isActive(id))
  return {
    replicas,
    directories: replicas.map((id) => onlyDirectoryOf(image, id)),
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0] ?? NO_LEADER,
    leaderRecoveryState: LeaderRecoveryState.RECOVERED,
    leaderEpoch: 0,
    partitionEpoch: 0,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }
}

export function placeNew(
  brokers: readonly UsableBroker[],
  request: { readonly partitionCount: number; readonly replicationFactor: number; readonly startIndex: number },
): { readonly assignments: readonly (readonly number[])[] } | Refusal {
  const placed = placeReplicas(brokers, request)
  return 'problem' in placed ? refusal(ErrorCode.INVALID_REPLICATION_FACTOR, placed.problem) : placed
}

/** A sentence, or null when every list may be a partition's replicas. */
export function assignmentProblem(image: MetadataImage, lists: readonly (readonly number[])[], replicationFactor: number): string | null {
  for (const [index, replicas] of lists.entries()) {
    if (replicas.length === 0) return `No replicas are given for the partition at ${index}.`
    if (replicas.length !== replicationFactor) {
      return `All partitions of a topic have the same number of replicas; ${replicationFactor} are expected, and the one at ${index} has ${replicas.length}.`
    }
    if (new Set(replicas).size !== replicas.length) return `The replicas at ${index} name a broker twice: ${replicas.join(', ')}.`
    const unknown = replicas.find((id) => image.broker(id) === undefined)
    if (unknown !== undefined) return `The replicas at ${index} name broker ${unknown}, which is not registered.`
    if (!replicas.some((id) => image.isActive(id))) return `All brokers of the replicas at ${index} are down: ${replicas.join(', ')}.`
  }
  return null
}
