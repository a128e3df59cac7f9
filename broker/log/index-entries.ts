/** Fixed-size entries in one growing buffer, the bytes of an index file as they are. */
export class IndexEntries {
  readonly entryBytes: number
  #buffer: Buffer
  #count: number

  constructor(entryBytes: number, content: Buffer = Buffer.alloc(0)) {
    this.entryBytes = entryBytes
    this.#buffer = content
    this.#count = Math.floor(content.length / entryBytes)
  }

  get count(): number {
    return this.#count
  }

  /** A view of the entries: the file's content. */
  get content(): Buffer {
    return this.#buffer.subarray(0, this.#count * this.entryBytes)
  }

  /** Room for one more entry; returns the buffer and where to write it. */
  grow(): { readonly buffer: Buffer; readonly position: number } {
    const position = this.#count * this.entryBytes
    if (position + this.entryBytes > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(64 * this.entryBytes, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, position)
      this.#buffer = grown
    }
    this.#count++
    return { buffer: this.#buffer, position }
  }

  keepFirst(count: number): void {
    this.#count = Math.min(this.#count, count)
  }

  /** How many entries from the start satisfy `holds`, which must be true up to some entry and false from then on. */
  countWhile(holds: (buffer: Buffer, position: number) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.#buffer, middle * this.entryBytes)) low = middle + 1
      else high = middle
    }
    return low
  }

  at<T>(index: number, read: (buffer: Buffer, position: number) => T): T | null {
    return index >= 0 && index < this.#count ? read(this.#buffer, index * this.entryBytes) : null
  }
}

/** A trailing run of zero entries is space Kafka reserved and never used. */
export function withoutReservedTail(content: Buffer, entryBytes: number): Buffer {
  let end = content.length
  while (end >= entryBytes && isZero(content, end - entryBytes, end)) end -= entryBytes
  // An entry of zeros at the very start is a real one only in an index of one entry, which is as good as none.
  return content.subarray(0, end)
}

function isZero(content: Buffer, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (content[index] !== 0) return false
  return true
}
