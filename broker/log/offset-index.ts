/**
 * Where in a segment to begin looking for an offset. Entry: relative offset int32, file position int32, where the
 * relative offset is that of the LAST record of the batch at that position (what kafka-dump-log checks).
 *
 * Invariant: offsets and positions both increase from entry to entry.
 */
import { IndexEntries, withoutReservedTail } from './index-entries.ts'

export const offsetIndexEntryBytes = 8

export interface OffsetPosition {
  /** Last offset of the batch at `position`. */
  readonly offset: number
  readonly position: number
}

export class OffsetIndex {
  readonly baseOffset: number
  readonly #entries: IndexEntries

  constructor(baseOffset: number, content?: Buffer) {
    this.baseOffset = baseOffset
    this.#entries = new IndexEntries(offsetIndexEntryBytes, content)
  }

  /**
   * Null when the bytes break the invariant: it must be rebuilt. Entries at the end that point beyond a segment of
   * `segmentBytes` are dropped: after a crash the index may be ahead of the log.
   */
  static parse(baseOffset: number, file: Buffer, segmentBytes: number): OffsetIndex | null {
    const content = withoutReservedTail(file, offsetIndexEntryBytes)
    if (content.length % offsetIndexEntryBytes !== 0) return null
    let previousOffset = -1
    let previousPosition = -1
    for (let at = 0; at < content.length; at += offsetIndexEntryBytes) {
      const offset = content.readInt32BE(at)
      const position = content.readInt32BE(at + 4)
      if (offset <= previousOffset || position <= previousPosition) return null
      if (position >= segmentBytes) return new OffsetIndex(baseOffset, content.subarray(0, at))
      previousOffset = offset
      previousPosition = position
    }
    return new OffsetIndex(baseOffset, content)
  }

  get count(): number {
    return this.#entries.count
  }

  get content(): Buffer {
    return this.#entries.content
  }

  append(lastOffsetOfBatch: number, position: number): void {
    const { buffer, position: at } = this.#entries.grow()
    buffer.writeInt32BE(lastOffsetOfBatch - this.baseOffset, at)
    buffer.writeInt32BE(position, at + 4)
  }

  /** The last entry at or below `offset`; null means: begin at the start of the segment. */
  lookup(offset: number): OffsetPosition | null {
    const relative = offset - this.baseOffset
    return this.#read(this.#entries.countWhile((buffer, at) => buffer.readInt32BE(at) <= relative) - 1)
  }

  /** The file position of the last entry at or below `position`, 0 when there is none: a batch begins there. */
  lookupPosition(position: number): number {
    const index = this.#entries.countWhile((buffer, at) => buffer.readInt32BE(at + 4) <= position) - 1
    return this.#read(index)?.position ?? 0
  }

  /** Drops entries of batches at or beyond `position`. */
  truncateToPosition(position: number): void {
    this.#entries.keepFirst(this.#entries.countWhile((buffer, at) => buffer.readInt32BE(at + 4) < position))
  }

  #read(index: number): OffsetPosition | null {
    return this.#entries.at(index, (buffer, at) => ({
      offset: this.baseOffset + buffer.readInt32BE(at),
      position: buffer.readInt32BE(at + 4),
    }))
  }
}
