/**
 * Work in order per key, and at most so much at a time over all keys: opening and deleting the logs of one partition
 * must not overlap, and ten thousand new ones must not open at once.
 */
export class SerialWork {
  readonly #concurrentMax: number
  readonly #tails = new Map<string, Promise<void>>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(concurrentMax: number) {
    this.#concurrentMax = concurrentMax
  }

  /** Runs `work` after all that was given for `key` before. `work` must not reject. */
  add(key: string, work: () => Promise<void>): Promise<void> {
    const tail = (this.#tails.get(key) ?? Promise.resolve())
      .then(() => this.#inSlot(work))
      .finally(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key)
      })
    this.#tails.set(key, tail)
    return tail
  }

  /** Resolves when everything given so far, and what that led to, is done. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }

  async #inSlot(work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#concurrentMax) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      await work()
    } finally {
      // The slot is handed on, so that nobody who comes meanwhile can take it.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
