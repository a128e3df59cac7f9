import { ErrorCode } from '../wire/errors.ts'
import type { MemberClaim, TopicPartitions } from './coordinator-port.ts'
import type { CommittedOffset, Group, GroupConfig, Now } from './group-types.ts'
import { checkMember, refreshSession } from './membership.ts'
import { subscribedTopics } from './subscription.ts'

/**
 * Committed offsets of a group: who may commit, what is kept, and when it goes.
 *
 * A commit takes effect when its record is committed, not before: what OffsetFetch returned once is never taken back.
 */

export interface OffsetKey {
  readonly topic: string
  readonly partition: number
}

/**
 * Whether the claim may commit. Outside of membership (generation -1 and no member id) commits are taken only while the
 * group has no members: "simple" consumers and tools that reset offsets.
 */
export function checkCommit(group: Group, claim: MemberClaim, now: Now): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const claimsMembership = claim.memberId !== '' || claim.instanceId !== null || claim.generationId >= 0
  if (!claimsMembership) return group.members.size === 0 && group.state === 'Empty' ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  const unknown = checkMember(group, claim.memberId, claim.instanceId)
  if (unknown !== ErrorCode.NONE) return unknown
  if (claim.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  // The member has taken the new generation but not its assignment; a commit now would be about partitions it may not own.
  if (group.state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  refreshSession(group.members.get(claim.memberId)!, now)
  return ErrorCode.NONE
}

export function getOffset(group: Group, topic: string, partition: number): CommittedOffset | undefined {
  return group.offsets.get(topic)?.get(partition)
}

export function setOffset(group: Group, topic: string, partition: number, committed: CommittedOffset): void {
  let partitions = group.offsets.get(topic)
  if (partitions === undefined) group.offsets.set(topic, (partitions = new Map()))
  partitions.set(partition, committed)
}

export function removeOffset(group: Group, topic: string, partition: number): void {
  const partitions = group.offsets.get(topic)
  if (partitions?.delete(partition) && partitions.size === 0) group.offsets.delete(topic)
}

/** OffsetDelete (KIP-496): topics that a member still subscribes to are refused. */
export function checkOffsetDelete(
  group: Group | undefined,
  topics: readonly TopicPartitions[],
): { errorCode: ErrorCode; subscribed: ReadonlySet<string> } {
  const none = new Set<string>()
  if (group === undefined || group.state === 'Dead') return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, subscribed: none }
  if (group.members.size === 0) return { errorCode: ErrorCode.NONE, subscribed: none }
  // Members of other protocols do not say what they read, so nothing can be known to be unused.
  if (group.protocolType !== 'consumer') return { errorCode: ErrorCode.NON_EMPTY_GROUP, subscribed: none }
  const subscribed = subscribedTopics(group)
  return { errorCode: ErrorCode.NONE, subscribed: subscribed ?? new Set(topics.map(({ topic }) => topic)) }
}

/**
 * Offsets whose retention has passed (KIP-211): of an empty group counting from when it became empty, of a group that
 * never had members from each commit, of a live consumer group only for topics nobody in it subscribes to.
 */
export function expiredOffsets(group: Group, config: GroupConfig, now: Now): OffsetKey[] {
  const expiredBefore = now.wallMs - config.offsetsRetentionMs
  const subscribed =
    group.members.size > 0 && group.protocolType === 'consumer' && group.state === 'Stable' ? subscribedTopics(group) : null
  if (group.members.size > 0 && subscribed === null) return []
  const expired: OffsetKey[] = []
  for (const [topic, partitions] of group.offsets) {
    if (subscribed?.has(topic)) continue
    for (const [partition, committed] of partitions) {
      const sinceMs =
        group.members.size === 0 && group.protocolType !== null
          ? Math.max(group.stateTimestampMs, committed.commitTimestampMs)
          : committed.commitTimestampMs
      if (sinceMs <= expiredBefore) expired.push({ topic, partition })
    }
  }
  return expired
}

export function allOffsets(group: Group): OffsetKey[] {
  const keys: OffsetKey[] = []
  for (const [topic, partitions] of group.offsets) for (const partition of partitions.keys()) keys.push({ topic, partition })
  return keys
}
