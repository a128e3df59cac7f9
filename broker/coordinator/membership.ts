import { ErrorCode } from '../wire/errors.ts'
import type { Group, GroupEffect, GroupStateName, JoinReply, Member, Protocol, SyncReply, Now } from './group-types.ts'

/** Who is in a group and what they have in common: the parts of the group state machine that only look at members. */

const NO_BYTES = Buffer.alloc(0)

export function transition(group: Group, state: GroupStateName, now: Now): void {
  group.state = state
  group.stateTimestampMs = now.wallMs
}

/** Checks a member's claim to be who it says. A static member whose place was taken learns that it is fenced (KIP-345). */
export function checkMember(group: Group, memberId: string, instanceId: string | null): ErrorCode {
  if (instanceId !== null) {
    const current = group.staticMembers.get(instanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

export function refreshSession(member: Member, now: Now): void {
  member.sessionDeadlineMs = now.monotonicMs + member.sessionTimeoutMs
}

export function isLeader(group: Group, memberId: string): boolean {
  return group.leaderId === memberId
}

/** The longest any member asked for: how long a rebalance may take. */
export function groupRebalanceTimeoutMs(group: Group): number {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

export function hasAllMembersJoined(group: Group): boolean {
  if (group.pendingMembers.size > 0) return false
  for (const member of group.members.values()) if (member.awaitingJoin === null) return false
  return true
}

/** A newcomer fits if the type matches and some protocol is known to every present member. */
export function supportsProtocols(group: Group, protocolType: string, protocols: readonly Protocol[]): boolean {
  if (protocolType === '' || protocols.length === 0) return false
  if (group.members.size === 0) return true
  if (group.protocolType !== protocolType) return false
  const common = commonProtocols(group)
  return protocols.some((protocol) => common.has(protocol.name))
}

function commonProtocols(group: Group): Set<string> {
  let common: Set<string> | null = null
  for (const member of group.members.values()) {
    const names = new Set(member.protocols.map((protocol) => protocol.name))
    common = common === null ? names : common.intersection(names)
  }
  return common ?? new Set()
}

/** Every member votes for the first of its protocols that all of them know; most votes win, ties by first seen. */
export function selectProtocol(group: Group): string {
  const common = commonProtocols(group)
  const votes = new Map<string, number>()
  for (const member of group.members.values()) {
    const choice = member.protocols.find((protocol) => common.has(protocol.name))
    if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let selected: string | null = null
  for (const [name, count] of votes) if (selected === null || count > votes.get(selected)!) selected = name
  if (selected === null) throw new Error(`group ${group.groupId} has members without a protocol in common`)
  return selected
}

export function sameProtocols(left: readonly Protocol[], right: readonly Protocol[]): boolean {
  return (
    left.length === right.length &&
    left.every((protocol, index) => protocol.name === right[index]!.name && protocol.metadata.equals(right[index]!.metadata))
  )
}

export function memberMetadata(member: Member, protocolName: string): Buffer {
  return member.protocols.find((protocol) => protocol.name === protocolName)?.metadata ?? NO_BYTES
}

export function addMember(group: Group, member: Member, protocolType: string): void {
  if (group.members.size === 0) group.protocolType = protocolType
  group.members.set(member.memberId, member)
  if (member.instanceId !== null) group.staticMembers.set(member.instanceId, member.memberId)
  group.leaderId ??= member.memberId
  group.pendingMembers.delete(member.memberId)
}

/** Takes a member out; whoever waits on its behalf is told that it is unknown. */
export function removeMember(group: Group, member: Member, effects: GroupEffect[]): void {
  group.members.delete(member.memberId)
  group.pendingSyncMembers.delete(member.memberId)
  if (member.instanceId !== null && group.staticMembers.get(member.instanceId) === member.memberId)
    group.staticMembers.delete(member.instanceId)
  if (group.leaderId === member.memberId) group.leaderId = group.members.keys().next().value ?? null
  effects.push({ type: 'cancel', timer: `session:${member.memberId}` })
  failParked(group, member, ErrorCode.UNKNOWN_MEMBER_ID, effects)
}

/** Answers what the member has parked, if anything, with an error. */
export function failParked(group: Group, member: Member, errorCode: ErrorCode, effects: GroupEffect[]): void {
  if (member.awaitingJoin !== null) {
    effects.push({ type: 'reply', token: member.awaitingJoin, reply: joinFailure(errorCode, member.memberId) })
    member.awaitingJoin = null
  }
  if (member.awaitingSync !== null) {
    effects.push({ type: 'reply', token: member.awaitingSync, reply: syncFailure(errorCode) })
    member.awaitingSync = null
  }
}

export function joinFailure(errorCode: ErrorCode, memberId: string): JoinReply {
  return {
    kind: 'join',
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: [],
  }
}

export function joinSuccess(group: Group, memberId: string): JoinReply {
  const leads = isLeader(group, memberId)
  return {
    kind: 'join',
    errorCode: ErrorCode.NONE,
    memberId,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId ?? '',
    skipAssignment: false,
    members: leads ? membersForLeader(group) : [],
  }
}

export function membersForLeader(group: Group): JoinReply['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    metadata: memberMetadata(member, group.protocolName ?? ''),
  }))
}

export function syncFailure(errorCode: ErrorCode): SyncReply {
  return { kind: 'sync', errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}

export function syncSuccess(group: Group, member: Member): SyncReply {
  return {
    kind: 'sync',
    errorCode: ErrorCode.NONE,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: member.assignment,
  }
}
