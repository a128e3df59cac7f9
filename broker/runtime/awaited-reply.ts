import type { Env } from '../env/types.ts'

/** A reply that a node gives once for all who wait for it; who has waited too long gets `overdue`. */
export class AwaitedReply<Reply> {
  readonly #env: Env
  readonly #overdue: Reply
  readonly #waiters = new Set<(reply: Reply) => void>()

  constructor(env: Env, overdue: Reply) {
    this.#env = env
    this.#overdue = overdue
  }

  /** Whether a question is on its way already. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  wait(timeoutMs: number): Promise<Reply> {
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        timer.cancel()
        this.#waiters.delete(settle)
        resolve(reply)
      }
      const timer = this.#env.timers.after(timeoutMs, () => settle(this.#overdue))
      this.#waiters.add(settle)
    })
  }

  settle(reply: Reply): void {
    for (const waiter of this.#waiters) waiter(reply)
  }
}
