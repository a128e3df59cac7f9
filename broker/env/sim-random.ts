import type { Random } from './types.ts'

/** A seeded generator (sfc32): the same seed yields the same bytes on every platform. */
export class SimulatedRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string) {
    this.#a = hash(`${seed}/a`)
    this.#b = hash(`${seed}/b`)
    this.#c = hash(`${seed}/c`)
    for (let round = 0; round < 12; round++) this.next32()
  }

  /** Uniform in [0, 2^32). */
  next32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.next32() / 0x1_0000_0000
  }

  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let index = 0; index < count; index++) bytes[index] = this.next32() & 0xff
    return bytes
  }

  uuid(): string {
    for (;;) {
      const bytes = Buffer.from(this.bytes(16))
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
      const text = bytes.toString('base64url')
      if (!text.startsWith('-')) return text
    }
  }
}

/** FNV-1a, spread once more so that neighbouring seeds differ in every bit. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}
