/**
 * One segment: a file of batches back to back, named after its first offset, with its indexes.
 *
 * Invariant: offsets increase along the file. `bytes` and `nextOffset` are what has been assigned; `writtenBytes` is what
 * the operating system has. Only the log that owns the segment appends, truncates or deletes; anyone may read.
 */
import { DiskError, type DiskFile, type Env } from '../env/types.ts'
import { WireError } from '../wire/errors.ts'
import { BATCH_HEADER_BYTES, type BatchHeader, lastOffset, readBatchHeader } from '../wire/record-batch.ts'
import type { IndexCache } from './index-cache.ts'
import { deletedSuffix, logSuffix } from './log-files.ts'
import { offsetIndexEntryBytes, type OffsetPosition } from './offset-index.ts'
import { rebuildIndexes } from './index-rebuild.ts'
import { SegmentFiles } from './segment-files.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { scanBatches, type ScannedBatch } from './segment-scan.ts'
import { timeIndexEntryBytes, type TimestampOffset } from './time-index.ts'
import type { LogConfig } from './topic-config.ts'

const relativeOffsetMaximum = 2_147_483_647

export interface SegmentOptions {
  readonly env: Env
  readonly directory: string
  readonly baseOffset: number
  readonly indexCache: IndexCache
  /** `.cleaned` for compaction's output. */
  readonly fileState?: string
}

export interface RollRule {
  readonly config: LogConfig
  readonly nowMs: number
  /** Age at which this segment ends, jitter taken off. */
  readonly segmentMs: number
}

export interface RecoverOptions {
  readonly from: OffsetPosition | null
  readonly replayFrom: number
  readonly checkCrc: boolean
  readonly config: LogConfig
  readonly onBatch: (batch: ScannedBatch) => void
}

export class Segment {
  readonly baseOffset: number
  bytes = 0
  writtenBytes = 0
  /** At least this much of `writtenBytes` survives a power loss; -1 until this process has synced the file once. */
  syncedBytes = -1
  nextOffset: number
  isDeleted = false
  /** Of the first batch, for rolling by age; null while empty or after a restart (then the creation time counts). */
  firstTimestampMs: number | null = null
  readonly createdMs: number
  readonly #files: SegmentFiles
  readonly #indexCache: IndexCache
  #file: Promise<DiskFile> | null = null
  #isClosed = false
  #isNew = false
  /** Held here while the segment is written to; afterwards the index cache may drop it. */
  #indexes: SegmentIndexes | null = null
  #loadingIndexes: Promise<SegmentIndexes> | null = null
  #largest: TimestampOffset | null = null
  /** Whether `#largest` holds without the indexes in memory. */
  #isLargestKnown = false
  #bytesSinceIndexEntry = 0

  private constructor(options: SegmentOptions) {
    this.baseOffset = options.baseOffset
    this.nextOffset = options.baseOffset
    const { baseOffset, directory, fileState: state = '' } = options
    this.#files = new SegmentFiles({ disk: options.env.disk, directory, baseOffset, state })
    this.#indexCache = options.indexCache
    this.createdMs = options.env.clock.nowMs()
  }

  /** A segment whose files appear with the first write or sync. */
  static create(options: SegmentOptions): Segment {
    const segment = new Segment(options)
    segment.#isNew = true
    segment.#indexes = new SegmentIndexes(options.baseOffset)
    return segment
  }

  /** A segment found on the disk. `nextOffset` is an upper bound until `recover` has looked. */
  static existing(options: SegmentOptions, bytes: number, nextOffset: number): Segment {
    const segment = new Segment(options)
    segment.bytes = bytes
    segment.writtenBytes = bytes
    segment.nextOffset = nextOffset
    return segment
  }

  get path(): string {
    return this.#files.path(logSuffix)
  }

