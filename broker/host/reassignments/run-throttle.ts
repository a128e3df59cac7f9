/**
 * The limit of one run, from its start to its end. Its pieces of work wait for each other: a change that is under way when the last
 * partition arrives is done before the throttle is removed.
 *
 * Settings are kept before they are set. Beside those that hold now, the ones they replaced stay kept: a change may have come half
 * way, and a broker may tell what was set before it has heard of what is set. Whichever is found at the end is ours, and is put back.
 */
import type { ClusterSession } from '../clusters/session.ts'
import { HostError } from '../problem.ts'
import type { Move } from './plan-types.ts'
import { limitNotChanged } from './run-words.ts'
import { brokersOf, keyOf, planThrottle, removeThrottle, setThrottle, type ThrottledSetting } from './throttle.ts'

/** What a run keeps of its limit. */
export interface KeptThrottle {
  /** Per broker; `null`: no limit. */
  readonly throttleBytesPerSecond: number | null
  /** Oldest first; of one setting those that were set one after another. */
  readonly throttled: readonly ThrottledSetting[]
}

export interface ThrottledRun {
  readonly title: string
  readonly moves: readonly Move[]
  kept(): KeptThrottle
  keep(changes: Partial<KeptThrottle>): void
}

export class RunThrottle {
  readonly #session: ClusterSession
  readonly #run: ThrottledRun
  #turn: Promise<unknown> = Promise.resolve()
  /** Removed since: brokers may tell it for a moment after. */
  #lifted: readonly ThrottledSetting[] = []

  constructor(session: ClusterSession, run: ThrottledRun) {
    this.#session = session
    this.#run = run
  }

  /** Sets the limit the run starts with. Rejects with the first refusal; some may be set by then. */
  set(): Promise<void> {
    return this.#inTurn(async () => {
      const { throttleBytesPerSecond } = this.#run.kept()
      const throttled = throttleBytesPerSecond === null ? [] : await planThrottle(this.#session, this.#run.moves, throttleBytesPerSecond)
      this.#run.keep({ throttled })
      await setThrottle(this.#session, throttled)
    })
  }

  /**
   * Replaces the limit; answers brokers that take part and are down, which keep the one they had. Rejects when it cannot be set
   * everywhere else: the former limit is put back then.
   */
  change(bytesPerSecond: number | null): Promise<readonly number[]> {
    return this.#inTurn(async () => {
      const { brokers, topics } = this.#session.knowledge
      const alive = new Set(brokers.map(({ nodeId }) => nodeId))
      const moves = this.#run.moves.filter(({ topic }) => topics.has(topic))
      if (alive.size === 0) {
        const unknown = new HostError('CLUSTER_UNREACHABLE', `The brokers of ${this.#session.name} are not known yet.`)
        throw limitNotChanged(this.#run.title, unknown, 'as-before')
      }
      if (bytesPerSecond === null) await this.#lift()
      else await this.#replace(moves, bytesPerSecond)
      this.#run.keep({ throttleBytesPerSecond: bytesPerSecond })
      return brokersOf(moves).filter((id) => !alive.has(id))
    })
  }

  /** Puts back what was set before the run; answers what could not be. Rejects when the cluster cannot be asked. */
  remove(): Promise<readonly ThrottledSetting[]> {
    return this.#inTurn(async () => {
      const { throttled } = this.#run.kept()
      if (throttled.length === 0) return []
      const { left } = await removeThrottle(this.#session, throttled)
      this.#run.keep({ throttled: left })
      return left
    })
  }

  async #replace(moves: readonly Move[], bytesPerSecond: number): Promise<void> {
    const { title } = this.#run
    const former = [...this.#lifted, ...this.#run.kept().throttled]
    const steps = await planThrottle(this.#session, moves, bytesPerSecond).catch((error: unknown) => {
      throw limitNotChanged(title, error, 'as-before')
    })
    const next = steps.map((step) => ({ ...step, before: beforeRun(former, step) }))
    this.#run.keep({ throttled: [...replacedBy(former, next), ...next] })
    this.#lifted = []
    try {
      await setThrottle(this.#session, steps)
    } catch (error) {
      const isBack = await removeThrottle(this.#session, steps).then(
        ({ failure }) => failure === null,
        () => false,
      )
      throw limitNotChanged(title, error, isBack ? 'as-before' : 'mixed')
    }
    this.#run.keep({ throttled: [...newestOf(replacedBy(former, next)), ...next] })
  }

  async #lift(): Promise<void> {
    const { title } = this.#run
    const { throttled } = this.#run.kept()
    const { left, failure } = await removeThrottle(this.#session, throttled).catch((error: unknown) => {
      throw limitNotChanged(title, error, 'as-before')
    })
    if (failure !== null) throw limitNotChanged(title, failure, 'mixed')
    this.#run.keep({ throttled: left })
    this.#lifted = [...replacedBy(this.#lifted, throttled), ...throttled]
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

/** What was set before the run, if what is set now comes from the run; else what somebody has set since. */
function beforeRun(former: readonly ThrottledSetting[], now: ThrottledSetting): string | null {
  const ours = former.findLast((one) => keyOf(one) === keyOf(now) && one.value === now.before)
  return ours === undefined ? now.before : ours.before
}

/** Those that another value took the place of, and those of brokers that a change did not reach. */
function replacedBy(former: readonly ThrottledSetting[], next: readonly ThrottledSetting[]): readonly ThrottledSetting[] {
  const values = new Set(next.map((one) => `${keyOf(one)} ${one.value}`))
  return former.filter((one) => !values.has(`${keyOf(one)} ${one.value}`))
}

/** The newest of each setting. */
function newestOf(settings: readonly ThrottledSetting[]): readonly ThrottledSetting[] {
  return [...new Map(settings.map((one) => [keyOf(one), one])).values()]
}
