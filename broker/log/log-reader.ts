/** Reads whole batches: from memory at the tail, from the segment files before it. Changes nothing. */
import { DiskError } from '../env/types.ts'
import { ErrorCode, WireError } from '../wire/errors.ts'
import { BATCH_HEADER_BYTES, type BatchHeader, lastOffset, readBatchHeader } from '../wire/record-batch.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { CachedRun } from './tail-cache.ts'
import type { ReadRequest, ReadResult } from './types.ts'

/** An index entry lies about this far before the batch looked for. */
const indexSlackBytes = 8 * 1024
/** More batches than this in one answer are copied together: thousands of small pieces cost a socket more than the copy. */
const piecesMax = 64
/** A segment may be deleted or replaced while it is read; the read then begins anew. */
const attemptsMax = 5

export function emptyRead(fromOffset: number, errorCode: ErrorCode = ErrorCode.NONE): ReadResult {
  return { errorCode, records: [], bytes: 0, firstOffset: fromOffset, nextOffset: fromOffset }
}

/** Null when the run in memory does not reach back to the offset. */
export function readFromMemory(run: CachedRun, request: ReadRequest): ReadResult | null {
  const start = run.indexOf(request.fromOffset)
  if (start === null) return null
  const records: Buffer[] = []
  let bytes = 0
  let firstOffset = request.fromOffset
  let nextOffset = request.fromOffset
  for (let index = start; ; index++) {
    const batch = run.at(index)
    if (batch === undefined || batch.baseOffset >= request.upToOffset) break
    if (!fits(bytes, batch.bytes.length, request)) break
    if (bytes === 0) firstOffset = batch.baseOffset
    records.push(batch.bytes)
    bytes += batch.bytes.length
    nextOffset = batch.lastOffset + 1
  }
  const pieces = records.length > piecesMax ? [Buffer.concat(records, bytes)] : records
  return { errorCode: ErrorCode.NONE, records: pieces, bytes, firstOffset, nextOffset }
}

/** Rejects with a DiskError when the disk does; bytes that no longer parse are answered with CORRUPT_MESSAGE. */
export async function readFromDisk(segments: SegmentList, request: ReadRequest): Promise<ReadResult> {
  for (let attempt = 1; ; attempt++) {
    let current: Segment | null = segments.floor(request.fromOffset)
    try {
      while (current !== null && current.baseOffset < request.upToOffset) {
        const result: ReadResult | null = await readSegment(current, request)
        if (result !== null) return result
        // Compaction may have left nothing at or above the offset in this segment.
        current = segments.after(current)
      }
      return emptyRead(request.fromOffset)
    } catch (error) {
      if (error instanceof WireError) return emptyRead(request.fromOffset, ErrorCode.CORRUPT_MESSAGE)
      const wasReplaced = current !== null && !segments.all.includes(current)
      if (!(error instanceof DiskError) || !wasReplaced || attempt >= attemptsMax) throw error
    }
  }
}

/** Null when the segment holds nothing at or above the offset. */
async function readSegment(segment: Segment, request: ReadRequest): Promise<ReadResult | null> {
  let start = await segment.lookup(request.fromOffset)
  let hasRebuilt = false
  for (;;) {
    const limit = segment.writtenBytes
    if (start.position >= limit) return null
    const wantedBytes = Math.min(limit - start.position, Math.max(request.maxBytes, BATCH_HEADER_BYTES) + indexSlackBytes)
    const buffer = await readAt(segment, start.position, wantedBytes)
    if (start.offset !== null && !hasRebuilt && !holdsAtStart(buffer, start.offset)) {
      await segment.rebuildIndexes()
      start = await segment.lookup(request.fromOffset)
      hasRebuilt = true
      continue
    }
    const { at, header } = skipTo(buffer, request.fromOffset)
    if (header === null) {
      if (at === 0) return null
      start = { position: start.position + at, offset: null }
    } else if (at + header.batchBytes <= buffer.length) {
      return collect(buffer, at, request)
    } else {
      return readOneBatch(segment, start.position + at, header, request)
    }
  }
}

/** The first batch is larger than what was read. */
async function readOneBatch(segment: Segment, position: number, header: BatchHeader, request: ReadRequest): Promise<ReadResult> {
  if (header.baseOffset >= request.upToOffset || !fits(0, header.batchBytes, request)) return emptyRead(request.fromOffset)
  if (position + header.batchBytes > segment.writtenBytes) {
    throw new WireError('TRUNCATED', `the batch at offset ${header.baseOffset} ends beyond its segment`)
  }
  return collect(await readAt(segment, position, header.batchBytes), 0, request)
}

/** Position of the first batch that ends at or above `offset`; its header is null when the buffer ends before it. */
function skipTo(buffer: Buffer, offset: number): { at: number; header: BatchHeader | null } {
  let at = 0
  while (at + BATCH_HEADER_BYTES <= buffer.length) {
    const header = readBatchHeader(buffer, at)
    if (lastOffset(header) >= offset) return { at, header }
    at += header.batchBytes
  }
  return { at, header: null }
}

/**
 * Whole batches, each beginning where the one before ends or above. A damaged file may say otherwise (the checksum does not
 * cover a batch's base offset): what is read must still end above where it began, or a reader would go round in circles.
 */
function collect(buffer: Buffer, from: number, request: ReadRequest): ReadResult {
  let at = from
  let firstOffset = request.fromOffset
  let nextOffset = request.fromOffset
  while (at + BATCH_HEADER_BYTES <= buffer.length) {
    const header = readBatchHeader(buffer, at)
    const isWhole = at + header.batchBytes <= buffer.length
    if (!isWhole || header.baseOffset >= request.upToOffset || !fits(at - from, header.batchBytes, request)) break
    if (at === from) firstOffset = header.baseOffset
    else if (header.baseOffset < nextOffset) break
    nextOffset = lastOffset(header) + 1
    at += header.batchBytes
  }
  const records = at > from ? [buffer.subarray(from, at)] : []
  return { errorCode: ErrorCode.NONE, records, bytes: at - from, firstOffset, nextOffset }
}

function fits(takenBytes: number, batchBytes: number, request: ReadRequest): boolean {
  return takenBytes + batchBytes <= request.maxBytes || (takenBytes === 0 && request.atLeastOneBatch)
}

/** Whether the index told the truth: an entry names the last offset of the batch it points to. */
function holdsAtStart(buffer: Buffer, expectedLastOffset: number): boolean {
  try {
    return lastOffset(readBatchHeader(buffer, 0)) === expectedLastOffset
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

async function readAt(segment: Segment, position: number, bytes: number): Promise<Buffer> {
  // Not from Node's shared pool: an answer waiting for a slow client must not pin its neighbours.
  const target = Buffer.allocUnsafeSlow(bytes)
  const file = await segment.file()
  return target.subarray(0, await file.read(position, target))
}
