/** What makes the process hold memory for its peer. */
export interface Holder {
  readonly heldBytes: number
  close(reason: string): void
}

/**
 * Memory that all connections of a listener hold together.
 *
 * Invariant: after each update the sum is within the bound; whoever holds most pays with its connection. Sums may run
 * high between updates (a socket empties without saying so) and are counted afresh before anyone is closed.
 */
export class HeldBytesBudget {
  readonly #heldBytesMax: number
  readonly #held = new Map<Holder, number>()
  #total = 0

  constructor(heldBytesMax: number) {
    this.#heldBytesMax = heldBytesMax
  }

  update(holder: Holder): void {
    this.#set(holder, holder.heldBytes)
    if (this.#total > this.#heldBytesMax) this.#shed()
  }

  remove(holder: Holder): void {
    this.#total -= this.#held.get(holder) ?? 0
    this.#held.delete(holder)
  }

  #set(holder: Holder, heldBytes: number): void {
    const before = this.#held.get(holder) ?? 0
    if (before === heldBytes) return
    if (heldBytes === 0) this.#held.delete(holder)
    else this.#held.set(holder, heldBytes)
    this.#total += heldBytes - before
  }

  #shed(): void {
    for (const holder of this.#held.keys()) this.#set(holder, holder.heldBytes)
    while (this.#total > this.#heldBytesMax) {
      let largest: Holder | null = null
      let largestBytes = 0
      for (const [holder, heldBytes] of this.#held) {
        if (heldBytes > largestBytes) {
          largest = holder
          largestBytes = heldBytes
        }
      }
      if (largest === null) return
      this.remove(largest)
      largest.close(`held ${largestBytes} bytes while all connections together reached ${this.#heldBytesMax}`)
    }
  }
}
