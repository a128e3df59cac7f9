/**
 * The active controller: the one place where the cluster's metadata is decided.
 *
 *   standby    -> activating : this node's quorum leadership begins
 *   activating -> active     : its LeaderChange record is committed, so the image holds everything decided before
 *   any        -> standby    : leadership ends; what was not committed is answered NotController
 *
 * Invariants: decisions are taken one after another, each on the outcome of all before it (`#latest`, which is ahead of the
 * committed image by what is being flushed); an answer is given only once its records, and all it was based on, are committed.
 */
import { type ActiveController, NotController } from '../api/controller-context.ts'
import { applyRecords } from '../cluster/apply-records.ts'
import {
  fence,
  heartbeat,
  registerBroker,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type RegistrationAnswer,
  type RegistrationRequest,
} from '../cluster/broker-control.ts'
import { electWhereAllowed } from '../cluster/broker-departures.ts'
import { BrokerSessions } from '../cluster/broker-sessions.ts'
import type { Decision, DecisionInput } from '../cluster/decision.ts'
import type { MetadataImage } from '../cluster/image.ts'
import { rebalanceLeaders } from '../cluster/leader-balance.ts'
import type { MetadataRecord } from '../cluster/metadata-records.ts'
import type { Env, Timer } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { MetadataApplier } from './metadata-applier.ts'
import type { QuorumDriver } from './quorum-driver.ts'

/** Decisions waiting for their commit; more are refused, as nothing gets committed any more. */
const UNCOMMITTED_DECISIONS_MAX = 10_000
/** Between looks at leaderless partitions that a change of settings may have allowed to be elected. */
const ELECTION_CHECK_MS = 5_000

export interface ActiveControllerOptions {
  readonly driver: QuorumDriver
  readonly applier: MetadataApplier
  readonly brokerSessionTimeoutMs: number
  /** Between looks at whether leadership has drifted away from preferred leaders; null for never. */
  readonly leaderImbalanceCheckMs: number | null
  readonly leaderImbalancePercentage: number
  /** What a new leader writes first, if anything: initial features, its own registration. */
  readonly activationRecords: (image: MetadataImage) => readonly MetadataRecord[]
}

interface Leadership {
  readonly epoch: number
  /** Everything decided, committed or not. */
  latest: MetadataImage
  readonly sessions: BrokerSessions
}

interface Uncommitted {
  readonly lastOffset: number
  readonly settle: (isCommitted: boolean) => void
}

export class ControllerRuntime implements ActiveController {
  readonly #env: Env
  readonly #options: ActiveControllerOptions
  #leadership: Leadership | null = null
  #uncommitted: Uncommitted[] = []
  #sessionTimer: Timer | null = null
  #tidyTimer: Timer | null = null

