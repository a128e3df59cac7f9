/**
 * Runs the quorum state machine of one node, voter or observer: feeds it events one at a time and carries out what it asks for.
 *
 * Invariants: events are stepped in the order they came; the effects of a step are carried out in order, and those that touch
 * the disk are done before the next one starts; a timer that was replaced or cleared yields no event. The order of appends by
 * the leader is the order of `append` calls, and they are accepted only between the LeaderChange record of an epoch and the
 * end of that leadership.
 */
import { encodeElectionState } from '../quorum/election-state.ts'
import { initialQuorumState, step } from '../quorum/quorum-machine.ts'
import { isVoter } from '../quorum/voter-set.ts'
import type { MetadataRecord } from '../cluster/metadata-records.ts'
import type { Env, Timer } from '../env/types.ts'
import type {
  ElectionState,
  QuorumConfig,
  QuorumEffect,
  QuorumEvent,
  QuorumRequest,
  QuorumResponse,
  QuorumState,
  ReplicaKey,
  SnapshotId,
  VoterSet,
} from '../quorum/types.ts'
import type { AppendedBatch, MetadataLog } from './metadata-log.ts'
import { PendingReplies } from './pending-replies.ts'
import { QuorumFetches } from './quorum-fetches.ts'
import { QuorumSnapshot, type SnapshotRequest } from './quorum-snapshot.ts'
import { QuorumTimers } from './quorum-timers.ts'

/** Events not yet stepped; a request beyond it is not answered, and its sender tries again. */
const QUEUED_EVENTS_MAX = 4_096
/** How long a resigning leader waits for the others to have heard it: they elect sooner for it. */
const RESIGN_WAIT_MS = 500

export interface QuorumPorts {
  /** The response, or null when none came in time. Never rejects. */
  send(to: number, request: QuorumRequest): Promise<QuorumResponse | null>
  /** Fetches that snapshot and keeps it aside. Rejects when it cannot be had, or `signal` gives it up. */
  fetchSnapshot(request: SnapshotRequest): Promise<void>
  /** Makes the snapshot fetched last the state, and restarts the log at its end. */
  installSnapshot(snapshot: SnapshotId): Promise<void>
}

export interface QuorumDriverOptions {
  readonly config: QuorumConfig
  readonly voters: VoterSet
  readonly election: ElectionState
  readonly log: MetadataLog
  readonly ports: QuorumPorts
  /** Called when this node can take no further part. */
  readonly onFailed: (reason: string) => void
}

interface QueuedEvent {
  readonly event: QuorumEvent
  /** For a timer's event: the timer, which may be replaced or cleared while the event waits. */
  readonly timer?: Timer
}

export interface QuorumListener {
  onHighWatermark?(offset: number): void
  /** Role, epoch or leader changed. */
  onRoleChanged?(state: QuorumState): void
}

export class QuorumDriver {
  readonly #env: Env
  readonly #options: QuorumDriverOptions
  readonly #log: MetadataLog
  readonly #isVoter: boolean
  readonly #fetches: QuorumFetches
  readonly #snapshot: QuorumSnapshot
  readonly #listeners = new Set<QuorumListener>()
  readonly #timers: QuorumTimers
  readonly #replies = new PendingReplies<QuorumResponse>()
  /** Resignations sent and not yet answered. */
  readonly #resignations = new Set<Promise<void>>()
  #queue: QueuedEvent[] = []
  #state: QuorumState
  #isPumping = false
  #pumped: Promise<void> = Promise.resolve()
  /** The epoch this node leads and may append in. */
  #openEpoch: number | null = null
  #isClosed = false

