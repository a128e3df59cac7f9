import { ErrorCode } from '../wire/errors.ts'
import type {
  Group,
  GroupConfig,
  GroupEffect,
  GroupEvent,
  HeartbeatEvent,
  LeaveEvent,
  LeaveReply,
  Member,
  StoredEvent,
  SyncEvent,
  TimerEvent,
  Now,
} from './group-types.ts'
import { join, takePlace } from './join.ts'
import { checkMember, isLeader, joinFailure, refreshSession, removeMember, syncFailure, syncSuccess, transition } from './membership.ts'
import { completeRebalanceIfReady, onRebalanceTimer, onSyncTimer, prepareRebalance } from './rebalance.ts'

/**
 * The classic group protocol, one event at a time.
 *
 * | state               | join              | sync                      | heartbeat             | leave, expiry      | stored           |
 * |---------------------|-------------------|---------------------------|-----------------------|--------------------|------------------|
 * | Empty               | PreparingRebalance| UNKNOWN_MEMBER_ID         | UNKNOWN_MEMBER_ID     | -                  | -                |
 * | PreparingRebalance  | parked            | REBALANCE_IN_PROGRESS     | REBALANCE_IN_PROGRESS | maybe completes    | -                |
 * | CompletingRebalance | maybe rebalances  | parked; leader's: stored  | alive                 | PreparingRebalance | Stable           |
 * | Stable              | maybe rebalances  | the assignment            | alive                 | PreparingRebalance | static member in |
 * | Dead                | COORDINATOR_NOT_AVAILABLE to everything                                                                |
 *
 * The step changes `group` in place and returns what is to be done; the same group, events and times give the same effects.
 */
export function step(group: Group, event: GroupEvent, config: GroupConfig, now: Now): GroupEffect[] {
  const effects: GroupEffect[] = []
  switch (event.type) {
    case 'join':
      join(group, event, config, now, effects)
      break
    case 'sync':
      sync(group, event, now, effects)
      break
    case 'heartbeat':
      effects.push({ type: 'reply', token: event.token, reply: { kind: 'heartbeat', errorCode: heartbeat(group, event, now) } })
      break
    case 'leave':
      effects.push({ type: 'reply', token: event.token, reply: leave(group, event, config, now, effects) })
      break
    case 'timer':
      onTimer(group, event, config, now, effects)
      break
    case 'stored':
      onStored(group, event, config, now, effects)
      break
  }
  return effects
}

function sync(group: Group, event: SyncEvent, now: Now, effects: GroupEffect[]): void {
  const refuse = (errorCode: ErrorCode) => effects.push({ type: 'reply', token: event.token, reply: syncFailure(errorCode) })
  if (group.state === 'Dead') return void refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const unknown = checkMember(group, event.memberId, event.instanceId)
  if (unknown !== ErrorCode.NONE) return void refuse(unknown)
  if (event.generationId !== group.generationId) return void refuse(ErrorCode.ILLEGAL_GENERATION)
  const mismatch =
    (event.protocolType !== null && event.protocolType !== group.protocolType) ||
    (event.protocolName !== null && event.protocolName !== group.protocolName)
  if (mismatch) return void refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)

  const member = group.members.get(event.memberId)!
  switch (group.state) {
    case 'PreparingRebalance':
      refuse(ErrorCode.REBALANCE_IN_PROGRESS)
      return
    case 'CompletingRebalance':
      group.pendingSyncMembers.delete(member.memberId)
      if (member.awaitingSync !== null)
        effects.push({ type: 'reply', token: member.awaitingSync, reply: syncFailure(ErrorCode.REBALANCE_IN_PROGRESS) })
      member.awaitingSync = event.token
      refreshSession(member, now)
      if (isLeader(group, member.memberId)) storeAssignment(group, event, effects)
      return
    case 'Stable':
      group.pendingSyncMembers.delete(member.memberId)
      refreshSession(member, now)
      effects.push({ type: 'reply', token: event.token, reply: syncSuccess(group, member) })
      return
    default:
      refuse(ErrorCode.UNKNOWN_MEMBER_ID)
  }
}

function storeAssignment(group: Group, event: SyncEvent, effects: GroupEffect[]): void {
  const given = new Map(event.assignments.map((each) => [each.memberId, each.assignment]))
  const assignments = new Map<string, Buffer>()
  for (const memberId of group.members.keys()) assignments.set(memberId, given.get(memberId) ?? Buffer.alloc(0))
  for (const [memberId, member] of group.members) member.assignment = assignments.get(memberId)!
  effects.push({ type: 'store', purpose: { kind: 'assignment', generationId: group.generationId }, assignments })
}

