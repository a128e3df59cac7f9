import { ErrorCode } from '../wire/errors.ts'
import type { Group, GroupConfig, GroupEffect, Member, Now } from './group-types.ts'
import {
  failParked,
  groupRebalanceTimeoutMs,
  hasAllMembersJoined,
  joinSuccess,
  refreshSession,
  removeMember,
  selectProtocol,
  transition,
} from './membership.ts'

/**
 * A rebalance from its cause to the new generation.
 *
 * It begins with whatever changes the membership, waits until every member has joined again or the longest rebalance
 * timeout has passed, drops the dynamic members that did not come, raises the generation and answers all parked joins.
 */

/** Begins a rebalance unless one is under way already. */
export function prepareRebalance(group: Group, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  if (group.state === 'PreparingRebalance') {
    if (group.initialDelayRemainingMs === null) completeRebalanceIfReady(group, now, effects)
    return
  }
  if (group.state === 'CompletingRebalance') {
    for (const member of group.members.values()) {
      member.assignment = Buffer.alloc(0)
      if (member.awaitingSync !== null) failParked(group, member, ErrorCode.REBALANCE_IN_PROGRESS, effects)
    }
  }
  group.pendingSyncMembers.clear()
  effects.push({ type: 'cancel', timer: 'sync' })
  const wasEmpty = group.state === 'Empty'
  transition(group, 'PreparingRebalance', now)
  const rebalanceTimeoutMs = groupRebalanceTimeoutMs(group)
  if (wasEmpty && config.initialRebalanceDelayMs > 0) {
    // KIP-134: the first members of a group rarely come alone; one short wait saves a rebalance for each of the others.
    const delayMs = Math.min(config.initialRebalanceDelayMs, rebalanceTimeoutMs)
    group.newMemberAdded = false
    group.initialDelayRemainingMs = Math.max(0, rebalanceTimeoutMs - delayMs)
    effects.push({ type: 'schedule', timer: 'rebalance', delayMs })
    return
  }
  effects.push({ type: 'schedule', timer: 'rebalance', delayMs: rebalanceTimeoutMs })
  completeRebalanceIfReady(group, now, effects)
}

export function completeRebalanceIfReady(group: Group, now: Now, effects: GroupEffect[]): void {
  if (group.state !== 'PreparingRebalance' || group.initialDelayRemainingMs !== null) return
  if (hasAllMembersJoined(group)) completeJoin(group, now, effects)
}

/** The rebalance timer fired: the initial delay is over, or members ran out of time to join again. */
export function onRebalanceTimer(group: Group, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  if (group.state !== 'PreparingRebalance') return
  const remainingMs = group.initialDelayRemainingMs
  if (remainingMs !== null && remainingMs > 0 && group.newMemberAdded) {
    const delayMs = Math.min(config.initialRebalanceDelayMs, remainingMs)
    group.newMemberAdded = false
    group.initialDelayRemainingMs = remainingMs - delayMs
    effects.push({ type: 'schedule', timer: 'rebalance', delayMs })
    return
  }
  group.initialDelayRemainingMs = null
  completeJoin(group, now, effects)
}

function completeJoin(group: Group, now: Now, effects: GroupEffect[]): void {
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin === null && member.instanceId === null) removeMember(group, member, effects)
  }
  if (!electJoinedLeader(group)) {
    // Only static members that have not come back are left: they keep their places, and the wait starts again.
    effects.push({ type: 'schedule', timer: 'rebalance', delayMs: groupRebalanceTimeoutMs(group) })
    return
  }
  effects.push({ type: 'cancel', timer: 'rebalance' })
  group.initialDelayRemainingMs = null
  group.generationId += 1
  if (group.members.size === 0) {
    group.protocolName = null
    group.leaderId = null
    transition(group, 'Empty', now)
    effects.push({ type: 'store', purpose: { kind: 'empty', generationId: group.generationId }, assignments: new Map() })
    return
  }
  group.protocolName = selectProtocol(group)
  transition(group, 'CompletingRebalance', now)
  group.pendingSyncMembers.clear()
  for (const member of group.members.values()) answerJoin(group, member, now, effects)
  effects.push({ type: 'schedule', timer: 'sync', delayMs: groupRebalanceTimeoutMs(group) })
}

/** The leader must be someone who is there to compute the assignment. False when members exist but none has joined. */
function electJoinedLeader(group: Group): boolean {
  if (group.members.size === 0) return true
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader && leader.awaitingJoin !== null) return true
  for (const member of group.members.values()) {
    if (member.awaitingJoin === null) continue
    group.leaderId = member.memberId
    return true
  }
  return false
}

function answerJoin(group: Group, member: Member, now: Now, effects: GroupEffect[]): void {
  group.pendingSyncMembers.add(member.memberId)
  member.assignment = Buffer.alloc(0)
  member.isNew = false
  if (member.awaitingJoin === null) return
  effects.push({ type: 'reply', token: member.awaitingJoin, reply: joinSuccess(group, member.memberId) })
  member.awaitingJoin = null
  refreshSession(member, now)
  effects.push({ type: 'schedule', timer: `session:${member.memberId}`, delayMs: member.sessionTimeoutMs })
}

/** Members that took the new generation and never sent SyncGroup hold everyone up; they go. */
export function onSyncTimer(group: Group, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
  const late = [...group.pendingSyncMembers]
  if (late.length === 0) return
  for (const memberId of late) {
    const member = group.members.get(memberId)
    if (member) removeMember(group, member, effects)
  }
  group.pendingSyncMembers.clear()
  prepareRebalance(group, config, now, effects)
}
