/**
 * Fetches of the metadata log that found nothing new. Each waits until something is, or its time is over; then it is asked
 * again as if it had just come, so that every rule is applied to the state of that moment.
 */
import type { Env, Timer } from '../env/types.ts'
import type { FetchRequest } from '../quorum/types.ts'

/** Followers and observers each have one fetch under way; more than this many come from nobody we know. */
const PARKED_FETCHES_MAX = 1_024

interface Parked {
  readonly request: FetchRequest
  readonly untilMs: number
  readonly timer: Timer
}

export class ParkedFetches {
  readonly #env: Env
  readonly #retry: (token: number, request: FetchRequest) => void
  readonly #parked = new Map<number, Parked>()

  constructor(env: Env, retry: (token: number, request: FetchRequest) => void) {
    this.#env = env
    this.#retry = retry
  }

  /** False when it must be answered now. */
  park(token: number, request: FetchRequest): boolean {
    if (request.maxWaitMs <= 0 || this.#parked.size >= PARKED_FETCHES_MAX) return false
    const untilMs = this.#env.clock.monotonicMs() + request.maxWaitMs
    const timer = this.#env.timers.after(request.maxWaitMs, () => this.#release(token))
    this.#parked.set(token, { request, untilMs, timer })
    return true
  }

  /** Something changed: all are asked again. */
  releaseAll(): void {
    for (const token of [...this.#parked.keys()]) this.#release(token)
  }

  forget(token: number): void {
    this.#parked.get(token)?.timer.cancel()
    this.#parked.delete(token)
  }

  #release(token: number): void {
    const parked = this.#parked.get(token)
    if (parked === undefined) return
    this.forget(token)
    const maxWaitMs = Math.max(0, Math.ceil(parked.untilMs - this.#env.clock.monotonicMs()))
    this.#retry(token, { ...parked.request, maxWaitMs })
  }
}