function heartbeat(group: Group, event: HeartbeatEvent, now: Now): ErrorCode {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const unknown = checkMember(group, event.memberId, event.instanceId)
  if (unknown !== ErrorCode.NONE) return unknown
  if (event.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  refreshSession(group.members.get(event.memberId)!, now)
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

function leave(group: Group, event: LeaveEvent, config: GroupConfig, now: Now, effects: GroupEffect[]): LeaveReply {
  let changed = false
  const members = event.members.map(({ memberId, instanceId }) => {
    const answer = (errorCode: ErrorCode) => ({ memberId, instanceId, errorCode })
    if (group.state === 'Dead') return answer(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    // Administrators remove a static member by its instance id alone.
    const actualId = memberId === '' && instanceId !== null ? group.staticMembers.get(instanceId) : memberId
    if (actualId !== undefined && group.pendingMembers.delete(actualId)) {
      effects.push({ type: 'cancel', timer: `pending:${actualId}` })
      changed = true
      return answer(ErrorCode.NONE)
    }
    if (actualId === undefined) return answer(ErrorCode.UNKNOWN_MEMBER_ID)
    const unknown = checkMember(group, actualId, instanceId)
    if (unknown !== ErrorCode.NONE) return answer(unknown)
    removeMember(group, group.members.get(actualId)!, effects)
    changed = true
    return answer(ErrorCode.NONE)
  })
  if (changed) membershipShrank(group, config, now, effects)
  return { kind: 'leave', members }
}

function membershipShrank(group: Group, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') prepareRebalance(group, config, now, effects)
  else completeRebalanceIfReady(group, now, effects)
}

function onTimer(group: Group, event: TimerEvent, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  if (event.timer === 'rebalance') return onRebalanceTimer(group, config, now, effects)
  if (event.timer === 'sync') return onSyncTimer(group, config, now, effects)
  if (event.timer.startsWith('pending:')) {
    if (group.pendingMembers.delete(event.timer.slice('pending:'.length))) completeRebalanceIfReady(group, now, effects)
    return
  }
  const member = group.members.get(event.timer.slice('session:'.length))
  if (member) onSessionTimer(group, member, config, now, effects)
}

/** Signs of life move the deadline, not the timer: it is set again for what is left of it. */
function onSessionTimer(group: Group, member: Member, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  const waits = member.awaitingSync !== null || (member.awaitingJoin !== null && !member.isNew)
  const remainingMs = waits ? member.sessionTimeoutMs : member.sessionDeadlineMs - now.monotonicMs
  if (remainingMs > 0) {
    effects.push({ type: 'schedule', timer: `session:${member.memberId}`, delayMs: remainingMs })
    return
  }
  removeMember(group, member, effects)
  membershipShrank(group, config, now, effects)
}

function onStored(group: Group, event: StoredEvent, config: GroupConfig, now: Now, effects: GroupEffect[]): void {
  const { purpose, errorCode } = event
  if (purpose.kind === 'empty') return
  if (purpose.kind === 'static-replacement') {
    if (errorCode !== ErrorCode.NONE) {
      const replacement = group.members.get(purpose.memberId)
      if (replacement) takePlace(group, replacement, purpose.oldMemberId)
      effects.push({ type: 'reply', token: purpose.token, reply: joinFailure(errorCode, purpose.memberId) })
    } else effects.push({ type: 'reply', token: purpose.token, reply: purpose.reply })
    return
  }
  // Another generation may have begun while the append was under way; then this outcome concerns nobody any more.
  if (group.state !== 'CompletingRebalance' || group.generationId !== purpose.generationId) return
  if (errorCode === ErrorCode.NONE) {
    transition(group, 'Stable', now)
    for (const member of group.members.values()) {
      if (member.awaitingSync === null) continue
      effects.push({ type: 'reply', token: member.awaitingSync, reply: syncSuccess(group, member) })
      member.awaitingSync = null
      refreshSession(member, now)
    }
    return
  }
  for (const member of group.members.values()) {
    member.assignment = Buffer.alloc(0)
    if (member.awaitingSync === null) continue
    effects.push({ type: 'reply', token: member.awaitingSync, reply: syncFailure(errorCode) })
    member.awaitingSync = null
  }
  prepareRebalance(group, config, now, effects)
}
