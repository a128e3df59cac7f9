/**
 * Follows the high watermark of the metadata log and keeps the image at it.
 *
 * Invariant: images come in log order, each exactly the one before it plus the committed records in between, and listeners
 * hear of every step once, in the order they subscribed. `image` is already the new one when they do.
 */
import { applyRecords } from '../cluster/apply-records.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { MetadataRecord } from '../cluster/metadata-records.ts'
import type { MetadataLog } from './metadata-log.ts'

export class MetadataApplier {
  readonly #log: MetadataLog
  readonly #onFailed: (reason: string) => void
  readonly #listeners = new Set<(delta: MetadataDelta) => void>()
  #image: MetadataImage
  #targetOffset = 0
  #isApplying = false
  #waiters: { readonly offset: number; readonly resolve: () => void }[] = []

  constructor(log: MetadataLog, initial: MetadataImage, onFailed: (reason: string) => void) {
    this.#log = log
    this.#image = initial
    this.#onFailed = onFailed
  }

  get image(): MetadataImage {
    return this.#image
  }

  subscribe(listener: (delta: MetadataDelta) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves once the image contains the record at `offset`. */
  reached(offset: number): Promise<void> {
    if (this.#image.offset >= offset) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ offset, resolve }))
  }

  /** Records below `highWatermark` are committed. */
  applyUpTo(highWatermark: number): void {
    this.#targetOffset = Math.max(this.#targetOffset, highWatermark)
    if (this.#isApplying) return
    this.#isApplying = true
    this.#apply().catch((error: unknown) => {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#onFailed(`the cluster metadata cannot be applied: ${reason}`)
    })
  }

  async #apply(): Promise<void> {
    while (this.#image.offset + 1 < this.#targetOffset) {
      for await (const batches of this.#log.batches(this.#image.offset + 1, this.#targetOffset)) {
        const last = batches.at(-1)
        if (last !== undefined)
          this.#take(
            batches.flatMap(({ records }) => records),
            { offset: last.lastOffset, epoch: last.epoch },
          )
      }
    }
    // In the same turn as the last look at the target, or a target set in between would be missed.
    this.#isApplying = false
  }

  #take(records: readonly MetadataRecord[], at: { readonly offset: number; readonly epoch: number }): void {
    const { image, delta } = applyRecords(this.#image, records, at)
    this.#image = image
    for (const listener of this.#listeners) listener(delta)
    const reached = this.#waiters.filter(({ offset }) => offset <= image.offset)
    this.#waiters = this.#waiters.filter(({ offset }) => offset > image.offset)
    for (const { resolve } of reached) resolve()
  }
}
