/** The segments of one log, oldest first, never none; the last is the active one. */
import type { Segment } from './segment.ts'

export class SegmentList {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    if (segments.length === 0) throw new Error('a log has at least one segment')
    this.#segments = [...segments]
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get active(): Segment {
    return this.#at(this.#segments.length - 1)
  }

  get first(): Segment {
    return this.#at(0)
  }

  get sizeBytes(): number {
    let bytes = 0
    for (const segment of this.#segments) bytes += segment.bytes
    return bytes
  }

  /** The segment `offset` falls into (the first one for what is below it), and those after. */
  from(offset: number): readonly Segment[] {
    return this.#segments.slice(this.#floorIndex(offset))
  }

  floor(offset: number): Segment {
    return this.#at(this.#floorIndex(offset))
  }

  /** The segment after, or null. */
  after(segment: Segment): Segment | null {
    return this.#segments[this.#floorIndex(segment.baseOffset) + 1] ?? null
  }

  add(segment: Segment): void {
    this.#segments.push(segment)
  }

  /** At least the active segment stays. */
  removeFirst(count: number): readonly Segment[] {
    return this.#segments.splice(0, Math.min(count, this.#segments.length - 1))
  }

  /** Segments that begin above `offset`; the first stays whatever it is. */
  removeAbove(offset: number): readonly Segment[] {
    return this.#segments.splice(Math.max(1, this.#floorIndex(offset) + 1))
  }

  replaceAll(segment: Segment): readonly Segment[] {
    return this.#segments.splice(0, this.#segments.length, segment)
  }

  /** Puts `replacement` where the adjacent segments `replaced` were. */
  replace(replaced: readonly Segment[], replacement: Segment): void {
    const index = this.#segments.findIndex((segment) => segment === replaced[0])
    if (index < 0) throw new Error('the segments to replace are not part of the log')
    this.#segments.splice(index, replaced.length, replacement)
  }

  #floorIndex(offset: number): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#at(middle).baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  #at(index: number): Segment {
    const segment = this.#segments[index]
    if (segment === undefined) throw new Error(`no segment ${index} of ${this.#segments.length}`)
    return segment
  }
}