  constructor(env: Env, options: QuorumDriverOptions) {
    this.#env = env
    this.#options = options
    this.#log = options.log
    this.#isVoter = isVoter(options.voters, options.config.self.id)
    this.#state = initialQuorumState(options.config, options.voters, options.election)
    this.#timers = new QuorumTimers(env, (name, timer) => this.#enqueue({ type: 'timer', timer: name }, timer))
    this.#fetches = new QuorumFetches(env, {
      log: this.#log,
      answer: (token, response) => this.#replies.answer(token, response),
      askAgain: (token, request) => this.#enqueue({ type: 'request', token, request }),
    })
    this.#snapshot = new QuorumSnapshot({
      log: env.log,
      fetch: (request) => options.ports.fetchSnapshot(request),
      report: (event) => this.#enqueue(event),
    })
    // Followers may have the records before our own disk has synced them.
    this.#log.onWritten = () => this.#fetches.news()
  }

  get state(): QuorumState {
    return this.#state
  }

  get log(): MetadataLog {
    return this.#log
  }

  /** The epoch this node may append in as leader; null for everyone else. */
  get leaderEpoch(): number | null {
    return this.#openEpoch
  }

  subscribe(listener: QuorumListener): void {
    this.#listeners.add(listener)
  }

  /** What the disk holds counts as stored only once it is synced, so that comes first. */
  async start(): Promise<void> {
    if (this.#isVoter) await this.#log.flush()
    this.#enqueue({ type: 'start' })
  }

  /** Answers another node's request; a fetch may wait for news. Resolves null when this node has stopped, or has too much to do. */
  handle(request: QuorumRequest, signal?: AbortSignal): Promise<QuorumResponse | null> {
    if (this.#isClosed || signal?.aborted === true || this.#queue.length >= QUEUED_EVENTS_MAX) return Promise.resolve(null)
    const { token, reply } = this.#replies.open(signal, (givenUp) => this.#fetches.forget(givenUp))
    this.#enqueue({ type: 'request', token, request })
    return reply
  }

  /** Appends as leader of `epoch`, within the call. Null when that leadership is over. */
  append(epoch: number, records: readonly MetadataRecord[]): AppendedBatch | null {
    if (this.#openEpoch !== epoch) return null
    const appended = this.#log.appendRecords(records, epoch)
    this.#flushAsLeader()
    return appended
  }

  /** Says that a node's process was seen to end. Only ever makes an election come sooner. */
  nodeEnded(nodeId: number): void {
    this.#enqueue({ type: 'nodeEnded', nodeId })
  }

  /** Says that a replica asked this node, as leader of `epoch`, for part of a snapshot. */
  snapshotAsked(replica: ReplicaKey, epoch: number): void {
    this.#enqueue({ type: 'contact', replica, epoch })
  }

  /** Gives leadership up, if held, and stops taking part. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    if (this.#state.role.name === 'leader') this.#enqueue({ type: 'resign' })
    await this.#pumped
    await this.#resignationsHeard()
    this.#isClosed = true
    this.#snapshot.giveUp()
    this.#timers.clear()
    this.#fetches.news()
    this.#replies.close()
  }

  async #resignationsHeard(): Promise<void> {
    if (this.#resignations.size === 0) return
    const { promise: timeUp, resolve } = Promise.withResolvers<void>()
    const timer = this.#env.timers.after(RESIGN_WAIT_MS, resolve)
    await Promise.race([Promise.all(this.#resignations), timeUp])
    timer.cancel()
  }

  // ---------------------------------------------------------------------------------------------------------- the engine

  #enqueue(event: QuorumEvent, timer?: Timer): void {
    if (this.#isClosed) return
    this.#queue.push(timer === undefined ? { event } : { event, timer })
    // Effects enqueue too; one loop at a time steps them all.
    if (this.#isPumping) return
    this.#isPumping = true
    this.#pumped = this.#pump()
  }

  async #pump(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#isClosed) {
        const queued = this.#queue.shift()!
        if (!this.#isDue(queued)) continue
        const { state, effects } = step(this.#state, queued.event, this.#log.facts, this.#env.clock.monotonicMs())
        this.#state = state
        if (state.role.name !== 'leader' || state.epoch !== this.#openEpoch) this.#openEpoch = null
        for (const effect of effects) {
          const pending = this.#carryOut(effect)
          if (pending !== null) await pending
        }
      }
    } catch (error) {
      this.#isClosed = true
      this.#timers.clear()
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#options.onFailed(`this node's part in the controller quorum has ended: ${reason}`)
    } finally {
      this.#isPumping = false
    }
  }

  #isDue({ event, timer }: QueuedEvent): boolean {
    return event.type !== 'timer' || this.#timers.take(event.timer, timer)
  }

  /** Null when done within the call. */
  #carryOut(effect: QuorumEffect): Promise<void> | null {
    switch (effect.type) {
      case 'persist':
        return this.#persist(effect.election)
      case 'send':
        return this.#send(effect.to, effect.request)
      case 'reply':
        this.#replies.answer(effect.token, effect.response)
        return null
      case 'serveFetch':
        this.#fetches.serve(effect.token, effect.request, this.#state)
        return null
      case 'timer':
        this.#timers.start(effect.timer, effect.delayMs + this.#env.random.below(effect.jitterMs + 1))
        return null
      case 'clearTimers':
        this.#timers.clear()
        return null
      case 'appendLeaderChange':
        this.#openEpochWith(effect.epoch, effect.grantingVoters)
        return null
      case 'appendFetched':
        return this.#appendFetched(effect.records)
      case 'truncate':
        return this.#log.truncateTo(effect.toOffset).then(() => this.#enqueue({ type: 'logChanged' }))
      case 'fetchSnapshot':
        this.#snapshot.fetch({ ...effect, epoch: this.#state.epoch })
        return null
      case 'installSnapshot':
        return this.#options.ports.installSnapshot(effect.snapshot).then(() => this.#enqueue({ type: 'logChanged' }))
      case 'highWatermark':
        this.#onHighWatermark(effect.offset)
        return null
      case 'roleChanged':
        this.#fetches.news()
        for (const listener of this.#listeners) listener.onRoleChanged?.(this.#state)
        return null
    }
  }

  /** Observers vote for nobody and so have nothing to remember; they learn the epoch from whomever they ask. */
  #persist(election: ElectionState): Promise<void> | null {
    if (!this.#isVoter) return null
    return this.#env.disk.writeFileAtomic(`${this.#log.directory}/quorum-state`, encodeElectionState(election))
  }

  #send(to: number, request: QuorumRequest): Promise<void> | null {
    const post = (): void => {
      const answered = this.#options.ports
        .send(to, request)
        .then((response) => this.#enqueue({ type: 'response', from: to, request, response }))
      if (request.api !== 'endQuorumEpoch') return
      this.#resignations.add(answered)
      void answered.then(() => this.#resignations.delete(answered))
    }
    // A voter's fetch offset claims that everything below it is stored.
    if (request.api === 'fetch' && this.#isVoter && this.#log.flushedOffset < this.#log.endOffset) return this.#log.flush().then(post)
    post()
    return null
  }

  #openEpochWith(epoch: number, grantingVoters: readonly number[]): void {
    const { voters, config } = this.#options
    this.#log.appendLeaderChange({ leaderId: config.self.id, epoch, voters, grantingVoters })
    this.#openEpoch = epoch
    this.#flushAsLeader()
  }

  #flushAsLeader(): void {
    this.#log.flushSoon(() => this.#enqueue({ type: 'flushed', endOffset: this.#log.flushedOffset }))
  }

  async #appendFetched(records: Buffer): Promise<void> {
    await this.#log.appendFetched(records)
    if (this.#isVoter) await this.#log.flush()
    this.#enqueue({ type: 'flushed', endOffset: this.#log.endOffset })
  }

  #onHighWatermark(offset: number): void {
    this.#log.setHighWatermark(offset)
    this.#fetches.news()
    for (const listener of this.#listeners) listener.onHighWatermark?.(offset)
  }
}
