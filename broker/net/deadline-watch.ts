import type { Clock, Timer, Timers } from '../env/types.ts'

/**
 * One timer for many deadlines: it fires at the earliest one watched.
 *
 * Deadlines that no longer matter are not taken back; the owner finds nothing due then, and watches the next.
 */
export class DeadlineWatch {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #onDue: () => void
  #timer: Timer | null = null
  #atMs = Infinity

  constructor(env: { readonly clock: Clock; readonly timers: Timers }, onDue: () => void) {
    this.#clock = env.clock
    this.#timers = env.timers
    this.#onDue = onDue
  }

  /** Calls `onDue` at this monotonic time, or before. */
  watch(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.cancel()
    this.#atMs = atMs
    this.#timer = this.#timers.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timer = null
      this.#atMs = Infinity
      this.#onDue()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#atMs = Infinity
  }
}