  file(): Promise<DiskFile> {
    if (this.#isClosed) return Promise.reject(new DiskError('EBADF', this.path, `${this.path} has been closed`))
    this.#file ??= this.#files.open({ create: this.#isNew }).catch((error: unknown) => {
      // Too many open files, say: the next caller tries again.
      this.#file = null
      throw error
    })
    return this.#file
  }

  /** Whether a batch of this size, time and last offset must go to a new segment. */
  mustRollBefore(header: BatchHeader, rule: RollRule): boolean {
    if (lastOffset(header) - this.baseOffset > relativeOffsetMaximum) return true
    if (this.bytes === 0) return false
    return (
      this.bytes + header.batchBytes > rule.config.segmentBytes ||
      this.#isIndexFull(rule.config) ||
      this.#ageMs(header.maxTimestamp, rule.nowMs) > rule.segmentMs
    )
  }

  /** Takes a batch at the end, returns its position in the file. The caller writes the bytes there. */
  append(header: BatchHeader, config: LogConfig): number {
    const position = this.bytes
    this.#indexBatch(header, position, config)
    this.bytes = position + header.batchBytes
    this.nextOffset = lastOffset(header) + 1
    this.firstTimestampMs ??= header.maxTimestamp
    return position
  }

  /**
   * Re-reads the file from an entry of its offset index (null: from the start), rebuilds what the indexes say of it, and
   * cuts it at the first bad byte. Batches below `replayFrom` keep their transaction index entries. Returns why it was
   * cut, or null.
   */
  async recover(options: RecoverOptions): Promise<string | null> {
    const from = await this.#trustedEntry(options.from)
    const problem = await this.#rescan({ ...options, from })
    const foundNothing = from !== null && problem !== null && this.bytes === from.position
    // Where the last good batch ends is only known by coming from before it.
    return foundNothing ? this.#rescan({ ...options, from: null }) : problem
  }

  /** For rolling by age: the time of the first batch, when the file was found and not written by this process. */
  async readFirstTimestamp(): Promise<void> {
    const header = this.writtenBytes === 0 ? null : await this.#headerAt(0)
    this.firstTimestampMs = header?.maxTimestamp ?? null
  }

  /** Where to begin reading for `offset`, and what must be found there. */
  async lookup(offset: number): Promise<{ position: number; offset: number | null }> {
    const entry = (await this.indexes()).offsets.lookup(offset)
    return entry ?? { position: 0, offset: null }
  }

  async indexes(): Promise<SegmentIndexes> {
    const held = this.#indexes ?? this.#indexCache.get(this)
    if (held !== null) return held
    this.#loadingIndexes ??= this.#loadIndexes().finally(() => {
      this.#loadingIndexes = null
    })
    return this.#loadingIndexes
  }

  /** The indexes are missing or lied about the file: they are made anew from it. */
  async rebuildIndexes(): Promise<SegmentIndexes> {
    this.#indexCache.drop(this)
    const indexes = await rebuildIndexes({
      disk: this.#files.disk,
      directory: this.#files.directory,
      baseOffset: this.baseOffset,
      file: await this.file(),
      bytes: this.writtenBytes,
    })
    await this.#files.storeIndexes(indexes)
    this.#indexCache.put(this, indexes)
    return indexes
  }

  /** Largest timestamp and the last offset of its batch; null when no batch has one. */
  async largestTimestamp(): Promise<TimestampOffset | null> {
    if (this.#indexes === null && !this.#isLargestKnown) {
      this.#largest = (await this.indexes()).times.last
      this.#isLargestKnown = true
    }
    return this.#largest
  }

  /** Makes everything written so far durable, and the file's name with it. */
  async sync(): Promise<void> {
    const file = await this.file()
    const covered = this.writtenBytes
    if (covered > this.syncedBytes) await file.sync()
    this.syncedBytes = Math.max(this.syncedBytes, covered)
    if (!this.#isNew) return
    await this.#files.sync()
    this.#isNew = false
  }

  async storeIndexes(): Promise<void> {
    if (this.#indexes !== null && !this.isDeleted) await this.#files.storeIndexes(this.#indexes)
  }

  /** No more appends: the last time index entry is forced, and the indexes may leave memory once stored. */
  seal(): void {
    if (this.#largest !== null) this.#indexes?.times.append(this.#largest.timestampMs, this.#largest.offset)
  }

  get holdsIndexes(): boolean {
    return this.#indexes !== null
  }

  /** Appends follow: the indexes stay in memory until released. */
  async holdIndexes(): Promise<void> {
    if (this.#indexes !== null) return
    const indexes = await this.indexes()
    this.#indexCache.drop(this)
    this.#indexes = indexes
    this.#largest = indexes.times.last
  }

  /** Enters a transaction whose abort marker was appended here. */
  recordAbort(aborted: { producerId: number; firstOffset: number; lastOffset: number }, lastStableOffset: number): void {
    const { producerId, firstOffset, lastOffset: markerOffset } = aborted
    this.#indexes?.transactions.append({ producerId, firstOffset, lastOffset: markerOffset, lastStableOffset })
  }

  releaseIndexes(): void {
    if (this.#indexes === null) return
    const indexes = this.#indexes
    this.#indexes = null
    this.#isLargestKnown = true
    this.#indexCache.put(this, indexes)
  }

  /** Cuts at a batch boundary. The caller knows where it is. */
  async truncate(cut: { readonly position: number; readonly offset: number }): Promise<void> {
    const indexes = await this.indexes()
    this.#indexes = indexes
    this.#indexCache.drop(this)
    indexes.truncate(cut)
    this.bytes = cut.position
    this.writtenBytes = cut.position
    this.nextOffset = cut.offset
    this.#largest = indexes.times.last
    const file = await this.file()
    await file.truncate(cut.position)
    // Or a power loss could bring back what was cut off, behind what is appended next.
    await file.sync()
    this.syncedBytes = cut.position
  }

  /** Compaction's steps: from `.cleaned` over `.swap` to the real names. */
  async renameFiles(state: string): Promise<void> {
    await this.#files.rename(state)
    await this.#files.sync()
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#isClosed = true
    this.#file = null
    this.#indexCache.drop(this)
    if (file !== null) await (await file).close()
  }

  /** Takes the files out of the log by renaming them; reads under way go on. `remove` finishes it. */
  async markDeleted(): Promise<void> {
    this.isDeleted = true
    this.#indexCache.drop(this)
    await this.#files.rename(deletedSuffix)
  }

  async remove(): Promise<void> {
    await this.close()
    await this.#files.remove()
  }

  #ageMs(timestampMs: number, nowMs: number): number {
    const first = this.firstTimestampMs
    return first !== null && first >= 0 ? timestampMs - first : nowMs - this.createdMs
  }

  #isIndexFull(config: LogConfig): boolean {
    const indexes = this.#indexes
    if (indexes === null) return true
    return (
      indexes.offsets.count >= Math.floor(config.segmentIndexBytes / offsetIndexEntryBytes) ||
      // One entry is kept free for the one that is forced at the end.
      indexes.times.count >= Math.max(1, Math.floor(config.segmentIndexBytes / timeIndexEntryBytes) - 1)
    )
  }

  #indexBatch(header: BatchHeader, position: number, config: LogConfig): void {
    const last = lastOffset(header)
    if (header.maxTimestamp > (this.#largest?.timestampMs ?? -1)) {
      this.#largest = { timestampMs: header.maxTimestamp, offset: last }
    }
    if (this.#bytesSinceIndexEntry > config.indexIntervalBytes) {
      this.#indexes?.offsets.append(last, position)
      if (this.#largest !== null) this.#indexes?.times.append(this.#largest.timestampMs, this.#largest.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += header.batchBytes
  }

  async #trustedEntry(entry: OffsetPosition | null): Promise<OffsetPosition | null> {
    if (entry === null) return null
    const header = await this.#headerAt(entry.position)
    return header !== null && lastOffset(header) === entry.offset ? entry : null
  }

  async #headerAt(position: number): Promise<BatchHeader | null> {
    const target = Buffer.alloc(BATCH_HEADER_BYTES)
    const bytes = await (await this.file()).read(position, target)
    try {
      return bytes === BATCH_HEADER_BYTES ? readBatchHeader(target, 0) : null
    } catch (error) {
      if (error instanceof WireError) return null
      throw error
    }
  }

  async #rescan({ from, replayFrom, checkCrc, config, onBatch }: RecoverOptions): Promise<string | null> {
    const file = await this.file()
    const indexes = from === null ? new SegmentIndexes(this.baseOffset) : await this.indexes()
    if (from !== null) indexes.truncate({ position: from.position, offset: from.offset, transactionOffset: replayFrom })
    this.#indexCache.drop(this)
    this.#indexes = indexes
    this.#largest = indexes.times.last
    this.#bytesSinceIndexEntry = 0
    this.nextOffset = this.baseOffset
    const { endPosition, problem } = await scanBatches(
      file,
      {
        fromPosition: from?.position ?? 0,
        toPosition: this.writtenBytes,
        minimumOffset: this.baseOffset,
        maximumOffset: this.baseOffset + relativeOffsetMaximum,
        checkCrc,
      },
      (batch) => {
        this.bytes = batch.position
        this.append(batch.header, config)
        onBatch(batch)
      },
    )
    this.firstTimestampMs = null
    this.bytes = endPosition
    if (endPosition < this.writtenBytes) await file.truncate(endPosition)
    this.writtenBytes = endPosition
    return problem
  }

  async #loadIndexes(): Promise<SegmentIndexes> {
    const loaded = await this.#files.loadIndexes(this.writtenBytes)
    if (loaded === null) return this.rebuildIndexes()
    this.#indexCache.put(this, loaded)
    return loaded
  }
}
