/**
 * The newest batches of all logs, for reads at the tail: what was appended, as it came, without a copy.
 *
 * Every log has its own run of batches, contiguous up to its end; all runs share one budget. The oldest batch of all is
 * dropped first, but never one that has not been written yet: the disk could not answer for it.
 */

/** What a kept batch costs besides its bytes. */
const batchOverheadBytes = 256

export interface CachedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly bytes: Buffer
}

export class TailCache {
  readonly #bytesMax: number
  /** One turn for each batch, in the order of appending, over all logs; turns of closed runs are skipped. */
  readonly #order = new Queue<CachedRun>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  newRun(): CachedRun {
    return new CachedRun(this)
  }

  added(run: CachedRun, bytes: number): void {
    this.#order.push(run)
    this.#bytes += bytes
    this.trim()
  }

  removed(bytes: number): void {
    this.#bytes -= bytes
  }

  /** Called again after a write returned: what it held back may go now. */
  trim(): void {
    for (let run = this.#order.first; run !== undefined; run = this.#order.first) {
      if (!run.isClosed && (this.#bytes <= this.#bytesMax || !run.dropOldest())) return
      this.#order.shift()
    }
  }
}

/** One log's batches in memory. A truncation starts a new run. */
export class CachedRun {
  isClosed = false
  /** Batches that end below this may be dropped. */
  writtenEndOffset = 0
  readonly #cache: TailCache
  readonly #batches = new Queue<CachedBatch>()

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  push(batch: CachedBatch): void {
    this.#batches.push(batch)
    this.#cache.added(this, batch.bytes.length + batchOverheadBytes)
  }

  /** The batch that holds `offset`, or the first after it; null when the run does not reach back so far. */
  indexOf(offset: number): number | null {
    const first = this.#batches.first
    if (first === undefined || offset < first.baseOffset) return null
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches.at(middle)?.lastOffset ?? Infinity) < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  at(index: number): CachedBatch | undefined {
    return this.#batches.at(index)
  }

  /** False when the oldest batch must stay. */
  dropOldest(): boolean {
    const oldest = this.#batches.first
    if (oldest === undefined) return true
    if (oldest.lastOffset >= this.writtenEndOffset) return false
    this.#batches.shift()
    this.#cache.removed(oldest.bytes.length + batchOverheadBytes)
    return true
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      this.#cache.removed(batch.bytes.length + batchOverheadBytes)
    }
  }
}

/** First in, first out, without moving the rest at each removal. */
class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head++] = undefined
    if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
