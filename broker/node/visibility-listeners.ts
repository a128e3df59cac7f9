/**
 * Fetches that wait at one partition. One waiting fetch is one listener, so their number is bounded by the listeners'
 * bound on connections.
 */
export class VisibilityListeners {
  readonly #listeners = new Set<(bytes: number) => void>()

  add(listener: (bytes: number) => void): () => void {
    // A fetch may name a partition twice: each is a registration of its own.
    const registration = (bytes: number): void => listener(bytes)
    this.#listeners.add(registration)
    return () => this.#listeners.delete(registration)
  }

  visible(bytes: number): void {
    for (const listener of this.#listeners) listener(bytes)
  }

  /** The partition serves nobody any more: whoever waits must look again. */
  ended(): void {
    for (const listener of [...this.#listeners]) listener(0)
    this.#listeners.clear()
  }
}
