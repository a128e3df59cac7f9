/**
 * Where in a segment to begin looking for a time. Entry: timestamp int64, relative offset int32: the largest timestamp
 * so far, and the last offset of the batch that holds it.
 *
 * Invariant: timestamps strictly increase, offsets increase.
 */
import { IndexEntries, withoutReservedTail } from './index-entries.ts'

export const timeIndexEntryBytes = 12

export interface TimestampOffset {
  readonly timestampMs: number
  readonly offset: number
}

export class TimeIndex {
  readonly baseOffset: number
  readonly #entries: IndexEntries

  constructor(baseOffset: number, content?: Buffer) {
    this.baseOffset = baseOffset
    this.#entries = new IndexEntries(timeIndexEntryBytes, content)
  }

  /** Null when the bytes break the invariant: it must be rebuilt. */
  static parse(baseOffset: number, file: Buffer): TimeIndex | null {
    const content = withoutReservedTail(file, timeIndexEntryBytes)
    if (content.length % timeIndexEntryBytes !== 0) return null
    let previousTimestamp = -1
    let previousOffset = -1
    for (let at = 0; at < content.length; at += timeIndexEntryBytes) {
      const timestamp = readTimestamp(content, at)
      const offset = content.readInt32BE(at + 8)
      if (timestamp <= previousTimestamp || offset < previousOffset || !Number.isSafeInteger(timestamp)) return null
      previousTimestamp = timestamp
      previousOffset = offset
    }
    return new TimeIndex(baseOffset, content)
  }

  get count(): number {
    return this.#entries.count
  }

  get content(): Buffer {
    return this.#entries.content
  }

  get last(): TimestampOffset | null {
    return this.#read(this.#entries.count - 1)
  }

  /** Ignored unless later than every entry before. */
  append(timestampMs: number, offset: number): void {
    const { last } = this
    if (timestampMs < 0 || !Number.isSafeInteger(timestampMs)) return
    if (last !== null && (timestampMs <= last.timestampMs || offset < last.offset)) return
    const { buffer, position } = this.#entries.grow()
    buffer.writeBigInt64BE(BigInt(timestampMs), position)
    buffer.writeInt32BE(offset - this.baseOffset, position + 8)
  }

  /** Records with a timestamp >= `timestampMs` are at or after the offset returned. */
  offsetToScanFrom(timestampMs: number): number {
    const count = this.#entries.countWhile((buffer, at) => readTimestamp(buffer, at) <= timestampMs)
    return this.#read(count - 1)?.offset ?? this.baseOffset
  }

  /** Drops entries at or beyond `offset`. */
  truncateToOffset(offset: number): void {
    const relative = offset - this.baseOffset
    this.#entries.keepFirst(this.#entries.countWhile((buffer, at) => buffer.readInt32BE(at + 8) < relative))
  }

  #read(index: number): TimestampOffset | null {
    return this.#entries.at(index, (buffer, at) => ({
      timestampMs: readTimestamp(buffer, at),
      offset: this.baseOffset + buffer.readInt32BE(at + 8),
    }))
  }
}

function readTimestamp(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4)
}
