/** The producer snapshots of one partition folder: `<offset>.snapshot` is the state of everything below that offset. */
import type { Disk, Logger } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import { joinPath, offsetFileName, snapshotSuffix } from './log-files.ts'
import type { ProducerEntry } from './producer-entry.ts'
import { decodeProducerSnapshot } from './producer-snapshot.ts'

/** Kept besides those at the start of a segment. */
const newestKept = 2

export class SnapshotFiles {
  readonly #disk: Disk
  readonly #log: Logger
  readonly #directory: string
  /** Ascending. */
  #offsets: number[]

  constructor(options: { disk: Disk; log: Logger; directory: string; offsets: readonly number[] }) {
    this.#disk = options.disk
    this.#log = options.log
    this.#directory = options.directory
    this.#offsets = [...options.offsets].sort((a, b) => a - b)
  }

  get newest(): number {
    return this.#offsets.at(-1) ?? -1
  }

  /** The newest that reads, within [minimum, maximum]; those that do not read are removed. */
  async load(range: { minimum: number; maximum: number }): Promise<{ offset: number; entries: readonly ProducerEntry[] } | null> {
    for (const offset of this.#offsets.toReversed()) {
      if (offset > range.maximum || offset < range.minimum) continue
      const content = await readBounded(this.#disk, this.#path(offset))
      const entries = content === null ? null : decodeProducerSnapshot(content)
      if (entries !== null) return { offset, entries }
      this.#log.write('warn', 'a producer snapshot does not read; replaying the log from an older one', {
        path: this.#path(offset),
      })
      await this.#remove([offset])
    }
    return null
  }

  async write(offset: number, content: Buffer): Promise<void> {
    await this.#disk.writeFileAtomic(this.#path(offset), content)
    if (!this.#offsets.includes(offset)) this.#offsets = [...this.#offsets, offset].sort((a, b) => a - b)
  }

  /**
   * Removes what no start will need: below the log start, and between segments all but the newest and the one that a crash
   * now would begin from, below `storedRecoveryPoint`.
   */
  async prune(options: { logStartOffset: number; segmentBases: ReadonlySet<number>; storedRecoveryPoint: number }): Promise<void> {
    const { logStartOffset, segmentBases, storedRecoveryPoint } = options
    const needed = new Set(this.#offsets.slice(-newestKept))
    const begin = this.#offsets.findLast((offset) => offset <= storedRecoveryPoint)
    if (begin !== undefined) needed.add(begin)
    await this.#remove(this.#offsets.filter((offset) => !needed.has(offset) && (offset < logStartOffset || !segmentBases.has(offset))))
  }

  removeAbove(offset: number): Promise<void> {
    return this.#remove(this.#offsets.filter((candidate) => candidate > offset))
  }

  removeAll(): Promise<void> {
    return this.#remove(this.#offsets)
  }

  async #remove(offsets: readonly number[]): Promise<void> {
    if (offsets.length === 0) return
    const removed = new Set(offsets)
    this.#offsets = this.#offsets.filter((offset) => !removed.has(offset))
    for (const offset of removed) await this.#disk.remove(this.#path(offset))
  }

  #path(offset: number): string {
    return joinPath(this.#directory, offsetFileName(offset, snapshotSuffix))
  }
}
