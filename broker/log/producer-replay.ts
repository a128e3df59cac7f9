/** Producer state read back from the log: all of it after a truncation, the five-batch windows after a start. */
import { type BatchHeader, lastOffset } from '../wire/record-batch.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import { scanBatches, type ScanRange } from './segment-scan.ts'
import type { SnapshotFiles } from './snapshot-files.ts'

/** A producer may still repeat its last requests for this long (delivery.timeout.ms is 2 minutes by default). */
const retryWindowMs = 10 * 60 * 1000
/** How far back its last five batches are looked for: five batches of the default maximum size, and some. */
const windowBytesMax = 8 * 1024 * 1024

/** Makes `producers` what it was at `endOffset`: from the newest snapshot below it and the batches between. */
export async function replayProducers(
  producers: ProducerState,
  snapshots: SnapshotFiles,
  segments: SegmentList,
  endOffset: number,
): Promise<void> {
  const firstOffset = segments.first.baseOffset
  const snapshot = await snapshots.load({ minimum: firstOffset, maximum: endOffset })
  producers.restore(snapshot?.entries ?? [])
  const replayFrom = snapshot?.offset ?? firstOffset
  for (const segment of segments.from(replayFrom)) {
    if (segment.writtenBytes === 0 || segment.baseOffset >= endOffset) continue
    const { position } = await segment.lookup(replayFrom)
    await scanBatches(await segment.file(), scanRange(segment, position), ({ header, buffer, bufferPosition }) => {
      if (lastOffset(header) >= endOffset) return false
      if (header.baseOffset >= replayFrom) producers.replay(buffer, bufferPosition, header)
      return true
    })
  }
}

/**
 * A snapshot keeps only the last batch of each producer. Those that wrote lately get their windows back from the tail of
 * the log, so that a retry of any of their last five requests is still known as one.
 */
export async function restoreWindows(producers: ProducerState, segments: SegmentList, nowMs: number): Promise<void> {
  const hasRecent = [...producers.producers].some((entry) => entry.lastTimestampMs > nowMs - retryWindowMs)
  if (!hasRecent) return
  let remainingBytes = windowBytesMax
  for (const segment of segments.all.toReversed()) {
    if (remainingBytes <= 0) return
    await restoreFrom(segment, producers, remainingBytes)
    remainingBytes -= segment.writtenBytes
  }
}

async function restoreFrom(segment: Segment, producers: ProducerState, bytesMax: number): Promise<void> {
  if (segment.writtenBytes === 0) return
  const headers: BatchHeader[] = []
  const { offsets } = await segment.indexes()
  const start = offsets.lookupPosition(segment.writtenBytes - bytesMax)
  const file = await segment.file()
  await scanBatches(file, scanRange(segment, start), ({ header }) => {
    if (header.producerId >= 0) headers.push(header)
  })
  for (const header of headers.toReversed()) producers.rememberOlderBatch(header)
}

function scanRange(segment: Segment, fromPosition: number): ScanRange {
  return {
    fromPosition,
    toPosition: segment.writtenBytes,
    minimumOffset: segment.baseOffset,
    maximumOffset: Infinity,
    checkCrc: false,
  }
}
