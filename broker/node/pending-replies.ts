/** Requests of other nodes that have not been answered: each is answered once, or given up when its connection is gone. */
export class PendingReplies<Response> {
  readonly #settle = new Map<number, (response: Response | null) => void>()
  #nextToken = 1

  /** `reply` resolves null when nobody will answer any more. `onGivenUp` runs when the one who asked is gone. */
  open(
    signal: AbortSignal | undefined,
    onGivenUp: (token: number) => void,
  ): { readonly token: number; readonly reply: Promise<Response | null> } {
    const token = this.#nextToken++
    const reply = new Promise<Response | null>((resolve) => {
      const onAbort = (): void => {
        onGivenUp(token)
        this.answer(token, null)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#settle.set(token, (response) => {
        signal?.removeEventListener('abort', onAbort)
        resolve(response)
      })
    })
    return { token, reply }
  }

  /** A second answer, or one to a request that was given up, goes nowhere. */
  answer(token: number, response: Response | null): void {
    const settle = this.#settle.get(token)
    this.#settle.delete(token)
    settle?.(response)
  }

  /** Nothing will be answered any more. */
  close(): void {
    for (const token of [...this.#settle.keys()]) this.answer(token, null)
  }
}
