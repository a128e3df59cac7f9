/**
 * A position that walks over the records of one uncompressed block. Record fields are zigzag varints, unlike the rest of the
 * protocol. A read past `end` throws WireError; so does a varint longer than its type.
 */
import { WireError } from './errors.ts'

const HIGH_BIT_GROUPS = 2 ** 28

export class RecordCursor {
  position: number
  readonly buffer: Buffer
  readonly end: number

  constructor(buffer: Buffer, position: number, end: number) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  byte(): number {
    if (this.position >= this.end) this.truncated()
    return this.buffer[this.position++]!
  }

  /** A signed 32-bit varint. */
  varint(): number {
    let raw = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      if (shift === 28 && byte > 0x0f) break
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
    throw new WireError('MALFORMED_VARINT', 'varint longer than 32 bits in a record')
  }

  /** A signed 64-bit varint; beyond 2^53 it is rounded. */
  varlong(): number {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    let high = 0
    for (let scale = 1, count = 5; count <= 10; count++, scale *= 128) {
      const byte = this.byte()
      if (count === 10 && byte > 1) break
      high += (byte & 0x7f) * scale
      if (byte < 0x80) {
        const half = high * (HIGH_BIT_GROUPS / 2) + (low >>> 1)
        return (low & 1) === 0 ? half : -half - 1
      }
    }
    throw new WireError('MALFORMED_VARINT', 'varint longer than 64 bits in a record')
  }

  /** A length of bytes that follow: -1 is null; anything else must be there. */
  length(): number {
    const length = this.varint()
    if (length < -1) throw new WireError('MALFORMED_RECORD', `a length of ${length} in a record`)
    if (length > this.end - this.position) this.truncated()
    return length
  }

  /** A view of the bytes after a length; null for -1. */
  bytes(): Buffer | null {
    const length = this.length()
    if (length === -1) return null
    const at = this.position
    this.position = at + length
    return this.buffer.subarray(at, at + length)
  }

  skipBytes(): void {
    const length = this.length()
    if (length > 0) this.position += length
  }

  private truncated(): never {
    throw new WireError('TRUNCATED', `a record ends at byte ${this.end}, before its fields do`)
  }
}

/** Bytes a signed varint or varlong takes. */
export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** Writes a signed varint or varlong; returns where it ends. */
export function writeVarint(buffer: Buffer, position: number, value: number): number {
  let at = position
  let rest = zigzag(value)
  while (rest > 0x7f) {
    buffer[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  buffer[at++] = rest
  return at
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}
