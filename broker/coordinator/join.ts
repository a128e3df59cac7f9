import { ErrorCode } from '../wire/errors.ts'
import type { Group, GroupConfig, GroupEffect, JoinEvent, Member, Now } from './group-types.ts'
import {
  addMember,
  failParked,
  isLeader,
  joinFailure,
  joinSuccess,
  memberMetadata,
  membersForLeader,
  refreshSession,
  sameProtocols,
  selectProtocol,
  supportsProtocols,
} from './membership.ts'
import { prepareRebalance } from './rebalance.ts'

/**
 * JoinGroup.
 *
 * A dynamic member first gets an id (KIP-394), then joins with it; a static one (KIP-345) is known by its instance id and
 * may take its old place without a rebalance while its subscription is unchanged. In a stable group only the leader, or a
 * member whose subscription changed, causes a rebalance by joining again.
 */

/** How long a member that never had an answer may wait in a rebalance before it counts as gone. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000
/** Ids given out in a group and not come back with. Each is kept for a session, and asking for one costs a client nothing. */
const PENDING_MEMBERS_MAX = 10_000

interface Step {
  readonly group: Group
  readonly event: JoinEvent
  readonly config: GroupConfig
  readonly now: Now
  readonly effects: GroupEffect[]
}

export function join(group: Group, event: JoinEvent, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  const step: Step = { group, event, config, now, effects }
  const refusal = refuse(step)
  if (refusal !== null) reply(step, joinFailure(refusal, event.memberId))
  else if (event.memberId === '') joinWithoutId(step)
  else joinWithId(step)
}

function refuse({ group, event, config }: Step): ErrorCode | null {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (event.sessionTimeoutMs < config.minSessionTimeoutMs || event.sessionTimeoutMs > config.maxSessionTimeoutMs)
    return ErrorCode.INVALID_SESSION_TIMEOUT
  if (!supportsProtocols(group, event.protocolType, event.protocols)) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  const known = group.members.has(event.memberId) || (event.instanceId !== null && group.staticMembers.has(event.instanceId))
  if (!known && group.members.size + group.pendingMembers.size >= config.maxSize) return ErrorCode.GROUP_MAX_SIZE_REACHED
  return null
}

function joinWithoutId(step: Step): void {
  const { group, event, effects } = step
  if (event.instanceId !== null) {
    const oldMemberId = group.staticMembers.get(event.instanceId)
    if (oldMemberId === undefined) addAndRebalance(step, event.newMemberId)
    else replaceStaticMember(step, group.members.get(oldMemberId)!)
    return
  }
  if (event.requiresKnownMemberId) {
    if (group.pendingMembers.size >= PENDING_MEMBERS_MAX) {
      reply(step, joinFailure(ErrorCode.GROUP_MAX_SIZE_REACHED, ''))
      return
    }
    group.pendingMembers.add(event.newMemberId)
    effects.push({ type: 'schedule', timer: `pending:${event.newMemberId}`, delayMs: event.sessionTimeoutMs })
    reply(step, joinFailure(ErrorCode.MEMBER_ID_REQUIRED, event.newMemberId))
    return
  }
  addAndRebalance(step, event.newMemberId)
}

function joinWithId(step: Step): void {
  const { group, event, effects } = step
  if (group.pendingMembers.has(event.memberId)) {
    if (event.instanceId !== null) {
      reply(step, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, event.memberId))
      return
    }
    effects.push({ type: 'cancel', timer: `pending:${event.memberId}` })
    addAndRebalance(step, event.memberId)
    return
  }
  const fenced =
    event.instanceId !== null && group.staticMembers.has(event.instanceId) && group.staticMembers.get(event.instanceId) !== event.memberId
  if (fenced) {
    reply(step, joinFailure(ErrorCode.FENCED_INSTANCE_ID, event.memberId))
    return
  }
  const member = group.members.get(event.memberId)
  const instanceUnknown = event.instanceId !== null && !group.staticMembers.has(event.instanceId)
  if (member === undefined || instanceUnknown) {
    reply(step, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, event.memberId))
    return
  }
  rejoin(step, member)
}

function rejoin(step: Step, member: Member): void {
  const { group, event, now } = step
  const unchanged = sameProtocols(member.protocols, event.protocols)
  refreshSession(member, now)
  switch (group.state) {
    case 'PreparingRebalance':
      updateAndRebalance(step, member)
      return
    case 'CompletingRebalance':
      // The reply of the last join may have been lost; a member that asks again for the same gets it again.
      if (unchanged) reply(step, joinSuccess(group, member.memberId))
      else updateAndRebalance(step, member)
      return
    case 'Stable':
      if (isLeader(group, member.memberId) || !unchanged) updateAndRebalance(step, member)
      else reply(step, joinSuccess(group, member.memberId))
      return
    default:
      reply(step, joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, event.memberId))
  }
}

