/**
 * Starting a crashed node again, where the policy says so: later each time, and soon again once it has lived for a while. At most one
 * restart waits.
 */
import type { Env, Timer } from '../env/types.ts'
import type { RestartPolicy } from './types.ts'

const backoff = { firstMs: 500, maxMs: 30_000, forgottenAfterMs: 60_000 } as const

export class NodeRestarts {
  readonly #env: Env
  readonly #relaunch: () => void
  #policy: RestartPolicy
  #backoffMs: number = backoff.firstMs
  #waiting: Timer | null = null
  #count = 0

  constructor(env: Env, policy: RestartPolicy, relaunch: () => void) {
    this.#env = env
    this.#policy = policy
    this.#relaunch = relaunch
  }

  /** How often a node was started again. */
  get count(): number {
    return this.#count
  }

  /** To be told of every crash. */
  onCrash(livedMs: number): void {
    if (this.#policy === 'never') return
    if (livedMs > backoff.forgottenAfterMs) this.#backoffMs = backoff.firstMs
    this.#waiting = this.#env.timers.after(this.#backoffMs, () => {
      this.#waiting = null
      this.#count += 1
      this.#relaunch()
    })
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoff.maxMs)
  }

  /** Answers whether one was waiting. */
  cancel(): boolean {
    const wasWaiting = this.#waiting !== null
    this.#waiting?.cancel()
    this.#waiting = null
    return wasWaiting
  }

  /** None from now on. */
  retire(): void {
    this.#policy = 'never'
    this.cancel()
  }
}
