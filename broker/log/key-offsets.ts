/** The newest offset of each key in the dirty part of a log, within a bound of memory. Exact: no hashes, no false matches. */

/** What a remembered key costs besides its bytes. */
const keyOverheadBytes = 80

export class KeyOffsets {
  readonly #offsets = new Map<string, number>()
  readonly #bytesMax: number
  #bytes = 0
  /** Records below this have been taken in. */
  endOffset = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** False when there is no room for a new key: the pass then ends here. */
  put(key: Buffer, offset: number): boolean {
    const text = key.toString('latin1')
    if (!this.#offsets.has(text)) {
      if (this.#bytes + text.length + keyOverheadBytes > this.#bytesMax && this.#offsets.size > 0) return false
      this.#bytes += text.length + keyOverheadBytes
    }
    this.#offsets.set(text, offset)
    return true
  }

  /** Whether no newer record of that key is known. */
  isNewest(key: Buffer, offset: number): boolean {
    return offset >= this.endOffset || offset >= (this.#offsets.get(key.toString('latin1')) ?? -1)
  }
}
