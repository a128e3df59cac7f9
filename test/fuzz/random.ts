/** A small seeded generator: the same seed gives the same frames on any machine. Not for anything secret. */
export class SeededRandom {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** Uniform in [0, 2^32). */
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }

  /** Uniform in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound)
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }

  bytes(count: number): Buffer {
    const buffer = Buffer.allocUnsafe(count)
    for (let index = 0; index < count; index++) buffer[index] = this.next()
    return buffer
  }
}

/** A generator of its own for the item at `index`, so that one item can be replayed without those before it. */
export function randomAt(seed: number, index: number): SeededRandom {
  return new SeededRandom(Math.imul(seed ^ 0x5bd1e995, 0x27d4eb2f) ^ Math.imul(index + 1, 0x165667b1))
}
