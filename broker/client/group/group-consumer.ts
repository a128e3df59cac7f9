/**
 * A consumer in a group: polls drive it, heartbeats go on between them.
 *
 *   poll -> rebalance when there is no valid assignment -> commit what earlier polls returned -> read
 *
 * Rebalances are eager (everything is given up before joining) unless all assignors offered are cooperative; then only
 * what moves is given up, and the group is joined again at once. Callbacks run one after the other, never during a read.
 */
import type { CallOptions, TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import { cursorKey } from '../consume/partition-cursor.ts'
import { resolvePositions } from '../consume/start-positions.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { GroupConsumer, GroupConsumerOptions, GroupConsumerState, OffsetToCommit, PartitionRecords } from '../group-types.ts'
import { AssignedReader } from './assigned-reader.ts'
import { cooperativeAssignors } from './assignors.ts'
import { commitOffsets, committedOffsets, type MemberPosition } from './committed-offsets.ts'
import { Membership, partitionCountsOf } from './membership.ts'

const DEFAULTS = {
  assignors: ['range', 'cooperative-sticky'],
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3_000,
  rebalanceTimeoutMs: 300_000,
  autoCommitIntervalMs: 5_000,
  maxWaitMs: 500,
} as const
/** The last commit and the farewell of a closing consumer. */
const CLOSE_TIMEOUT_MS = 10_000

export class MemberConsumer implements GroupConsumer {
  readonly #core: ClientCore
  readonly #options: GroupConsumerOptions
  readonly #group: { readonly groupId: string; readonly groupInstanceId: string | null }
  readonly #membership: Membership
  readonly #reader: AssignedReader
  readonly #lane: string
  readonly #readLane: string
  readonly #isCooperative: boolean
  readonly #autoCommitIntervalMs: number | null
  readonly #abort = new AbortController()
  readonly #forgetClose: () => void
  #rebalancing: Promise<void> | null = null
  #nextCommitMs = Infinity
  #committing: Promise<void> | null = null
  /** Settles once all commits asked for so far have. */
  #commitsBefore: Promise<unknown> = Promise.resolve()

  constructor(core: ClientCore, options: GroupConsumerOptions) {
    if (options.topics.length === 0) throw new ClientError('INVALID_ARGUMENT', 'A group consumer needs at least one topic.')
    const assignors = options.assignors ?? DEFAULTS.assignors
    const onWarning = (error: ClientError): void => options.onWarning?.(error)
    this.#core = core
    this.#options = options
    this.#group = { groupId: options.groupId, groupInstanceId: options.groupInstanceId ?? null }
    this.#lane = core.openLane('group')
    this.#isCooperative = assignors.every((name) => cooperativeAssignors.has(name))
    this.#autoCommitIntervalMs = options.autoCommitIntervalMs === undefined ? DEFAULTS.autoCommitIntervalMs : options.autoCommitIntervalMs
    this.#membership = new Membership(core, {
      ...this.#group,
      topics: options.topics,
      assignors,
      sessionTimeoutMs: options.sessionTimeoutMs ?? DEFAULTS.sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? DEFAULTS.heartbeatIntervalMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? DEFAULTS.rebalanceTimeoutMs,
      lane: this.#lane,
      onWarning,
    })
    this.#readLane = core.openLane('group-read')
    this.#reader = new AssignedReader(core, options, this.#readLane, onWarning)
    this.#forgetClose = core.onClose(() => this.close())
  }

  get state(): GroupConsumerState {
    return this.#membership.state
  }

  get memberId(): string {
    return this.#membership.memberId
  }

  get generationId(): number {
    return this.#membership.generationId
  }

  assignment(): readonly TopicPartition[] {
    return this.#reader.partitions
  }

  async poll(options: CallOptions = {}): Promise<PartitionRecords[]> {
    this.#checkOpen()
    const { clock } = this.#core.env
    this.#membership.lastPollMs = clock.monotonicMs()
    const call = this.#core.call(`Polling group "${this.#group.groupId}"`, options)
    if (this.#isAssignmentOld()) this.#membership.requestRejoin()
    if (this.#rebalancing === null && this.#membership.state !== 'stable') this.#startRebalance()
    if (this.#rebalancing !== null) {
      await this.#settledWithin(this.#rebalancing, call)
      if (this.#rebalancing !== null) return []
    }
    this.#commitWhenDue()
    if (this.#reader.partitions.length === 0) {
      await call.pause(Math.min(this.#options.maxWaitMs ?? DEFAULTS.maxWaitMs, call.remainingMs))
      return []
    }
    return this.#reader.read(options)
  }

  async commit(offsets?: readonly OffsetToCommit[], options: CallOptions = {}): Promise<void> {
    this.#checkOpen()
    await this.#commit(offsets ?? this.#reader.positions(), this.#core.call('Committing', options))
  }

  seek(partition: TopicPartition, offset: number): void {
    this.#reader.seek(partition, offset)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#reader.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#reader.resume(partitions)
  }

  async close(options: CallOptions = {}): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    this.#forgetClose()
    const call = this.#core.call('Leaving the group', { timeoutMs: CLOSE_TIMEOUT_MS, ...options })
    const warn = (error: unknown): void => this.#options.onWarning?.(ClientError.from(error))
    await this.#reader.stop()
    if (this.#membership.state === 'stable' && this.#autoCommitIntervalMs !== null)
      await this.#commit(this.#reader.positions(), call).catch(warn)
    await this.#membership.leave(call).catch(warn)
    this.#reader.clear()
    this.#core.closeLane(this.#readLane)
    this.#core.closeLane(this.#lane)
  }

  #checkOpen(): void {
    if (this.#abort.signal.aborted) throw new ClientError('CLOSED', 'The consumer was closed.')
    if (this.#membership.fatal !== null) throw this.#membership.fatal
  }

  // ---------------------------------------------------------------------------------------------------------- rebalances

  #startRebalance(): void {
    const run = this.#rebalance().finally(() => {
      this.#rebalancing = null
    })
    // A poll that waits for it hears of its failure; one that comes later begins anew.
    run.catch(() => undefined)
    this.#rebalancing = run
  }

  /** Waits for the rebalance at most as long as a poll waits for records. */
  async #settledWithin(rebalancing: Promise<void>, call: Call): Promise<void> {
    const maxWaitMs = this.#options.maxWaitMs ?? DEFAULTS.maxWaitMs
    let timer: { cancel(): void } | undefined
    const patience = new Promise<void>((resolve) => {
      timer = this.#core.env.timers.after(maxWaitMs, resolve)
    })
    try {
      await call.race(Promise.race([rebalancing, patience]))
    } finally {
      timer?.cancel()
    }
  }

  async #rebalance(): Promise<void> {
    // Not the poll's own deadline: a rebalance outlives polls.
    const timeoutMs = 2 * (this.#options.rebalanceTimeoutMs ?? DEFAULTS.rebalanceTimeoutMs)
    const call = this.#core.call(`Joining group "${this.#group.groupId}"`, { timeoutMs, signal: this.#abort.signal })
    await this.#giveUpBeforeJoining(call)
    for (;;) {
      const owned = this.#reader.partitions
      const assigned = await this.#membership.join(owned, call)
      const revoked = await this.#adopt(assigned, call)
      if (!(this.#isCooperative && revoked.length > 0)) return
      // What was given up can be given to others only in another round.
      this.#membership.requestRejoin()
    }
  }

  /** Gives up what went to others and begins to read what came; answers what was given up. */
  async #adopt(assigned: readonly TopicPartition[], call: Call): Promise<readonly TopicPartition[]> {
    try {
      await this.#dropIfLost()
      const revoked = without(this.#reader.partitions, assigned)
      if (revoked.length > 0) await this.#revoke(revoked, call)
      await this.#take(assigned, call)
      return revoked
    } catch (error) {
      // The group counts on this member for what it does not read: another round gives it out again.
      if (without(assigned, this.#reader.partitions).length > 0) this.#membership.requestRejoin()
      throw error
    }
  }

  async #giveUpBeforeJoining(call: Call): Promise<void> {
    await this.#dropIfLost()
    if (!this.#isCooperative && this.#reader.partitions.length > 0) await this.#revoke(this.#reader.partitions, call)
  }

  async #dropIfLost(): Promise<void> {
    if (!this.#membership.wasLost) return
    this.#membership.wasLost = false
    const lost = this.#reader.partitions
    this.#reader.assign([], () => null)
    if (lost.length > 0) await this.#options.onLost?.(lost)
  }

  async #revoke(revoked: readonly TopicPartition[], call: Call): Promise<void> {
    if (this.#autoCommitIntervalMs !== null) {
      const names = new Set(revoked.map(cursorKey))
      const offsets = this.#reader.positions().filter((position) => names.has(cursorKey(position)))
      await this.#commit(offsets, call).catch((error: unknown) => this.#options.onWarning?.(ClientError.from(error)))
    }
    await this.#options.onRevoked?.(revoked)
    this.#reader.assign(without(this.#reader.partitions, revoked), () => null)
  }

  async #take(assigned: readonly TopicPartition[], call: Call): Promise<void> {
    const added = without(assigned, this.#reader.partitions)
    const committed =
      added.length === 0 ? new Map<string, MemberPosition>() : await committedOffsets(this.#core, this.#group.groupId, added, call)
    const starts = await this.#startsOf(
      without(
        added,
        added.filter((partition) => committed.has(cursorKey(partition))),
      ),
      call,
    )
    if (added.length > 0)
      this.#reader.assign(assigned, (partition) => committed.get(cursorKey(partition)) ?? starts.get(cursorKey(partition)) ?? null)
    this.#scheduleCommit()
    if (added.length > 0) await this.#options.onAssigned?.(added)
  }

  /** Where partitions without a commit begin, found now so that it can be committed before the first record. */
  async #startsOf(partitions: readonly TopicPartition[], call: Call): Promise<ReadonlyMap<string, MemberPosition>> {
    const from = this.#options.startWithoutCommit ?? 'latest'
    const [first] = partitions
    if (first === undefined) return new Map()
    if (from === 'fail') {
      throw new ClientError(
        'INVALID_ARGUMENT',
        `Group "${this.#group.groupId}" has no committed offset for ${first.topic}-${first.partition}, and was told to start from none.`,
      )
    }
    const resolved = await resolvePositions(
      this.#core,
      partitions.map((partition) => ({ ...partition, from, upTo: null })),
      this.#options.isolation ?? 'read_uncommitted',
      call,
    )
    // A partition without a leader now is looked up again by the reader.
    return new Map(
      partitions.flatMap((partition, index) => {
        const start = resolved[index]
        return start === undefined || start instanceof ClientError ? [] : [[cursorKey(partition), start] as const]
      }),
    )
  }

  /** The leader notices topics that have come, gone or grown. */
  #isAssignmentOld(): boolean {
    const { partitionCounts, state } = this.#membership
    if (partitionCounts === null || state !== 'stable') return false
    const topics = this.#options.topics
    this.#core.cache.ensure(topics, this.#core.call('Looking for new partitions', {})).catch(() => undefined)
    const now = partitionCountsOf(this.#core, topics)
    return topics.some((topic) => now.has(topic) && now.get(topic) !== partitionCounts.get(topic))
  }

  // ------------------------------------------------------------------------------------------------------------- commits

  /** One after the other: one that is tried again must not land behind the next, which is further on. */
  #commit(offsets: readonly OffsetToCommit[], call: Call): Promise<void> {
    const known = offsets.map((offset) => ({ leaderEpoch: this.#reader.leaderEpochOf(offset), ...offset }))
    const commit = { offsets: known, readBy: this.#membership.identity }
    const before = this.#commitsBefore
    const run = (async () => {
      await call.race(before)
      await commitOffsets(this.#core, this.#membership, this.#group, commit, call)
    })()
    this.#commitsBefore = Promise.allSettled([before, run])
    return run
  }

  /** At the start of a poll: everything returned so far has been dealt with by the caller. */
  #commitWhenDue(): void {
    if (this.#committing !== null || this.#core.env.clock.monotonicMs() < this.#nextCommitMs) return
    this.#scheduleCommit()
    const call = this.#core.call('Committing', { timeoutMs: this.#core.options.requestTimeoutMs })
    this.#committing = this.#commit(this.#reader.positions(), call)
      .catch((error: unknown) => this.#options.onWarning?.(ClientError.from(error)))
      .finally(() => {
        this.#committing = null
      })
  }

  #scheduleCommit(): void {
    this.#nextCommitMs = this.#autoCommitIntervalMs === null ? Infinity : this.#core.env.clock.monotonicMs() + this.#autoCommitIntervalMs
  }
}

function without(partitions: readonly TopicPartition[], taken: readonly TopicPartition[]): TopicPartition[] {
  const names = new Set(taken.map(cursorKey))
  return partitions.filter((partition) => !names.has(cursorKey(partition)))
}
