/** Finding records by their timestamps, with the time indexes (KIP-79, KIP-734). Changes nothing. */
import { WireError } from '../wire/errors.ts'
import { batchesIn, type BatchHeader, recordsIn, usesLogAppendTime } from '../wire/record-batch.ts'
import type { Segment } from './segment.ts'
import type { ReadRequest, ReadResult } from './types.ts'

const scanBytes = 1024 * 1024

export interface TimeLookupOptions {
  readonly segments: readonly Segment[]
  readonly read: (request: ReadRequest) => Promise<ReadResult>
  readonly logStartOffset: number
  readonly upToOffset: number
}

export interface FoundRecord {
  readonly offset: number
  readonly timestampMs: number
}

/** The first record with a timestamp >= `timestampMs`, or null. Rejects as `read` does. */
export async function findByTimestamp(options: TimeLookupOptions, timestampMs: number): Promise<FoundRecord | null> {
  for (const segment of options.segments) {
    if (segment.baseOffset >= options.upToOffset) return null
    const largest = await segment.largestTimestamp()
    if (largest === null || largest.timestampMs < timestampMs) continue
    const indexes = await segment.indexes()
    // Its entry names the largest time BEFORE the target: what is looked for lies at or after it.
    const scanFrom = Math.max(options.logStartOffset, indexes.times.offsetToScanFrom(timestampMs - 1))
    const found = await scanSegment(options, segment, scanFrom, timestampMs)
    if (found !== null) return found
  }
  return null
}

/** The first of the records with the largest timestamp, or null when no record has one. */
export async function findLargestTimestamp(options: TimeLookupOptions): Promise<FoundRecord | null> {
  let largestMs = -1
  for (const segment of options.segments) {
    if (segment.baseOffset >= options.upToOffset) break
    const largest = await segment.largestTimestamp()
    if (largest === null) continue
    const isVisible = largest.offset < options.upToOffset
    largestMs = Math.max(largestMs, isVisible ? largest.timestampMs : await largestVisible(options, segment))
  }
  return largestMs < 0 ? null : findByTimestamp(options, largestMs)
}

async function largestVisible(options: TimeLookupOptions, segment: Segment): Promise<number> {
  let largestMs = -1
  await eachBatch(options, segment, Math.max(segment.baseOffset, options.logStartOffset), (_buffer, _position, header) => {
    largestMs = Math.max(largestMs, header.maxTimestamp)
    return false
  })
  return largestMs
}

async function scanSegment(
  options: TimeLookupOptions,
  segment: Segment,
  fromOffset: number,
  timestampMs: number,
): Promise<FoundRecord | null> {
  let found: FoundRecord | null = null
  await eachBatch(options, segment, fromOffset, (buffer, position, header) => {
    if (header.maxTimestamp >= timestampMs) found = findInBatch(options, buffer, position, header, timestampMs)
    return found !== null
  })
  return found
}

function findInBatch(
  { logStartOffset, upToOffset }: TimeLookupOptions,
  buffer: Buffer,
  position: number,
  header: BatchHeader,
  timestampMs: number,
): FoundRecord | null {
  if (usesLogAppendTime(header)) {
    return { offset: Math.max(header.baseOffset, logStartOffset), timestampMs: header.maxTimestamp }
  }
  for (const record of recordsIn(buffer, position, header)) {
    if (record.offset >= upToOffset) return null
    if (record.offset >= logStartOffset && record.timestampMs >= timestampMs) {
      return { offset: record.offset, timestampMs: record.timestampMs }
    }
  }
  return null
}

/** Calls `look` for each batch of the segment from an offset on, until it says true or the visible part ends. */
async function eachBatch(
  options: TimeLookupOptions,
  segment: Segment,
  fromOffset: number,
  look: (buffer: Buffer, position: number, header: BatchHeader) => boolean,
): Promise<void> {
  const { upToOffset } = options
  let offset = fromOffset
  while (offset < segment.nextOffset && offset < upToOffset) {
    const result = await options.read({ fromOffset: offset, maxBytes: scanBytes, upToOffset, atLeastOneBatch: true })
    for (const buffer of result.records) {
      for (const { header, position } of batchesIn(buffer)) if (look(buffer, position, header)) return
    }
    if (result.nextOffset <= offset) return
    offset = result.nextOffset
  }
}

/** Runs a lookup; stored bytes that no longer parse are as good as no record. */
export async function unlessCorrupt<T>(lookup: Promise<T | null>): Promise<T | null> {
  try {
    return await lookup
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
