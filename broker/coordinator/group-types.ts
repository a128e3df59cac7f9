import type { ErrorCode } from '../wire/errors.ts'

/**
 * A classic consumer group as its coordinator holds it.
 *
 * Only `step` (group-step.ts) and `replay` (group-records.ts) write to a `Group`; everyone else reads. Nothing in here
 * knows the network, the log or the clock: time comes in with events, and what is to happen goes out as effects.
 */

/**
 * Empty -> PreparingRebalance: first join
 * PreparingRebalance -> CompletingRebalance: every member joined, or the rebalance timed out
 * PreparingRebalance -> Empty: no member left when the rebalance completes
 * CompletingRebalance -> Stable: the leader's assignment is stored
 * CompletingRebalance -> PreparingRebalance: a join, leave or expiry meanwhile
 * Stable -> PreparingRebalance: a join, a changed subscription, a leave or an expiry
 * Empty -> Dead: deleted, or its last offset expired
 */
export type GroupStateName = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface Protocol {
  readonly name: string
  /** Opaque to the coordinator: "consumer", "connect", "sr" and others put their own content here. */
  readonly metadata: Buffer
}

/** Stands for a parked request; the driver knows whom to answer. */
export type ReplyToken = number

export interface Member {
  memberId: string
  /** `group.instance.id` of a static member (KIP-345). */
  instanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly Protocol[]
  /** What the leader assigned in this generation; empty before. */
  assignment: Buffer
  /** Monotonic; moved on by every sign of life. The session timer looks at it when it fires. */
  sessionDeadlineMs: number
  awaitingJoin: ReplyToken | null
  awaitingSync: ReplyToken | null
  /** Joined and never answered yet: kept alive while it waits, as it cannot heartbeat. */
  isNew: boolean
}

export interface CommittedOffset {
  readonly offset: number
  /** -1 when the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
}

export interface Group {
  readonly groupId: string
  state: GroupStateName
  /** When the state last changed; offsets of an empty group expire counting from here. */
  stateTimestampMs: number
  generationId: number
  /** Null for a group that only ever committed offsets without members. */
  protocolType: string | null
  protocolName: string | null
  leaderId: string | null
  readonly members: Map<string, Member>
  /** instanceId -> memberId. */
  readonly staticMembers: Map<string, string>
  /** Ids handed out with MEMBER_ID_REQUIRED that have not come back yet (KIP-394). */
  readonly pendingMembers: Set<string>
  /** Members that were told the generation and have not sent SyncGroup yet. */
  readonly pendingSyncMembers: Set<string>
  /** A member joined during the initial delay, which is then extended (KIP-134). */
  newMemberAdded: boolean
  /** While waiting for the first members of an empty group: how much the delay may still be extended. */
  initialDelayRemainingMs: number | null
  /** topic -> partition -> committed offset. */
  readonly offsets: Map<string, Map<number, CommittedOffset>>
}

export interface GroupConfig {
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number
  /** group.max.size */
  readonly maxSize: number
  /** offset.metadata.max.bytes */
  readonly offsetMetadataMaxBytes: number
  /** offsets.retention.minutes, in milliseconds */
  readonly offsetsRetentionMs: number
}

/** Both clocks at one moment: sessions run on the monotonic one, which nobody sets; what is stored carries the wall's. */
export interface Now {
  readonly wallMs: number
  readonly monotonicMs: number
}

// ---------------------------------------------------------------------------------------------------------------- events

/** What a member asks for when it joins; JoinGroup's fields. */
export interface JoinRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** JoinGroup v4+: a dynamic member must come back with the id it is given (KIP-394). */
  readonly requiresKnownMemberId: boolean
  /** JoinGroup v9+: a returning static leader can be told to keep the assignment (KIP-814). */
  readonly supportsSkippingAssignment: boolean
}

export interface JoinEvent extends JoinRequest {
  readonly type: 'join'
  readonly token: ReplyToken
  /** Becomes the id of a member that came without one; drawn by the driver, as the step draws nothing. */
  readonly newMemberId: string
}

export interface SyncEvent {
  readonly type: 'sync'
  readonly token: ReplyToken
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
  /** SyncGroup v5+; null: not said, not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface HeartbeatEvent {
  readonly type: 'heartbeat'
  readonly token: ReplyToken
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
}

export interface LeaveEvent {
  readonly type: 'leave'
  readonly token: ReplyToken
  readonly members: readonly { readonly memberId: string; readonly instanceId: string | null }[]
}

export type GroupTimer = 'rebalance' | 'sync' | `session:${string}` | `pending:${string}`

export interface TimerEvent {
  readonly type: 'timer'
  readonly timer: GroupTimer
}

/** The group record appended for `generationId` is committed, or could not be. */
export interface StoredEvent {
  readonly type: 'stored'
  readonly purpose: StorePurpose
  readonly errorCode: ErrorCode
}

export type GroupEvent = JoinEvent | SyncEvent | HeartbeatEvent | LeaveEvent | TimerEvent | StoredEvent

// --------------------------------------------------------------------------------------------------------------- effects

export interface JoinReply {
  readonly kind: 'join'
  readonly errorCode: ErrorCode
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly skipAssignment: boolean
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly instanceId: string | null; readonly metadata: Buffer }[]
}

export interface SyncReply {
  readonly kind: 'sync'
  readonly errorCode: ErrorCode
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface HeartbeatReply {
  readonly kind: 'heartbeat'
  readonly errorCode: ErrorCode
}

export interface LeaveReply {
  readonly kind: 'leave'
  readonly members: readonly { readonly memberId: string; readonly instanceId: string | null; readonly errorCode: ErrorCode }[]
}

/** Said to whatever is parked when the coordinator moves away. */
export interface RefusedReply {
  readonly kind: 'refused'
  readonly errorCode: ErrorCode
}

export type GroupReply = JoinReply | SyncReply | HeartbeatReply | LeaveReply | RefusedReply

/** Why a group record is written, so that the outcome finds its way back. */
export type StorePurpose =
  | { readonly kind: 'assignment'; readonly generationId: number }
  | { readonly kind: 'empty'; readonly generationId: number }
  | {
      readonly kind: 'static-replacement'
      readonly token: ReplyToken
      readonly reply: JoinReply
      readonly oldMemberId: string
      readonly memberId: string
    }

export type GroupEffect =
  | { readonly type: 'reply'; readonly token: ReplyToken; readonly reply: GroupReply }
  /** Append the group's record as given and report the outcome with a `stored` event. */
  | { readonly type: 'store'; readonly purpose: StorePurpose; readonly assignments: ReadonlyMap<string, Buffer> | null }
  /** Replaces a running timer of the same name. */
  | { readonly type: 'schedule'; readonly timer: GroupTimer; readonly delayMs: number }
  | { readonly type: 'cancel'; readonly timer: GroupTimer }

export function createGroup(groupId: string, now: Now): Group {
  return {
    groupId,
    state: 'Empty',
    stateTimestampMs: now.wallMs,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Set(),
    pendingSyncMembers: new Set(),
    newMemberAdded: false,
    initialDelayRemainingMs: null,
    offsets: new Map(),
  }
}
