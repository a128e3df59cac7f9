/** Indexes of a closed segment made anew from its batches. */
import type { Disk, DiskFile } from '../env/types.ts'
import { type BatchHeader, isControl, isTransactional, lastOffset } from '../wire/record-batch.ts'
import { readBounded } from './bounded-read.ts'
import { joinPath, offsetFileName, transactionIndexSuffix } from './log-files.ts'
import { readMarker } from './producer-state.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { scanBatches } from './segment-scan.ts'
import { TransactionIndex } from './transaction-index.ts'

/** The default of index.interval.bytes: the new index need not be the one it replaces. */
const indexIntervalBytes = 4096
const relativeOffsetMaximum = 2_147_483_647

export interface IndexRebuild {
  readonly disk: Disk
  readonly directory: string
  readonly baseOffset: number
  readonly file: DiskFile
  readonly bytes: number
}

/**
 * A transaction index that still reads is kept. Of one that does not, transactions begun in an earlier segment are
 * entered from this segment's start: right for readers of this segment, which are the ones that ask.
 */
export async function rebuildIndexes(options: IndexRebuild): Promise<SegmentIndexes> {
  const { baseOffset, file, bytes } = options
  const keptTransactions = await loadTransactions(options)
  const indexes = new SegmentIndexes(baseOffset, { transactions: keptTransactions ?? new TransactionIndex() })
  const starts = new Map<number, number>()
  let largestMs = -1
  let largestOffset = baseOffset
  let bytesSinceEntry = 0
  const range = {
    fromPosition: 0,
    toPosition: bytes,
    minimumOffset: baseOffset,
    maximumOffset: baseOffset + relativeOffsetMaximum,
    checkCrc: false,
  }
  await scanBatches(file, range, ({ header, position, buffer, bufferPosition }) => {
    if (header.maxTimestamp > largestMs) {
      largestMs = header.maxTimestamp
      largestOffset = lastOffset(header)
    }
    if (bytesSinceEntry > indexIntervalBytes) {
      indexes.offsets.append(lastOffset(header), position)
      indexes.times.append(largestMs, largestOffset)
      bytesSinceEntry = 0
    }
    bytesSinceEntry += header.batchBytes
    if (keptTransactions === null) enterTransaction(indexes.transactions, starts, baseOffset, buffer, bufferPosition, header)
  })
  indexes.times.append(largestMs, largestOffset)
  return indexes
}

async function loadTransactions({ disk, directory, baseOffset }: IndexRebuild): Promise<TransactionIndex | null> {
  const content = await readBounded(disk, joinPath(directory, offsetFileName(baseOffset, transactionIndexSuffix)))
  return content === null ? new TransactionIndex() : TransactionIndex.parse(content)
}

function enterTransaction(
  index: TransactionIndex,
  starts: Map<number, number>,
  baseOffset: number,
  buffer: Buffer,
  position: number,
  header: BatchHeader,
): void {
  if (!isTransactional(header)) return
  if (!isControl(header)) {
    if (!starts.has(header.producerId)) starts.set(header.producerId, header.baseOffset)
    return
  }
  const marker = readMarker(buffer, position, header)
  if (marker === null) return
  if (marker.isAbort) {
    const markerOffset = lastOffset(header)
    index.append({
      producerId: header.producerId,
      firstOffset: starts.get(header.producerId) ?? baseOffset,
      lastOffset: markerOffset,
      lastStableOffset: markerOffset + 1,
    })
  }
  starts.delete(header.producerId)
}
