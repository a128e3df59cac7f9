/**
 * A fingerprint of everything that happened in a lifetime, in order: two runs with the same fingerprint took the same steps.
 * Two independent 32-bit FNV-1a hashes; a collision of both is nothing to fear here.
 */
const FNV_PRIME = 0x01000193

export class Trace {
  #one = 0x811c9dc5 | 0
  #two = 0x2f3a17c9 | 0
  stepCount = 0
  readonly #names = new Map<string, number>()

  step(name: string, value: number): void {
    this.stepCount++
    this.#mix(this.#numberOf(name))
    // Virtual times are fractions of a millisecond; three decimals tell two apart.
    const scaled = Math.round(value * 1000)
    this.#mix(scaled | 0)
    this.#mix(Math.floor(scaled / 0x1_0000_0000) | 0)
  }

  get hash(): string {
    const text = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
    return text(this.#one) + text(this.#two)
  }

  #mix(value: number): void {
    this.#one = Math.imul(this.#one ^ value, FNV_PRIME)
    this.#two = Math.imul(this.#two ^ (value + 0x9e3779b9), FNV_PRIME)
    this.#two ^= this.#two >>> 15
  }

  #numberOf(name: string): number {
    let number = this.#names.get(name)
    if (number === undefined) {
      number = 0
      for (let index = 0; index < name.length; index++) number = Math.imul(number ^ name.charCodeAt(index), FNV_PRIME)
      this.#names.set(name, number)
    }
    return number
  }
}
