/**
 * One reassignment from its start to its end: submits the moves, looks at them until each is over, and tidies up. The states are in
 * the contract. It owns its moves and its throttle; the watch of the cluster drives it, one `advance` per look.
 *
 * What it needs to go on after a restart of the console is kept with `keep` before anything is changed, so that a throttle never
 * outlives its run for good.
 */
import type { ReassignmentRun as RunView, ReassignmentStatus } from '../../contract/reassignments.ts'
import type { Problem } from '../../contract/errors.ts'
import type { Env } from '../../env/types.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError, toHostError, toProblem } from '../problem.ts'
import { slicesOf } from '../sampling/loop.ts'
import { CopyRate } from './copy-rate.ts'
import { callDeadlineMs } from './deadline.ts'
import { added, sameOrder, type Move } from './plan-types.ts'
import { isUnderWay, look, tracked, type Sighting, type TrackedMove } from './progress.ts'
import { RunThrottle, type KeptThrottle } from './run-throttle.ts'
import { notMoving, summaryOf, throttleLeft } from './run-words.ts'

/** Moves in one request to the controller. */
const movesPerCall = 1_000
/** How long the end of a run tries to remove its throttle before it says which settings stay. */
const tidyMsMax = 600_000

/** What is needed to go on with a run; JSON. */
export interface KeptRun extends KeptThrottle {
  readonly runId: string
  readonly title: string
  readonly topic: string | null
  readonly moves: readonly Move[]
  readonly startedMs: number
  readonly giveUpAtMs: number
  readonly activityId: number | null
  readonly isCancelled: boolean
}

export type RunOptions = Omit<KeptRun, 'runId' | 'startedMs' | 'throttled' | 'activityId' | 'isCancelled'>

export interface RunHooks {
  readonly keep: (run: KeptRun) => void
  /** Something a screen shows has changed. */
  readonly changed: () => void
}

export class ReassignmentRun {
  readonly #env: Env
  readonly #session: ClusterSession
  readonly #hooks: RunHooks
  readonly #throttle: RunThrottle
  readonly #rate = new CopyRate()
  #kept: KeptRun
  #moves: readonly TrackedMove[]
  #status: ReassignmentStatus = 'starting'
  #endedMs: number | null = null
  #problem: Problem | null = null
  #progressedMs: number
  #tidySinceMs: number | null = null

