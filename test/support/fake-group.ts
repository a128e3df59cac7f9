/** A group coordinator for one group at a time: enough to test members against, from the members' side. */
import { offsetCommit } from '../../broker/api/08-offset-commit.schema.ts'
import { offsetFetch } from '../../broker/api/09-offset-fetch.schema.ts'
import { joinGroup } from '../../broker/api/11-join-group.schema.ts'
import { heartbeat } from '../../broker/api/12-heartbeat.schema.ts'
import { leaveGroup } from '../../broker/api/13-leave-group.schema.ts'
import { syncGroup } from '../../broker/api/14-sync-group.schema.ts'
import type { Env } from '../../broker/env/types.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'
import type { FakeBroker } from './fake-broker.ts'

interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  metadata: Buffer
  assignment: Buffer
  answerJoin: (() => void) | null
  answerSync: (() => void) | null
}

/** How long a rebalance waits for members that do not come back. */
const REBALANCE_MS = 1_000

export class FakeGroup {
  readonly members = new Map<string, Member>()
  readonly commits = new Map<string, number>()
  /** The leader epochs that came with them. */
  readonly commitEpochs = new Map<string, number>()
  generationId = 0
  state: 'stable' | 'joining' | 'syncing' = 'stable'
  /** Answered to the next heartbeat instead of the truth. */
  nextHeartbeatError = ErrorCode.NONE as number
  nextCommitError = ErrorCode.NONE as number
  /** Commits are put off. */
  isLoading = false
  readonly #env: Env
  #nextMember = 1
  #round = 0

  constructor(env: Env, broker: FakeBroker) {
    this.#env = env
    broker.on(joinGroup, ({ body }) =>
      this.#join(body.memberId, body.groupInstanceId, body.protocols[0]?.metadata ?? Buffer.alloc(0), body.protocols[0]?.name ?? ''),
    )
    broker.on(syncGroup, ({ body }) => this.#sync(body))
    broker.on(heartbeat, ({ body }) => ({ throttleTimeMs: 0, errorCode: this.#heartbeat(body.memberId, body.generationId) }))
    broker.on(leaveGroup, ({ body }) => {
      for (const { memberId } of body.members) this.members.delete(memberId)
      if (this.members.size > 0) this.startRebalance()
      return { throttleTimeMs: 0, errorCode: 0, members: [] }
    })
    broker.on(offsetCommit, ({ body }) => {
      const error = this.#takeCommitError(body.memberId, body.generationIdOrMemberEpoch)
      return {
        topics: body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch }) => {
            if (error === ErrorCode.NONE) {
              this.commits.set(`${name}-${partitionIndex}`, committedOffset)
              this.commitEpochs.set(`${name}-${partitionIndex}`, committedLeaderEpoch)
            }
            return { partitionIndex, errorCode: error }
          }),
        })),
      }
    })
    broker.on(offsetFetch, ({ body }) => ({
      groups: body.groups.map(({ groupId, topics }) => ({
        groupId,
        errorCode: 0,
        topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            committedOffset: this.commits.get(`${name}-${partitionIndex}`) ?? -1,
            committedLeaderEpoch: this.commitEpochs.get(`${name}-${partitionIndex}`) ?? -1,
            metadata: '',
            errorCode: 0,
          })),
        })),
      })),
    }))
  }

  /** As a new or leaving member makes the coordinator do; heartbeats tell the members. */
  startRebalance(): void {
    if (this.state === 'joining') return
    this.state = 'joining'
    const round = ++this.#round
    this.#env.timers.after(REBALANCE_MS, () => {
      if (round !== this.#round || this.state !== 'joining') return
      for (const [memberId, member] of this.members) if (member.answerJoin === null) this.members.delete(memberId)
      this.#complete()
    })
  }

  #join(given: string, groupInstanceId: string | null, metadata: Buffer, protocolName: string) {
    const refused = { throttleTimeMs: 0, generationId: -1, protocolName: '', leader: '', members: [] }
    if (given !== '' && !this.members.has(given) && !given.startsWith('pending'))
      return { ...refused, errorCode: ErrorCode.UNKNOWN_MEMBER_ID, memberId: given }
    if (given === '' && groupInstanceId === null)
      return { ...refused, errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId: `pending-${this.#nextMember++}` }
    const memberId = given === '' ? `static-${groupInstanceId}` : given
    const member = this.members.get(memberId) ?? {
      memberId,
      groupInstanceId,
      metadata,
      assignment: Buffer.alloc(0),
      answerJoin: null,
      answerSync: null,
    }
    member.metadata = metadata
    this.members.set(memberId, member)
    this.startRebalance()
    const answer = Promise.withResolvers<void>()
    member.answerJoin = answer.resolve
    if ([...this.members.values()].every(({ answerJoin }) => answerJoin !== null)) this.#complete()
    return answer.promise.then(() => {
      const leader = this.members.keys().next().value as string
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        generationId: this.generationId,
        protocolType: 'consumer',
        protocolName,
        leader,
        memberId,
        members:
          leader === memberId
            ? [...this.members.values()].map((one) => ({
                memberId: one.memberId,
                groupInstanceId: one.groupInstanceId,
                metadata: one.metadata,
              }))
            : [],
      }
    })
  }

  #complete(): void {
    this.generationId++
    this.state = 'syncing'
    for (const member of this.members.values()) {
      member.answerJoin?.()
      member.answerJoin = null
    }
  }

  #sync(body: { memberId: string; generationId: number; assignments: { memberId: string; assignment: Buffer }[] }) {
    const answerOf = (errorCode: number, assignment: Buffer = Buffer.alloc(0)) => ({ throttleTimeMs: 0, errorCode, assignment })
    const member = this.members.get(body.memberId)
    if (member === undefined) return answerOf(ErrorCode.UNKNOWN_MEMBER_ID)
    if (body.generationId !== this.generationId || this.state === 'joining') return answerOf(ErrorCode.REBALANCE_IN_PROGRESS)
    if (body.assignments.length > 0) {
      for (const { memberId, assignment } of body.assignments) {
        const assigned = this.members.get(memberId)
        if (assigned !== undefined) assigned.assignment = Buffer.from(assignment)
      }
      this.state = 'stable'
      for (const waiting of this.members.values()) {
        waiting.answerSync?.()
        waiting.answerSync = null
      }
    }
    if (this.state === 'stable') return answerOf(0, member.assignment)
    const answer = Promise.withResolvers<void>()
    member.answerSync = answer.resolve
    return answer.promise.then(() => answerOf(0, member.assignment))
  }

  #heartbeat(memberId: string, generationId: number): number {
    const forced = this.nextHeartbeatError
    this.nextHeartbeatError = ErrorCode.NONE
    if (forced !== ErrorCode.NONE) return forced
    return this.#membershipError(memberId, generationId) || (this.state === 'joining' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE)
  }

  #takeCommitError(memberId: string, generationId: number): number {
    const forced = this.nextCommitError
    this.nextCommitError = ErrorCode.NONE
    if (this.isLoading) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    return forced || this.#membershipError(memberId, generationId)
  }

  #membershipError(memberId: string, generationId: number): number {
    if (!this.members.has(memberId)) return ErrorCode.UNKNOWN_MEMBER_ID
    return generationId === this.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }
}
