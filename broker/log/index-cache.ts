/** Indexes of segments that are no longer written to: the least recently used leave memory first. */
import type { SegmentIndexes } from './segment-indexes.ts'

export class IndexCache {
  readonly #bytesMax: number
  readonly #indexes = new Map<object, SegmentIndexes>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(segment: object): SegmentIndexes | null {
    const indexes = this.#indexes.get(segment)
    if (indexes === undefined) return null
    this.#indexes.delete(segment)
    this.#indexes.set(segment, indexes)
    return indexes
  }

  put(segment: object, indexes: SegmentIndexes): void {
    this.drop(segment)
    this.#indexes.set(segment, indexes)
    this.#bytes += indexes.bytes
    for (const oldest of this.#indexes.keys()) {
      if (this.#bytes <= this.#bytesMax || oldest === segment) return
      this.drop(oldest)
    }
  }

  drop(segment: object): void {
    const indexes = this.#indexes.get(segment)
    if (indexes === undefined) return
    this.#indexes.delete(segment)
    this.#bytes -= indexes.bytes
  }
}
