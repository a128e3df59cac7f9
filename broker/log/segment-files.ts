/** The files of one segment under their present names: they are renamed together, and gone only when the log file is. */
import type { Disk, DiskFile } from '../env/types.ts'
import { deletedSuffix, joinPath, logSuffix, offsetFileName, segmentSuffixes, type SegmentSuffix } from './log-files.ts'
import { SegmentIndexes } from './segment-indexes.ts'

export class SegmentFiles {
  readonly disk: Disk
  readonly directory: string
  readonly baseOffset: number
  /** Empty for a live segment; `.cleaned` and `.swap` while compaction makes it, `.deleted` once it is out of the log. */
  #state: string

  constructor(options: { disk: Disk; directory: string; baseOffset: number; state: string }) {
    this.disk = options.disk
    this.directory = options.directory
    this.baseOffset = options.baseOffset
    this.#state = options.state
  }

  path(suffix: SegmentSuffix): string {
    return this.#pathIn(suffix, this.#state)
  }

  open(options: { create: boolean }): Promise<DiskFile> {
    return this.disk.open(this.path(logSuffix), options)
  }

  loadIndexes(segmentBytes: number): Promise<SegmentIndexes | null> {
    return SegmentIndexes.load(this.disk, this.directory, this.baseOffset, segmentBytes)
  }

  storeIndexes(indexes: SegmentIndexes): Promise<void> {
    return indexes.store(this.disk, this.directory, this.baseOffset, this.#state)
  }

  async rename(state: string): Promise<void> {
    // Without the log file the others mean nothing: it leaves a state first and enters one last.
    const suffixes = state === deletedSuffix ? segmentSuffixes : segmentSuffixes.toReversed()
    for (const suffix of suffixes) {
      const from = this.path(suffix)
      if ((await this.disk.stat(from)) !== null) await this.disk.rename(from, this.#pathIn(suffix, state))
    }
    this.#state = state
  }

  async remove(): Promise<void> {
    for (const suffix of segmentSuffixes) await this.disk.remove(this.path(suffix))
  }

  sync(): Promise<void> {
    return this.disk.syncDirectory(this.directory)
  }

  #pathIn(suffix: SegmentSuffix, state: string): string {
    return joinPath(this.directory, offsetFileName(this.baseOffset, suffix) + state)
  }
}