  private constructor(env: Env, session: ClusterSession, hooks: RunHooks, kept: KeptRun) {
    this.#env = env
    this.#session = session
    this.#hooks = hooks
    this.#kept = kept
    this.#moves = kept.moves.map(tracked)
    this.#progressedMs = kept.startedMs
    this.#throttle = new RunThrottle(session, {
      title: kept.title,
      moves: kept.moves,
      kept: () => this.#kept,
      keep: (changes) => this.#keep(changes),
    })
  }

  static create(env: Env, session: ClusterSession, hooks: RunHooks, options: RunOptions): ReassignmentRun {
    const kept = { ...options, runId: env.random.uuid(), startedMs: env.clock.nowMs(), throttled: [], activityId: null, isCancelled: false }
    return new ReassignmentRun(env, session, hooks, kept)
  }

  /** Goes on with a run of an earlier console: every partition is looked at anew. */
  static resume(env: Env, session: ClusterSession, hooks: RunHooks, kept: KeptRun): ReassignmentRun {
    const run = new ReassignmentRun(env, session, hooks, kept)
    run.#moves = run.#moves.map((move) => ({ ...move, state: 'moving' }))
    run.#status = kept.isCancelled ? 'cancelling' : 'running'
    return run
  }

  get moves(): readonly TrackedMove[] {
    return this.#moves
  }

  get isActive(): boolean {
    return this.#endedMs === null
  }

  get isCancelled(): boolean {
    return this.#kept.isCancelled
  }

  get isOverdue(): boolean {
    return this.#status === 'running' && this.#env.clock.nowMs() >= this.#kept.giveUpAtMs
  }

  /** Throttles and submits. Rejects when nothing was moved; the throttle is gone again then. */
  async begin(): Promise<void> {
    try {
      await this.#throttle.set()
      for (const slice of slicesOf(this.#moves, movesPerCall)) await this.#submit(slice)
      const refused = this.#moves.find(({ state }) => state === 'failed')
      if (refused !== undefined && this.#moves.every(({ state }) => state === 'failed')) {
        throw new HostError('BROKER_ERROR', refused.problem ?? 'The cluster refused to move the partitions.', { subject: this.#kept.title })
      }
      this.#enter('running')
    } catch (error) {
      this.#problem = toProblem(error, this.#kept.title)
      this.#enter('failed')
      const left = await this.#throttle.remove().catch(() => this.#kept.throttled)
      if (left.length > 0) this.#problem = throttleLeft(left)
      this.#endedMs = this.#env.clock.nowMs()
      this.#hooks.changed()
      throw error
    }
  }

  noteActivity(activityId: number): void {
    this.#keep({ activityId })
  }

  /** The cluster could not be looked at. */
  hindered(problem: Problem | null): void {
    if (this.isActive) this.#problem = problem
  }

  /** One look at every partition, and the next step. True once it is over. */
  async advance(sightingOf: (move: Move) => Sighting): Promise<boolean> {
    if (!this.isActive || this.#status === 'starting') return false
    this.#problem = null
    const before = this.#moves
    this.#moves = before.map((move) => look(move, sightingOf(move)))
    this.#measure(before)
    if (!this.#moves.some(isUnderWay)) {
      this.#enter('finishing')
      await this.#finish(sightingOf)
    }
    this.#hooks.changed()
    return !this.isActive
  }

  /** Another limit, in bytes per second; answers brokers that are down and keep the one they had. */
  async setLimit(bytesPerSecond: number | null): Promise<readonly number[]> {
    if (this.#status !== 'running') throw notMoving(this.#kept.title)
    const missed = await this.#throttle.change(bytesPerSecond)
    this.#rate.outdate(this.#env.clock.nowMs())
    this.#hooks.changed()
    return missed
  }

  /** Asks the controller to take back what has not arrived; answers how many partitions that were. */
  async cancel(): Promise<number> {
    const before = this.#status
    if (before !== 'running' && before !== 'cancelling') {
      throw new HostError('REASSIGNMENT_CONFLICT', 'The reassignment is over: there is nothing left to cancel.', {
        subject: this.#kept.title,
      })
    }
    this.#enter('cancelling')
    let cancelledCount = 0
    try {
      for (const slice of slicesOf(this.#moves.filter(isUnderWay), movesPerCall)) cancelledCount += await this.#takeBack(slice)
    } catch (error) {
      if (cancelledCount === 0) {
        this.#enter(before)
        throw error
      }
      this.#problem = toProblem(error, this.#kept.title)
    }
    this.#keep({ isCancelled: true })
    return cancelledCount
  }

  view(): RunView {
    const count = (state: TrackedMove['state']): number => this.#moves.filter((move) => move.state === state).length
    const { runId, title, topic, startedMs, giveUpAtMs, throttleBytesPerSecond, activityId } = this.#kept
    return {
      runId,
      title,
      topic,
      status: this.#status,
      startedMs,
      endedMs: this.#endedMs,
      giveUpAtMs,
      throttleBytesPerSecond,
      partitionTotal: this.#moves.length,
      doneCount: count('done'),
      failedCount: count('failed'),
      cancelledCount: count('cancelled'),
      bytesTotal: sumOf(this.#moves, ({ bytesTotal }) => bytesTotal),
      bytesCopied: sumOf(this.#moves, ({ bytesCopied }) => bytesCopied),
      bytesPerSecond: this.isActive ? this.#rate.within(this.#ceiling()) : null,
      progressedMs: this.#progressedMs,
      activityId,
      problem: this.#problem,
      summary: this.isActive ? null : summaryOf(this.#status, this.#moves),
    }
  }

  async #submit(slice: readonly TrackedMove[]): Promise<void> {
    const results = await this.#session.client.admin
      .alterPartitionReassignments(
        slice.map(({ topic, partition, after }) => ({ topic, partition, replicas: after })),
        { timeoutMs: callDeadlineMs },
      )
      .catch((error: unknown) => slice.map(({ topic, partition }) => ({ topic, partition, error: toHostError(error) })))
    const failures = new Map(results.map((result) => [keyOf(result), result.error]))
    const inSlice = new Set(slice.map(keyOf))
    this.#moves = this.#moves.map((move) => {
      if (!inSlice.has(keyOf(move))) return move
      const error = failures.get(keyOf(move)) ?? null
      return error === null ? { ...move, state: 'moving' } : { ...move, state: 'failed', problem: error.message }
    })
    this.#hooks.changed()
  }

  async #takeBack(slice: readonly TrackedMove[]): Promise<number> {
    const results = await this.#session.client.admin.alterPartitionReassignments(
      slice.map(({ topic, partition }) => ({ topic, partition, replicas: null })),
      { timeoutMs: callDeadlineMs },
    )
    const answers = new Map(results.map((result) => [keyOf(result), result.error]))
    const inSlice = new Set(slice.map(keyOf))
    let count = 0
    this.#moves = this.#moves.map((move) => {
      if (!inSlice.has(keyOf(move))) return move
      const error = answers.get(keyOf(move)) ?? null
      if (error === null) {
        count += 1
        return { ...move, isTakenBack: true }
      }
      // It has arrived, or somebody else took it back: the next look tells.
      if (error.kafkaError === ErrorCode.NO_REASSIGNMENT_IN_PROGRESS) return move
      return { ...move, problem: error.message }
    })
    return count
  }

  /** Leadership to where it belongs, the former order where a move was taken back, and the throttle away. */
  async #finish(sightingOf: (move: Move) => Sighting): Promise<void> {
    const nowMs = this.#env.clock.nowMs()
    if (this.#tidySinceMs === null) {
      this.#tidySinceMs = nowMs
      await this.#restoreOrder(sightingOf)
      await this.#electPreferred(sightingOf)
    }
    const left = await this.#throttle.remove().catch((error: unknown) => {
      this.#problem = toProblem(error, this.#kept.title)
      return this.#kept.throttled
    })
    if (left.length > 0) {
      this.#problem ??= throttleLeft(left)
      if (nowMs - this.#tidySinceMs < tidyMsMax) return
    }
    this.#endedMs = nowMs
    this.#status = this.#kept.isCancelled ? 'cancelled' : 'done'
  }

  async #restoreOrder(sightingOf: (move: Move) => Sighting): Promise<void> {
    const disordered = this.#moves.filter((move) => {
      const present = sightingOf(move).present
      return move.state === 'cancelled' && present !== null && !sameOrder(present.replicas, move.before)
    })
    for (const slice of slicesOf(disordered, movesPerCall)) {
      const wished = slice.map(({ topic, partition, before }) => ({ topic, partition, replicas: before }))
      await this.#atBest('the former order of replicas', () =>
        this.#session.client.admin.alterPartitionReassignments(wished, { timeoutMs: callDeadlineMs }),
      )
    }
  }

  async #electPreferred(sightingOf: (move: Move) => Sighting): Promise<void> {
    const elsewhere = this.#moves.filter((move) => {
      const preferred = (move.state === 'done' ? move.after : move.before)[0]
      const leader = sightingOf(move).present?.leader ?? null
      return (move.state === 'done' || move.state === 'cancelled') && leader !== null && leader !== preferred
    })
    for (const slice of slicesOf(elsewhere, movesPerCall)) {
      await this.#atBest('the preferred leaders', () =>
        this.#session.client.admin.electLeaders('preferred', slice, { timeoutMs: callDeadlineMs }),
      )
    }
  }

  /** The replicas are where they should be without it: a failure is logged, and preferred leaders can be elected by hand. */
  async #atBest(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#env.log.write('warn', `a reassignment could not restore ${what}`, { cluster: this.#session.id, error })
    }
  }

  #measure(before: readonly TrackedMove[]): void {
    const nowMs = this.#env.clock.nowMs()
    const settled = this.#moves.some((move, at) => move.state !== before[at]?.state)
    const hasCome = this.#rate.measure(
      sumOf(this.#moves, ({ bytesCopied }) => bytesCopied),
      nowMs,
    )
    if (settled || hasCome) this.#progressedMs = nowMs
  }

  /** What the limit lets through: every broker that copies to itself may use it whole. */
  #ceiling(): number {
    const { throttleBytesPerSecond } = this.#kept
    if (throttleBytesPerSecond === null) return Infinity
    const receiving = this.#moves.filter(isUnderWay).flatMap((move) => added(move).filter((id) => !move.caughtUp.includes(id)))
    return throttleBytesPerSecond * Math.max(1, new Set(receiving).size)
  }

  #enter(status: ReassignmentStatus): void {
    this.#status = status
    this.#hooks.changed()
  }

  #keep(changes: Partial<KeptRun>): void {
    this.#kept = { ...this.#kept, ...changes }
    this.#hooks.keep(this.#kept)
  }
}

/** Moves are replaced with every look: a key tells which one is meant across a wait. */
function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic} ${partition}`
}

function sumOf(moves: readonly TrackedMove[], of: (move: TrackedMove) => number | null): number | null {
  let sum: number | null = null
  for (const move of moves) {
    const value = of(move)
    if (value !== null) sum = (sum ?? 0) + value
  }
  return sum
}
