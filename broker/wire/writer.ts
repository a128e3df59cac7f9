/**
 * Writes Kafka's primitives into chunks. Small values are gathered in a scratch buffer; large payloads (record batches) are put
 * between as they are, never copied. Invariant: chunks, then scratch[start, position), are the bytes written so far.
 *
 * A value that does not fit its type is the caller's mistake: RangeError or TypeError, never bytes that lie.
 */
import { STRING_BYTES_MAX } from './reader.ts'
import { INT64_MAX, ZERO_UUID } from './schema.ts'

/** Payloads from this size on are referenced, smaller ones are cheaper to copy. */
const REFERENCE_BYTES_MIN = 1024
const HIGH_WORD = 2 ** 32

export class Writer {
  private scratch: Buffer
  private start = 0
  private position = 0
  private readonly chunks: Buffer[] = []
  private chunkBytes = 0
  /** While a sized section is open its bytes stay in one piece, so that its length can be put before them. */
  private openSections = 0

  constructor(capacityBytes = 256) {
    this.scratch = Buffer.allocUnsafe(capacityBytes)
  }

  /** Bytes written so far. */
  get size(): number {
    return this.chunkBytes + this.position - this.start
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') this.refuse(value, 'a bool')
    this.put8(value ? 1 : 0)
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) this.refuse(value, 'an int8')
    this.put8(value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) this.refuse(value, 'an int16')
    this.put16(value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) this.refuse(value, 'a uint16')
    this.put16(value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.refuse(value, 'an int32')
    this.put32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) this.refuse(value, 'a uint32')
    this.put32(value)
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) this.refuse(value, 'an int64 within 2^53')
    this.put32(Math.floor(value / HIGH_WORD))
    this.put32(value >>> 0)
  }

  int64OrMax(value: number): void {
    if (value !== INT64_MAX) return this.int64(value)
    this.put32(0x7fffffff)
    this.put32(0xffffffff)
  }

  float64(value: number): void {
    if (typeof value !== 'number') this.refuse(value, 'a float64')
    const at = this.reserve(8)
    this.position = this.scratch.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.reserve(16)
    if (value === ZERO_UUID) {
      this.scratch.fill(0, at, at + 16)
    } else {
      if (typeof value !== 'string' || value.length !== ZERO_UUID.length) this.refuse(value, 'a uuid of 22 characters')
      if (this.scratch.write(value, at, 16, 'base64url') !== 16) this.refuse(value, 'a uuid in URL-safe base64')
    }
    this.position = at + 16
  }

  uvarint(value: number): void {
    if (value >>> 0 !== value) this.refuse(value, 'an unsigned varint')
    this.position = this.putUvarint(this.reserve(5), value)
  }

  string(value: string): void {
    const length = this.textBytes(value)
    this.put16(length)
    this.text(value, length)
  }

  nullableString(value: string | null): void {
    if (value === null) this.put16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const length = this.textBytes(value)
    this.uvarint(length + 1)
    this.text(value, length)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.put8(0)
    else this.compactString(value)
  }

  bytes(value: Uint8Array | readonly Uint8Array[]): void {
    this.int32(byteLengthOf(value))
    this.payload(value)
  }

  nullableBytes(value: Uint8Array | readonly Uint8Array[] | null): void {
    if (value === null) this.put32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Uint8Array | readonly Uint8Array[]): void {
    this.uvarint(byteLengthOf(value) + 1)
    this.payload(value)
  }

  compactNullableBytes(value: Uint8Array | readonly Uint8Array[] | null): void {
    if (value === null) this.put8(0)
    else this.compactBytes(value)
  }

  /** -1 for a null array. */
  arrayCount(count: number): void {
    this.int32(count)
  }

  compactArrayCount(count: number): void {
    this.uvarint(count + 1)
  }

  /** The marker before a nullable struct. */
  presence(isPresent: boolean): void {
    this.put8(isPresent ? 1 : -1)
  }

  /** Opens a section that is preceded by its size as a varint; returns the mark for `closeSized`. */
  openSized(): number {
    const mark = this.reserve(1)
    this.position = mark + 1
    this.openSections++
    return mark - this.start
  }

  closeSized(mark: number): void {
    this.openSections--
    const size = this.position - (this.start + mark + 1)
    const sizeBytes = uvarintBytes(size)
    if (sizeBytes > 1) {
      this.reserve(sizeBytes - 1)
      const from = this.start + mark + 1
      this.scratch.copyWithin(from + sizeBytes - 1, from, from + size)
    }
    this.position = this.putUvarint(this.start + mark, size) + size
  }

  /** Leaves room for an int32 that `patchInt32` fills in: the size of a frame. Only the first bytes of a writer can be patched. */
  placeholderInt32(): void {
    if (this.size !== 0) throw new RangeError('only the first bytes of a writer can be left open')
    this.put32(0)
  }

  patchInt32(value: number): void {
    const first = this.chunks[0]
    if (first === undefined) this.scratch.writeInt32BE(value, this.start)
    else first.writeInt32BE(value, 0)
  }

  /** Raw bytes without a length before them. */
  payload(value: Uint8Array | readonly Uint8Array[]): void {
    if (value instanceof Uint8Array) this.chunk(value)
    else for (const part of value) this.chunk(part)
  }

  /** The chunks written; the writer is spent. */
  finish(): Buffer[] {
    this.flush()
    return this.chunks
  }

  private chunk(value: Uint8Array): void {
    const { length } = value
    if (length === 0) return
    if (length < REFERENCE_BYTES_MIN || this.openSections > 0) {
      const at = this.reserve(length)
      this.scratch.set(value, at)
      this.position = at + length
      return
    }
    this.flush()
    this.chunks.push(Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, length))
    this.chunkBytes += length
  }

  private flush(): void {
    if (this.position === this.start) return
    this.chunks.push(this.scratch.subarray(this.start, this.position))
    this.chunkBytes += this.position - this.start
    this.start = this.position
  }

  private text(value: string, length: number): void {
    const at = this.reserve(length)
    if (length === value.length && length < 24) {
      for (let index = 0; index < length; index++) this.scratch[at + index] = value.charCodeAt(index)
    } else {
      this.scratch.write(value, at, length, 'utf8')
    }
    this.position = at + length
  }

  private textBytes(value: string): number {
    if (typeof value !== 'string') this.refuse(value, 'a string')
    const length = Buffer.byteLength(value, 'utf8')
    if (length > STRING_BYTES_MAX) throw new RangeError(`a string of ${length} bytes is longer than ${STRING_BYTES_MAX}`)
    return length
  }

  /** Writes where there is room already; returns where the varint ends. */
  private putUvarint(at: number, value: number): number {
    let rest = value
    while (rest > 0x7f) {
      this.scratch[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.scratch[at++] = rest
    return at
  }

  private put8(value: number): void {
    const at = this.reserve(1)
    this.scratch[at] = value
    this.position = at + 1
  }

  private put16(value: number): void {
    const at = this.reserve(2)
    const { scratch } = this
    scratch[at] = value >>> 8
    scratch[at + 1] = value
    this.position = at + 2
  }

  private put32(value: number): void {
    const at = this.reserve(4)
    const { scratch } = this
    scratch[at] = value >>> 24
    scratch[at + 1] = value >>> 16
    scratch[at + 2] = value >>> 8
    scratch[at + 3] = value
    this.position = at + 4
  }

  /** Makes room for `count` bytes and returns where they start. */
  private reserve(count: number): number {
    if (this.scratch.length - this.position < count) this.grow(count)
    return this.position
  }

  private grow(count: number): void {
    const pending = this.position - this.start
    const next = Buffer.allocUnsafe(Math.max((pending + count) * 2, 1024))
    this.scratch.copy(next, 0, this.start, this.position)
    this.scratch = next
    this.start = 0
    this.position = pending
  }

  private refuse(value: unknown, wanted: string): never {
    throw new TypeError(`${String(value)} is not ${wanted}`)
  }
}

export function uvarintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes++
  return bytes
}

function byteLengthOf(value: Uint8Array | readonly Uint8Array[]): number {
  if (value instanceof Uint8Array) return value.length
  let total = 0
  for (const part of value) total += part.length
  return total
}