function addAndRebalance(step: Step, memberId: string): void {
  const { group, event, config, now, effects } = step
  const member: Member = {
    memberId,
    instanceId: event.instanceId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    sessionTimeoutMs: event.sessionTimeoutMs,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    protocols: event.protocols,
    assignment: Buffer.alloc(0),
    sessionDeadlineMs: now.monotonicMs + NEW_MEMBER_JOIN_TIMEOUT_MS,
    awaitingJoin: event.token,
    awaitingSync: null,
    isNew: true,
  }
  addMember(group, member, event.protocolType)
  if (group.state === 'PreparingRebalance') group.newMemberAdded = true
  effects.push({ type: 'schedule', timer: `session:${memberId}`, delayMs: NEW_MEMBER_JOIN_TIMEOUT_MS })
  prepareRebalance(group, config, now, effects)
}

function updateAndRebalance(step: Step, member: Member): void {
  const { group, event, config, now, effects } = step
  if (member.awaitingJoin !== null && member.awaitingJoin !== event.token) {
    // The client gave up on its first request and sent another; only the newest is answered for good.
    effects.push({ type: 'reply', token: member.awaitingJoin, reply: joinFailure(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId) })
  }
  member.protocols = event.protocols
  member.sessionTimeoutMs = event.sessionTimeoutMs
  member.rebalanceTimeoutMs = event.rebalanceTimeoutMs
  member.clientId = event.clientId
  member.clientHost = event.clientHost
  member.awaitingJoin = event.token
  prepareRebalance(group, config, now, effects)
}

/** A static member came back under a new id: the old id is fenced, and the place is kept if nothing else changed. */
function replaceStaticMember(step: Step, old: Member): void {
  const { group, event, config, now, effects } = step
  const oldLeaderId = group.leaderId
  const selectedBefore = group.protocolName
  const metadataBefore = selectedBefore === null ? null : memberMetadata(old, selectedBefore)
  failParked(group, old, ErrorCode.FENCED_INSTANCE_ID, effects)
  effects.push({ type: 'cancel', timer: `session:${old.memberId}` })

  const member = takePlace(group, old, event.newMemberId)
  member.protocols = event.protocols
  member.clientId = event.clientId
  member.clientHost = event.clientHost
  member.sessionTimeoutMs = event.sessionTimeoutMs
  member.rebalanceTimeoutMs = event.rebalanceTimeoutMs
  refreshSession(member, now)
  effects.push({ type: 'schedule', timer: `session:${member.memberId}`, delayMs: member.sessionTimeoutMs })

  const unchanged =
    group.state === 'Stable' &&
    selectProtocol(group) === selectedBefore &&
    metadataBefore !== null &&
    memberMetadata(member, selectedBefore!).equals(metadataBefore)
  if (!unchanged) {
    member.awaitingJoin = event.token
    prepareRebalance(group, config, now, effects)
    return
  }
  const leads = isLeader(group, member.memberId)
  const base = joinSuccess(group, member.memberId)
  // Before v9 a returning leader cannot be told to keep the assignment; naming its old id as leader keeps it from computing one.
  const joinReply = event.supportsSkippingAssignment
    ? { ...base, skipAssignment: leads, members: leads ? membersForLeader(group) : [] }
    : { ...base, leaderId: oldLeaderId ?? '', members: [] }
  effects.push({
    type: 'store',
    purpose: { kind: 'static-replacement', token: event.token, reply: joinReply, oldMemberId: old.memberId, memberId: member.memberId },
    assignments: null,
  })
}

/** Puts the member under a new id, keeping its order among the others and its leadership. */
export function takePlace(group: Group, old: Member, memberId: string): Member {
  const member: Member = { ...old, memberId, awaitingJoin: null, awaitingSync: null }
  const ordered = [...group.members.values()]
  group.members.clear()
  for (const each of ordered)
    group.members.set(each.memberId === old.memberId ? memberId : each.memberId, each.memberId === old.memberId ? member : each)
  if (member.instanceId !== null) group.staticMembers.set(member.instanceId, memberId)
  if (group.leaderId === old.memberId) group.leaderId = memberId
  if (group.pendingSyncMembers.delete(old.memberId)) group.pendingSyncMembers.add(memberId)
  return member
}

function reply(step: Step, joinReply: ReturnType<typeof joinFailure>): void {
  step.effects.push({ type: 'reply', token: step.event.token, reply: joinReply })
}