  constructor(env: Env, options: ActiveControllerOptions) {
    this.#env = env
    this.#options = options
    const { driver, applier } = options
    driver.subscribe({
      onHighWatermark: (offset) => this.#onCommitted(offset),
      onRoleChanged: () => this.#followLeadership(),
    })
    applier.subscribe(() => this.#followLeadership())
  }

  get isActive(): boolean {
    return this.#leadership !== null
  }

  async write<Answer>(decide: (input: DecisionInput) => Decision<Answer>, options?: { readonly isRehearsal: boolean }): Promise<Answer> {
    const leadership = this.#leading()
    const { records, answer } = decide(this.#input(leadership))
    if (options?.isRehearsal === true) return answer
    const lastOffset = records.length === 0 ? this.#options.driver.log.endOffset - 1 : this.#append(leadership, records)
    await this.#committed(lastOffset)
    return answer
  }

  async registerBroker(request: RegistrationRequest): Promise<RegistrationAnswer> {
    const { sessions } = this.#leading()
    const nowMs = this.#env.clock.monotonicMs()
    const answer = await this.write((input) => registerBroker(input, request, sessions.has(request.brokerId, nowMs)))
    if (answer.errorCode === ErrorCode.NONE) {
      sessions.touch(request.brokerId, { brokerEpoch: answer.brokerEpoch, metadataOffset: -1, nowMs: this.#env.clock.monotonicMs() })
      this.#watchSessions()
      this.#env.log.write('info', 'a broker registered', { broker: request.brokerId, brokerEpoch: answer.brokerEpoch })
    }
    return answer
  }

  async heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    const { sessions, latest } = this.#leading()
    const { brokerId, brokerEpoch, currentMetadataOffset: metadataOffset } = request
    const nowMs = this.#env.clock.monotonicMs()
    if (latest.broker(brokerId)?.brokerEpoch === brokerEpoch) sessions.touch(brokerId, { brokerEpoch, metadataOffset, nowMs })
    let shutdownBegan = false
    let storageFailed = false
    const answer = await this.write((input) => {
      const startedAtOffset = sessions.shutdownOffset(brokerId)
      const decision = heartbeat(input, request, {
        startedAtOffset,
        lowestActiveOffset: sessions.lowestActiveOffset(input.image, brokerId, nowMs),
      })
      storageFailed = decision.records.length > 0 && request.offlineLogDirs.length > 0 && !input.image.isStorageOffline(brokerId)
      shutdownBegan = !storageFailed && request.wantShutDown && startedAtOffset === null && decision.records.length > 0
      if (shutdownBegan) sessions.beginShutdown(brokerId, input.nextOffset + decision.records.length - 1)
      return decision
    })
    if (shutdownBegan) this.#env.log.write('info', 'a broker shuts down; its leaders move away', { broker: brokerId })
    if (storageFailed) this.#env.log.write('warn', "a broker's disk failed; its leaders move away", { broker: brokerId })
    this.#watchSessions()
    return answer
  }

  /** That broker's process was seen to end: its session is over. */
  brokerEnded(brokerId: number): void {
    this.#leadership?.sessions.end(brokerId)
    this.#fenceExpired()
  }

  close(): void {
    this.#standDown()
  }

  // ---------------------------------------------------------------------------------------------------------- leadership

  #followLeadership(): void {
    const { driver, applier } = this.#options
    const { role, epoch } = driver.state
    if (this.#leadership !== null && (role.name !== 'leader' || epoch !== this.#leadership.epoch)) this.#standDown()
    if (this.#leadership !== null || role.name !== 'leader' || driver.leaderEpoch !== epoch) return
    // Between its start and its first decision a leader appends nothing else, so this is everything decided before.
    if (applier.image.offset >= role.epochStartOffset) this.#activate(epoch, applier.image)
  }

  #activate(epoch: number, image: MetadataImage): void {
    const sessions = new BrokerSessions(image, this.#env.clock.monotonicMs(), this.#options.brokerSessionTimeoutMs)
    const leadership = { epoch, latest: image, sessions }
    this.#leadership = leadership
    this.#env.log.write('info', 'this controller is active', { epoch, offset: image.offset })
    const records = this.#options.activationRecords(image)
    if (records.length > 0) this.#append(leadership, records)
    this.#watchSessions()
    this.#tidyLater(ELECTION_CHECK_MS)
  }

  #standDown(): void {
    if (this.#leadership !== null) this.#env.log.write('info', 'this controller is no longer active', { epoch: this.#leadership.epoch })
    this.#leadership = null
    this.#sessionTimer?.cancel()
    this.#tidyTimer?.cancel()
    const waiting = this.#uncommitted
    this.#uncommitted = []
    for (const { settle } of waiting) settle(false)
  }

  #leading(): Leadership {
    if (this.#leadership === null) throw new NotController()
    return this.#leadership
  }

  /** Null also in the moment between losing leadership and hearing of it. */
  #writable(): Leadership | null {
    const leadership = this.#leadership
    return leadership !== null && leadership.epoch === this.#options.driver.leaderEpoch ? leadership : null
  }

  // ----------------------------------------------------------------------------------------------------------- deciding

  #input(leadership: Leadership): DecisionInput {
    return { image: leadership.latest, nextOffset: this.#options.driver.log.endOffset }
  }

  #append(leadership: Leadership, records: readonly MetadataRecord[]): number {
    const appended = this.#options.driver.append(leadership.epoch, records)
    if (appended === null) throw new NotController()
    leadership.latest = applyRecords(leadership.latest, records, { offset: appended.lastOffset, epoch: leadership.epoch }).image
    return appended.lastOffset
  }

  #committed(lastOffset: number): Promise<void> {
    if (this.#options.driver.state.highWatermark > lastOffset) return Promise.resolve()
    if (this.#uncommitted.length >= UNCOMMITTED_DECISIONS_MAX) return Promise.reject(new NotController())
    return new Promise((resolve, reject) => {
      const settle = (isCommitted: boolean): void => (isCommitted ? resolve() : reject(new NotController()))
      this.#uncommitted.push({ lastOffset, settle })
    })
  }

  #onCommitted(highWatermark: number): void {
    // In order of their offsets, as decisions were.
    const firstLeft = this.#uncommitted.findIndex(({ lastOffset }) => lastOffset >= highWatermark)
    const settled = this.#uncommitted.splice(0, firstLeft === -1 ? this.#uncommitted.length : firstLeft)
    for (const { settle } of settled) settle(true)
  }

  // ------------------------------------------------------------------------------------------------------------ sessions

  #watchSessions(): void {
    this.#sessionTimer?.cancel()
    const delayMs = this.#leadership?.sessions.nextExpiryMs(this.#env.clock.monotonicMs()) ?? null
    this.#sessionTimer = delayMs === null ? null : this.#env.timers.after(delayMs, () => this.#fenceExpired())
  }

  #fenceExpired(): void {
    const leadership = this.#writable()
    if (leadership === null) return
    for (const brokerId of leadership.sessions.takeExpired(leadership.latest, this.#env.clock.monotonicMs())) {
      const broker = leadership.latest.broker(brokerId)
      if (broker === undefined) continue
      this.#env.log.write('warn', 'a broker is fenced: silent for its session, or seen to end', { broker: brokerId })
      this.#append(leadership, fence(leadership.latest, broker))
    }
    this.#watchSessions()
  }

  // ------------------------------------------------------------------------------------------------- from time to time

  #tidyLater(sinceBalanceMs: number): void {
    this.#tidyTimer?.cancel()
    this.#tidyTimer = this.#env.timers.after(ELECTION_CHECK_MS, () => this.#tidy(sinceBalanceMs))
  }

  /** Elects where that is allowed by now, and gives leadership back to preferred leaders when it is time to. */
  #tidy(sinceBalanceMs: number): void {
    const leadership = this.#writable()
    if (leadership === null) return
    const { leaderImbalanceCheckMs, leaderImbalancePercentage } = this.#options
    const elections = electWhereAllowed(leadership.latest)
    if (elections.length > 0) this.#append(leadership, elections)
    const isBalanceDue = leaderImbalanceCheckMs !== null && sinceBalanceMs >= leaderImbalanceCheckMs
    const returns = isBalanceDue ? rebalanceLeaders(leadership.latest, leaderImbalancePercentage) : []
    if (returns.length > 0) {
      this.#env.log.write('info', 'leadership goes back to preferred leaders', { partitions: returns.length })
      this.#append(leadership, returns)
    }
    this.#tidyLater(isBalanceDue ? ELECTION_CHECK_MS : sinceBalanceMs + ELECTION_CHECK_MS)
  }
}
