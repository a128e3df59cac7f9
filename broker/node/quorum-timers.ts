/** The quorum's timers by name: a new one replaces the one of its name, and one that was replaced or cleared never counts as due. */
import type { Env, Timer } from '../env/types.ts'
import type { TimerName } from '../quorum/types.ts'

export class QuorumTimers {
  readonly #env: Env
  readonly #timers = new Map<TimerName, Timer>()
  readonly #onFired: (name: TimerName, timer: Timer) => void

  /** `onFired` may find the timer replaced by the time it looks: `take` tells. */
  constructor(env: Env, onFired: (name: TimerName, timer: Timer) => void) {
    this.#env = env
    this.#onFired = onFired
  }

  start(name: TimerName, delayMs: number): void {
    this.#timers.get(name)?.cancel()
    const timer: Timer = this.#env.timers.after(delayMs, () => this.#onFired(name, timer))
    this.#timers.set(name, timer)
  }

  /** Whether that timer is still the one of its name; it is not any more afterwards. */
  take(name: TimerName, timer: Timer | undefined): boolean {
    if (this.#timers.get(name) !== timer) return false
    this.#timers.delete(name)
    return true
  }

  clear(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
