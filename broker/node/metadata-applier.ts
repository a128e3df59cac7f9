/**
 * Follows the high watermark of the metadata log and keeps the image at it.
 *
 * Invariant: images come in log order (a snapshot stands for the records it contains), each exactly the one before it plus the committed records in between, and listeners
 * hear of every step once, in the order they subscribed. `image` is already the new one when they do.
 */
import { applyRecords } from '../cluster/apply-records.ts'
import { imageDiff } from '../cluster/image-diff.ts'
import { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { MetadataRecord } from '../cluster/metadata-records.ts'
import type { SnapshotId } from '../quorum/types.ts'
import type { MetadataLog } from './metadata-log.ts'

export class MetadataApplier {
  readonly #log: MetadataLog
  readonly #onFailed: (reason: string) => void
  readonly #listeners = new Set<(delta: MetadataDelta) => void>()
  #image: MetadataImage
  #targetOffset = 0
  #isApplying = false
  #appliedBytes = 0
  #idleListeners: (() => void)[] = []
  #waiters: { readonly offset: number; readonly resolve: () => void }[] = []

  constructor(log: MetadataLog, initial: MetadataImage, onFailed: (reason: string) => void) {
    this.#log = log
    this.#image = initial
    this.#onFailed = onFailed
  }

  get image(): MetadataImage {
    return this.#image
  }

  /** Of the record batches applied so far. */
  get appliedBytes(): number {
    return this.#appliedBytes
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

  /** Resolves when nothing is being read from the log. */
  idle(): Promise<void> {
    if (!this.#isApplying) return Promise.resolve()
    return new Promise((resolve) => this.#idleListeners.push(resolve))
  }

  /** Jumps to a snapshot that is ahead of the image. To be called when idle, or before anything was applied. */
  load(records: readonly MetadataRecord[], { endOffset, epoch }: SnapshotId): void {
    const at = { offset: endOffset - 1, epoch }
    const { image } = applyRecords(MetadataImage.empty(this.#image.clusterId), records, at)
    this.#publish(imageDiff(this.#image, image))
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
        for (const { sizeBytes } of batches) this.#appliedBytes += sizeBytes
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
    const listeners = this.#idleListeners
    this.#idleListeners = []
    for (const listener of listeners) listener()
  }

  #take(records: readonly MetadataRecord[], at: { readonly offset: number; readonly epoch: number }): void {
    this.#publish(applyRecords(this.#image, records, at).delta)
  }

  #publish(delta: MetadataDelta): void {
    const image = delta.after
    this.#image = image
    for (const listener of this.#listeners) listener(delta)
    const reached = this.#waiters.filter(({ offset }) => offset <= image.offset)
    this.#waiters = this.#waiters.filter(({ offset }) => offset > image.offset)
    for (const { resolve } of reached) resolve()
  }
}
