/**
 * Reads Kafka's primitives from a frame. Invariant: start <= position <= end <= buffer.length; a read that would pass `end`
 * throws WireError and reads nothing beyond it. Lengths and counts are bounded by what remains before anything is allocated.
 */
import { WireError, type WireErrorCode } from './errors.ts'
import { INT64_MAX, ZERO_UUID } from './schema.ts'

/** Kafka's own caps since 4.4: elements of one array, tags of one section, bytes of one string. */
export const ARRAY_ELEMENTS_MAX = 1_000_000
export const TAGS_MAX = 10_000
export const STRING_BYTES_MAX = 0x7fff
/** Elements of all arrays of one message together: nested arrays could multiply what a frame's bytes alone allow. */
export const MESSAGE_ELEMENTS_MAX = 4_000_000

const EMPTY = Buffer.alloc(0)
const HIGH_WORD = 2 ** 32

export class Reader {
  position: number
  readonly buffer: Buffer
  readonly end: number
  private elementsLeft = MESSAGE_ELEMENTS_MAX

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    if (position < 0 || end > buffer.length || position > end) throw new RangeError(`no bytes ${position}..${end} in ${buffer.length}`)
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    const at = this.take(1)
    return (this.buffer[at]! << 24) >> 24
  }

  int16(): number {
    const at = this.take(2)
    const { buffer } = this
    return ((buffer[at]! << 24) >> 16) | buffer[at + 1]!
  }

  uint16(): number {
    return this.int16() & 0xffff
  }

  int32(): number {
    const at = this.take(4)
    const { buffer } = this
    return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** Throws INTEGER_OUT_OF_RANGE beyond 2^53. */
  int64(): number {
    const value = this.int32() * HIGH_WORD + this.uint32()
    if (!Number.isSafeInteger(value)) this.fail('INTEGER_OUT_OF_RANGE', 'int64 beyond 2^53')
    return value
  }

  /** Like int64, but Kafka's largest value is read as INT64_MAX: fields that use it to say "unknown". */
  int64OrMax(): number {
    const high = this.int32()
    const low = this.uint32()
    if (high === 0x7fffffff && low === 0xffffffff) return INT64_MAX
    const value = high * HIGH_WORD + low
    if (!Number.isSafeInteger(value)) this.fail('INTEGER_OUT_OF_RANGE', 'int64 beyond 2^53')
    return value
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uuid(): string {
    const at = this.take(16)
    const { buffer } = this
    let any = 0
    for (let index = at; index < at + 16; index++) any |= buffer[index]!
    return any === 0 ? ZERO_UUID : buffer.toString('base64url', at, at + 16)
  }

  /** Seven bits a byte, lowest first; at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)]!
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    return this.fail('MALFORMED_VARINT', 'varint longer than 32 bits')
  }

  string(): string {
    return this.nullableString() ?? this.refuseNull()
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.text(length)
  }

  compactString(): string {
    return this.compactNullableString() ?? this.refuseNull()
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.text(length)
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.refuseNull()
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.view(length)
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? this.refuseNull()
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.view(length)
  }

  /** The number of elements, -1 for null. `elementBytesMin` is the least one element takes on the wire. */
  arrayCount(elementBytesMin: number): number {
    return this.admit(this.int32(), elementBytesMin)
  }

  compactArrayCount(elementBytesMin: number): number {
    return this.admit(this.uvarint() - 1, elementBytesMin)
  }

  /** The marker before a nullable struct. */
  isPresent(): boolean {
    return this.int8() >= 0
  }

  tagCount(): number {
    const count = this.uvarint()
    if (count > TAGS_MAX || count * 2 > this.remaining) this.fail('MALFORMED_TAGS', `${count} tags in ${this.remaining} bytes`)
    return count
  }

  /** The number of a tag; numbers must ascend. */
  tagAfter(previous: number): number {
    const tag = this.uvarint()
    if (tag <= previous) this.fail('MALFORMED_TAGS', `tag ${tag} after tag ${previous}`)
    return tag
  }

  /** Where the value of a tag ends. */
  tagEnd(): number {
    const size = this.uvarint()
    if (size > this.remaining) this.fail('TRUNCATED', `tag of ${size} bytes, ${this.remaining} left`)
    return this.position + size
  }

  closeTag(tag: number, end: number): void {
    if (this.position !== end) this.fail('MALFORMED_TAGS', `tag ${tag} ends at ${this.position}, its size says ${end}`)
  }

  skipTags(): void {
    let previous = -1
    for (let count = this.tagCount(); count > 0; count--) {
      previous = this.tagAfter(previous)
      this.position = this.tagEnd()
    }
  }

  finish(): void {
    if (this.position !== this.end) this.fail('TRAILING_BYTES', `${this.remaining} bytes after the message`)
  }

  refuseNull(): never {
    return this.fail('NULL_NOT_ALLOWED', 'null where the schema allows none')
  }

  fail(code: WireErrorCode, what: string): never {
    throw new WireError(code, `${what} (at byte ${this.position} of ${this.end})`)
  }

  private take(count: number): number {
    const at = this.position
    if (this.end - at < count) this.fail('TRUNCATED', `${count} bytes wanted, ${this.end - at} left`)
    this.position = at + count
    return at
  }

  private text(length: number): string {
    if (length < 0 || length > STRING_BYTES_MAX) this.fail('LENGTH_OUT_OF_RANGE', `string of ${length} bytes`)
    if (length === 0) return ''
    const at = this.take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  private view(length: number): Buffer {
    if (length < 0) this.fail('LENGTH_OUT_OF_RANGE', `${length} bytes`)
    if (length === 0) return EMPTY
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  private admit(count: number, elementBytesMin: number): number {
    if (count < -1) this.fail('LENGTH_OUT_OF_RANGE', `array of ${count} elements`)
    if (count > ARRAY_ELEMENTS_MAX || count * elementBytesMin > this.remaining || count > this.elementsLeft) {
      this.fail('TOO_MANY_ELEMENTS', `array of ${count} elements in ${this.remaining} bytes`)
    }
    this.elementsLeft -= Math.max(count, 0)
    return count
  }
}
