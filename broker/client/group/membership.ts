/**
 * One member of a classic group as the coordinator sees it: join, sync, heartbeat, leave.
 *
 *   unjoined -> joining    `join`
 *   joining  -> stable     the coordinator has given an assignment
 *   stable   -> unjoined   a heartbeat says that the group rebalances; the membership stands, `join` goes on with it
 *   stable   -> unjoined   the membership is lost (fenced, expired): `wasLost`, and `join` begins as somebody new
 *   any      -> closed     left
 *
 * Requests travel on a lane of their own: a parked join must hold up nobody else, least of all another member.
 */
import { joinGroup } from '../../api/11-join-group.schema.ts'
import { heartbeat } from '../../api/12-heartbeat.schema.ts'
import { leaveGroup } from '../../api/13-leave-group.schema.ts'
import { syncGroup } from '../../api/14-sync-group.schema.ts'
import type { Timer } from '../../env/types.ts'
import type { ApiDefinition } from '../../net/request-channel.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Decoded, Encodable } from '../../wire/schema.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { VersionBounds } from '../broker-connection.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { AssignorName } from '../group-types.ts'
import type { AssignorMember, PartitionCounts } from './assignor-types.ts'
import { assignors } from './assignors.ts'
import { CONSUMER_PROTOCOL_TYPE, decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts'

export interface MembershipOptions {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  readonly assignors: readonly AssignorName[]
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly lane: string
  readonly onWarning: (error: ClientError) => void
}

/** One member in one generation. */
export interface MemberIdentity {
  readonly memberId: string
  readonly generationId: number
}

type JoinReply = Decoded<typeof joinGroup.response>

const STATIC_MEMBERS_SINCE = { join: 5, sync: 3, heartbeat: 3, commit: 7 }
/** A join is answered when the rebalance ends, at the latest after its timeout. */
const JOIN_GRACE_MS = 5_000

export class Membership {
  state: 'unjoined' | 'joining' | 'stable' | 'closed' = 'unjoined'
  memberId = ''
  generationId = -1
  /** What was assigned is somebody else's already. The owner takes note and resets it. */
  wasLost = false
  /** Counts at the last assignment, on the leader; a change calls for another. */
  partitionCounts: PartitionCounts | null = null
  /** The group will not have this member, whatever it tries. */
  fatal: ClientError | null = null
  readonly #core: ClientCore
  readonly #options: MembershipOptions
  #heartbeatTimer: Timer | null = null
  #lastHeartbeatMs = 0
  /** Set by polls; without them for too long the member makes room for others. */
  lastPollMs = 0

  constructor(core: ClientCore, options: MembershipOptions) {
    this.#core = core
    this.#options = options
  }

  /** One rebalance: resolves with what this member gets. Retries until then, or the call is over, or the group refuses for good. */
  async join(owned: readonly TopicPartition[], call: Call): Promise<readonly TopicPartition[]> {
    this.#stopHeartbeat()
    this.state = 'joining'
    for (let failureCount = 0; ; failureCount++) {
      try {
        const joined = await this.#join(this.wasLost ? [] : owned, call)
        const assignment = await this.#sync(joined, call)
        this.state = 'stable'
        this.#lastHeartbeatMs = this.#core.env.clock.monotonicMs()
        this.#scheduleHeartbeat()
        return assignment
      } catch (error) {
        const failure = ClientError.from(error)
        if (!this.#mayJoinAgain(failure)) {
          this.state = 'unjoined'
          throw failure
        }
        if (!immediate.has(failure.kafkaError ?? -1)) {
          this.#options.onWarning(failure)
          await call.pause(this.#core.retryDelayMs(failureCount), failure)
        }
      }
    }
  }

  get identity(): MemberIdentity {
    return { memberId: this.memberId, generationId: this.generationId }
  }

  isStill({ memberId, generationId }: MemberIdentity): boolean {
    return this.memberId === memberId && this.generationId === generationId
  }

  /** Bounds for requests that a static member must be able to name itself in. */
  bounds(minVersion: number): VersionBounds {
    return this.#options.groupInstanceId === null ? {} : { minVersion }
  }

  get commitBounds(): VersionBounds {
    return this.bounds(STATIC_MEMBERS_SINCE.commit)
  }

  /** Asks the coordinator; finds it first, and forgets it when it does not answer as one. */
  async ask<A extends ApiDefinition>(
    api: A,
    body: Encodable<A['request']>,
    call: Call,
    options: VersionBounds & { readonly attemptMs?: number } = {},
  ): Promise<Decoded<A['response']>> {
    const { groupId, lane } = this.#options
    const coordinator = await this.#core.coordinators.of(groupId, 'group', call)
    try {
      return await this.#core.requestNode(coordinator, api, body, call, { ...options, lane })
    } catch (error) {
      this.#core.coordinators.forget(groupId)
      throw error
    }
  }

  /** Takes note of what an answer's error says about coordinator and membership. */
  noteError(kafkaError: number): void {
    if (coordinatorErrors.has(kafkaError)) this.#core.coordinators.forget(this.#options.groupId)
    if (kafkaError === ErrorCode.REBALANCE_IN_PROGRESS) this.#rejoin()
    if (kafkaError === ErrorCode.ILLEGAL_GENERATION || kafkaError === ErrorCode.UNKNOWN_MEMBER_ID) this.#lose()
    if (kafkaError === ErrorCode.FENCED_INSTANCE_ID) {
      this.fatal = ClientError.ofBroker(
        kafkaError,
        `Another consumer has taken the name "${this.#options.groupInstanceId}" in group "${this.#options.groupId}"`,
      )
      this.#lose()
    }
  }

  /** The group is to rebalance, by this member's own wish. */
  requestRejoin(): void {
    this.#rejoin()
  }

  /** Static members stay: their place is kept for the session's time. */
  async leave(call: Call): Promise<void> {
    this.#stopHeartbeat()
    const { memberId, state } = this
    const { groupId, groupInstanceId } = this.#options
    this.state = 'closed'
    if (memberId === '' || groupInstanceId !== null || state === 'closed') return
    await this.ask(
      leaveGroup,
      { groupId, memberId, members: [{ memberId, groupInstanceId: null, reason: 'the consumer was closed' }] },
      call,
    )
  }

  // --------------------------------------------------------------------------------------------------------- join, sync

  async #join(owned: readonly TopicPartition[], call: Call): Promise<JoinReply> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, topics } = this.#options
    const metadata = encodeSubscription({ topics, ownedPartitions: owned, generationId: owned.length > 0 ? this.generationId : -1 })
    const reply = await this.ask(
      joinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.memberId,
        groupInstanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocols: this.#options.assignors.map((name) => ({ name, metadata })),
      },
      call,
      { ...this.bounds(STATIC_MEMBERS_SINCE.join), attemptMs: rebalanceTimeoutMs + JOIN_GRACE_MS },
    )
    if (reply.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = reply.memberId
    this.#check(reply.errorCode, joinGroup.name)
    this.memberId = reply.memberId
    this.generationId = reply.generationId
    return reply
  }

  async #sync(joined: JoinReply, call: Call): Promise<readonly TopicPartition[]> {
    const { groupId, groupInstanceId, rebalanceTimeoutMs } = this.#options
    const isLeader = joined.leader === this.memberId
    const assignments = isLeader && !joined.skipAssignment ? await this.#assign(joined, call) : []
    if (!isLeader) this.partitionCounts = null
    const reply = await this.ask(
      syncGroup,
      {
        groupId,
        generationId: this.generationId,
        memberId: this.memberId,
        groupInstanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocolName: joined.protocolName,
        assignments,
      },
      call,
      { ...this.bounds(STATIC_MEMBERS_SINCE.sync), attemptMs: rebalanceTimeoutMs + JOIN_GRACE_MS },
    )
    this.#check(reply.errorCode, syncGroup.name)
    const assignment = decodeAssignment(reply.assignment)
    if (assignment === null)
      throw new ClientError('MALFORMED_REPLY', `The leader of group "${groupId}" assigned what is no consumer assignment.`)
    return assignment
  }

  async #assign(joined: JoinReply, call: Call): Promise<{ memberId: string; assignment: Buffer }[]> {
    const members: AssignorMember[] = joined.members.map(({ memberId, groupInstanceId, metadata }) => {
      const subscription = decodeSubscription(metadata)
      if (subscription !== null) return { memberId, groupInstanceId, subscription }
      throw new ClientError(
        'MALFORMED_REPLY',
        `Member "${memberId}" of group "${this.#options.groupId}" sent a subscription that cannot be read.`,
      )
    })
    const topics = [...new Set(members.flatMap(({ subscription }) => subscription.topics))]
    await this.#core.cache.refresh(topics, call)
    const counts = partitionCountsOf(this.#core, topics)
    this.partitionCounts = counts
    const assignor = assignors[joined.protocolName as AssignorName]
    return Array.from(assignor(members, counts), ([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) }))
  }

  #check(errorCode: number, api: string): void {
    if (errorCode === ErrorCode.NONE) return
    this.noteError(errorCode)
    throw ClientError.ofBroker(errorCode, `Group "${this.#options.groupId}" did not take this member`, { api })
  }

  #mayJoinAgain(failure: ClientError): boolean {
    if (this.state === 'closed' || this.fatal !== null) return false
    if (failure.kafkaError === null) return failure.retriable || failure.code === 'DEADLINE_EXCEEDED'
    return failure.retriable || immediate.has(failure.kafkaError)
  }

  // ---------------------------------------------------------------------------------------------------------- heartbeats

  #scheduleHeartbeat(): void {
    this.#stopHeartbeat()
    this.#heartbeatTimer = this.#core.env.timers.after(this.#options.heartbeatIntervalMs, () => void this.#heartbeat())
  }

  #stopHeartbeat(): void {
    this.#heartbeatTimer?.cancel()
    this.#heartbeatTimer = null
  }

  async #heartbeat(): Promise<void> {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, onWarning } = this.#options
    const nowMs = this.#core.env.clock.monotonicMs()
    if (nowMs - this.lastPollMs > rebalanceTimeoutMs) {
      onWarning(
        new ClientError(
          'DEADLINE_EXCEEDED',
          `Group "${groupId}" was not polled for ${rebalanceTimeoutMs} ms: this consumer leaves it, so that others read on.`,
        ),
      )
      await this.#leaveForOthers()
      return
    }
    const { identity } = this
    // An answer that comes after the next join has begun says nothing of that.
    const isCurrent = (): boolean => this.state === 'stable' && this.isStill(identity)
    const call = this.#core.call('Heartbeat', { timeoutMs: sessionTimeoutMs })
    try {
      const reply = await this.ask(heartbeat, { groupId, groupInstanceId, ...identity }, call, this.bounds(STATIC_MEMBERS_SINCE.heartbeat))
      if (!isCurrent()) return
      if (reply.errorCode === ErrorCode.NONE) this.#lastHeartbeatMs = this.#core.env.clock.monotonicMs()
      else this.noteError(reply.errorCode)
    } catch (error) {
      onWarning(ClientError.from(error))
      // Nobody has heard of this member for a session: it has been taken out.
      if (isCurrent() && this.#core.env.clock.monotonicMs() - this.#lastHeartbeatMs > sessionTimeoutMs) this.#lose()
    }
    if (isCurrent()) this.#scheduleHeartbeat()
  }

  async #leaveForOthers(): Promise<void> {
    const { groupId, groupInstanceId, sessionTimeoutMs, onWarning } = this.#options
    const { memberId } = this
    this.#lose()
    // A static member's place is freed by its session alone.
    if (groupInstanceId !== null) return
    const call = this.#core.call('Leaving the group', { timeoutMs: sessionTimeoutMs })
    await this.ask(
      leaveGroup,
      { groupId, memberId, members: [{ memberId, groupInstanceId: null, reason: 'not polled in time' }] },
      call,
    ).catch((error: unknown) => onWarning(ClientError.from(error)))
  }

  #rejoin(): void {
    this.#stopHeartbeat()
    if (this.state === 'stable') this.state = 'unjoined'
  }

  #lose(): void {
    this.#rejoin()
    this.memberId = ''
    this.generationId = -1
    this.wasLost = true
  }
}

/** How many partitions each topic has; those that do not exist are absent. */
export function partitionCountsOf(core: ClientCore, topics: readonly string[]): PartitionCounts {
  return new Map(
    topics.flatMap((topic) => {
      const count = core.cache.topic(topic)?.partitions.length ?? 0
      return count === 0 ? [] : [[topic, count] as const]
    }),
  )
}

const coordinatorErrors: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/** Answers after which joining again at once is what the protocol asks for. */
const immediate: ReadonlySet<number> = new Set([
  ErrorCode.MEMBER_ID_REQUIRED,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.REBALANCE_IN_PROGRESS,
])
