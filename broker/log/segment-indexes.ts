/** The three indexes of a segment, and how they get to and from the disk. */
import type { Disk } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import { joinPath, offsetFileName, offsetIndexSuffix, timeIndexSuffix, transactionIndexSuffix } from './log-files.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

export class SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly transactions: TransactionIndex
  /** Entries already in the files, -1 when there is no file; a truncation lowers it. */
  #storedOffsets = -1
  #storedTimes = -1
  #storedTransactions = -1
  /** Unlike the others, the transaction index has a file only when it has, or had, entries. */
  #mayHaveTransactionFile = true

  constructor(baseOffset: number, parts: { offsets?: OffsetIndex; times?: TimeIndex; transactions?: TransactionIndex } = {}) {
    this.offsets = parts.offsets ?? new OffsetIndex(baseOffset)
    this.times = parts.times ?? new TimeIndex(baseOffset)
    this.transactions = parts.transactions ?? new TransactionIndex()
  }

  /** What the files hold; null when a file is absent or breaks its invariant. */
  static async load(disk: Disk, directory: string, baseOffset: number, segmentBytes: number): Promise<SegmentIndexes | null> {
    const read = (suffix: string) => readBounded(disk, joinPath(directory, offsetFileName(baseOffset, suffix)))
    const [offsetBytes, timeBytes, transactionBytes] = await Promise.all([
      read(offsetIndexSuffix),
      read(timeIndexSuffix),
      read(transactionIndexSuffix),
    ])
    if (offsetBytes === null || timeBytes === null) return null
    const offsets = OffsetIndex.parse(baseOffset, offsetBytes, segmentBytes)
    const times = TimeIndex.parse(baseOffset, timeBytes)
    const transactions = TransactionIndex.parse(transactionBytes ?? Buffer.alloc(0))
    if (offsets === null || times === null || transactions === null) return null
    const indexes = new SegmentIndexes(baseOffset, { offsets, times, transactions })
    indexes.#storedOffsets = offsets.content.length === offsetBytes.length ? offsets.count : offsets.count - 1
    indexes.#storedTimes = times.content.length === timeBytes.length ? times.count : times.count - 1
    indexes.#storedTransactions = transactions.entries.length
    indexes.#mayHaveTransactionFile = transactionBytes !== null
    return indexes
  }

  get bytes(): number {
    return this.offsets.content.length + this.times.content.length + this.transactions.entries.length * 64
  }

  /** Drops entries for what lies at or beyond a cut; aborted transactions may be kept up to a later offset. */
  truncate(cut: { readonly position: number; readonly offset: number; readonly transactionOffset?: number }): void {
    this.offsets.truncateToPosition(cut.position)
    this.times.truncateToOffset(cut.offset)
    this.transactions.truncateToOffset(cut.transactionOffset ?? cut.offset)
    // One less than is kept makes the next store cut the file to length.
    this.#storedOffsets = Math.min(this.#storedOffsets, this.offsets.count - 1)
    this.#storedTimes = Math.min(this.#storedTimes, this.times.count - 1)
    this.#storedTransactions = Math.min(this.#storedTransactions, this.transactions.entries.length - 1)
  }

  /** Brings the files up to date; a transaction index exists only when it has entries. */
  async store(disk: Disk, directory: string, baseOffset: number, extraSuffix = ''): Promise<void> {
    const path = (suffix: string): string => joinPath(directory, offsetFileName(baseOffset, suffix) + extraSuffix)
    const { offsets, times, transactions } = this
    const [offsetCount, timeCount, transactionCount] = [offsets.count, times.count, transactions.entries.length]
    await storeEntries(disk, path(offsetIndexSuffix), offsets.content, offsetCount, this.#storedOffsets)
    await storeEntries(disk, path(timeIndexSuffix), times.content, timeCount, this.#storedTimes)
    if (transactionCount > 0) {
      await storeEntries(disk, path(transactionIndexSuffix), transactions.content, transactionCount, this.#storedTransactions)
    } else if (this.#mayHaveTransactionFile) {
      await disk.remove(path(transactionIndexSuffix))
    }
    this.#mayHaveTransactionFile = transactionCount > 0
    this.#storedTransactions = transactionCount
    this.#storedOffsets = offsetCount
    this.#storedTimes = timeCount
  }
}

async function storeEntries(disk: Disk, path: string, content: Buffer, count: number, storedCount: number): Promise<void> {
  if (count === storedCount) return
  const position = Math.max(0, storedCount) * (count === 0 ? 0 : content.length / count)
  // A copy: appends go on in the index's own buffer while this is written.
  const added = Buffer.from(content.subarray(position))
  const file = await disk.open(path, { create: true })
  try {
    await file.write(position, [added])
    await file.truncate(content.length)
    await file.sync()
  } finally {
    await file.close()
  }
}
