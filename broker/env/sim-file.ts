/**
 * The bytes of one simulated file: what a reader sees, what has been synced, and the changes between the two. Power loss
 * keeps the synced bytes and any subset of the changes, each whole, torn at a sector or missing, as a real disk may.
 */
import type { SimulatedRandom } from './sim-random.ts'

const sectorBytes = 512

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number }

export class SimulatedInode {
  modifiedMs = 0
  #current: Buffer = Buffer.alloc(0)
  #length = 0
  #synced: Buffer = Buffer.alloc(0)
  #unsynced: Change[] = []

  get length(): number {
    return this.#length
  }

  /** How many changes a sync at this moment would cover. */
  get changeCount(): number {
    return this.#unsynced.length
  }

  read(position: number, target: Uint8Array): number {
    const end = Math.min(this.#length, position + target.length)
    if (end <= position) return 0
    target.set(this.#current.subarray(position, end))
    return end - position
  }

  content(): Buffer {
    return Buffer.from(this.#current.subarray(0, this.#length))
  }

  write(position: number, bytes: Uint8Array): void {
    this.#change({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(length: number): void {
    this.#change({ kind: 'truncate', length })
  }

  /** Makes the first `changeCount` outstanding changes durable. */
  sync(changeCount: number): void {
    const image = new Image(this.#synced, this.#synced.length)
    for (const change of this.#unsynced.splice(0, changeCount)) image.apply(change)
    this.#synced = image.content()
  }

  losePower(random: SimulatedRandom): void {
    const image = new Image(this.#synced, this.#synced.length)
    for (const change of this.#unsynced) {
      const fate = random.below(3)
      if (fate === 0) continue
      if (fate === 1 || change.kind === 'truncate') image.apply(change)
      else image.apply({ ...change, bytes: torn(change.bytes, random) })
    }
    const content = image.content()
    this.#current = content
    this.#length = content.length
    this.#synced = content
    this.#unsynced = []
  }

  #change(change: Change): void {
    this.#unsynced.push(change)
    const image = new Image(this.#current, this.#length)
    image.apply(change)
    this.#current = image.bytes
    this.#length = image.length
  }
}

class Image {
  bytes: Buffer
  length: number

  constructor(bytes: Buffer, length: number) {
    this.bytes = bytes
    this.length = length
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') return this.#setLength(change.length)
    const end = change.position + change.bytes.length
    if (end > this.length) this.#setLength(end)
    change.bytes.copy(this.bytes, change.position)
  }

  content(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length))
  }

  #setLength(length: number): void {
    if (length > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(length, this.bytes.length * 2))
      this.bytes.copy(grown, 0, 0, this.length)
      this.bytes = grown
    }
    if (length > this.length) this.bytes.fill(0, this.length, length)
    this.length = length
  }
}

/** A prefix that ends at a sector boundary or, less often, anywhere. */
function torn(bytes: Buffer, random: SimulatedRandom): Buffer {
  const cut = random.below(bytes.length + 1)
  return bytes.subarray(0, random.below(4) === 0 ? cut : cut - (cut % sectorBytes))
}
