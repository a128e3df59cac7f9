import type { Clock, Env, Timers } from '../env/types.ts'
import type { CallOptions } from './basic-types.ts'
import { ClientError } from './error.ts'

/**
 * One call of the client: its deadline and its signal, passed down through every retry and request it makes.
 * Does nothing by itself; whoever waits on its behalf asks it.
 */
export class Call {
  readonly signal: AbortSignal | undefined
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #deadlineMs: number
  readonly #timeoutMs: number
  readonly #what: string

  /** `what` completes the sentence "... did not finish within 5 ms". */
  constructor(env: Pick<Env, 'clock' | 'timers'>, what: string, options: CallOptions, defaultTimeoutMs: number) {
    this.#clock = env.clock
    this.#timers = env.timers
    this.#what = what
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    this.#deadlineMs = env.clock.monotonicMs() + this.#timeoutMs
    this.signal = options.signal
  }

  get remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.monotonicMs())
  }

  /** Throws once the call is over. `cause` is what it was last held up by. */
  check(cause?: unknown): void {
    if (this.signal?.aborted) throw this.#cancelled()
    if (this.remainingMs === 0) throw this.#expired(cause)
  }

  /** For one request of the call: at most `attemptMs`, at most what is left. */
  attempt(attemptMs: number): { readonly timeoutMs: number; readonly signal?: AbortSignal } {
    const timeoutMs = Math.min(attemptMs, this.remainingMs)
    return this.signal === undefined ? { timeoutMs } : { timeoutMs, signal: this.signal }
  }

  /** Resolves after `delayMs`. Rejects when the call is over before, naming `cause` as what held it up. */
  pause(delayMs: number, cause?: unknown): Promise<void> {
    return this.#wait(delayMs, null, cause)
  }

  /** The promise's outcome, unless the call is over before; the promise then goes on unwatched. */
  race<T>(promise: Promise<T>): Promise<T> {
    return this.#wait(Infinity, promise, undefined)
  }

  #wait<T>(delayMs: number, promise: Promise<T> | null, cause: unknown): Promise<T> {
    if (this.signal?.aborted) return Promise.reject(this.#cancelled())
    return new Promise<T>((resolve, reject) => {
      const isExpiring = delayMs >= this.remainingMs
      const timer = this.#timers.after(isExpiring ? this.remainingMs : delayMs, () => {
        if (isExpiring) settle(() => reject(this.#expired(cause)))
        else settle(() => resolve(undefined as T))
      })
      const onAbort = (): void => settle(() => reject(this.#cancelled()))
      const settle = (act: () => void): void => {
        timer.cancel()
        this.signal?.removeEventListener('abort', onAbort)
        act()
      }
      this.signal?.addEventListener('abort', onAbort, { once: true })
      promise?.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  #cancelled(): ClientError {
    return new ClientError('CANCELLED', `${this.#what} was cancelled.`)
  }

  #expired(cause: unknown): ClientError {
    const reason = cause instanceof Error ? ` Last: ${cause.message}` : ''
    return new ClientError('DEADLINE_EXCEEDED', `${this.#what} did not finish within ${Math.round(this.#timeoutMs)} ms.${reason}`, {
      cause,
    })
  }
}
