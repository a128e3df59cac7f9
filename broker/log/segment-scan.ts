/** Reads the batches of a segment file front to back, a large chunk at a time, the next being read while one is looked at. */
import type { DiskFile } from '../env/types.ts'
import { WireError } from '../wire/errors.ts'
import { BATCH_HEADER_BYTES, batchCrcIsValid, type BatchHeader, lastOffset, readBatchHeader } from '../wire/record-batch.ts'

const defaultChunkBytes = 4 * 1024 * 1024

export interface ScanRange {
  readonly fromPosition: number
  readonly toPosition: number
  /** Batches must start at or above this; raised by each batch. */
  readonly minimumOffset: number
  /** Offsets a segment can index. */
  readonly maximumOffset: number
  readonly checkCrc: boolean
  /** Looked at without letting others in; smaller where each batch costs much. */
  readonly chunkBytes?: number
}

export interface ScannedBatch {
  readonly header: BatchHeader
  /** In the file. */
  readonly position: number
  /** Holds the batch at `bufferPosition`, during the call only. */
  readonly buffer: Buffer
  readonly bufferPosition: number
}

export interface ScanResult {
  /** Where good batches end: `toPosition` when all are good. */
  readonly endPosition: number
  /** Why the scan stopped early. */
  readonly problem: string | null
}

/** Calls `onBatch` for each good batch in order; `false` from it ends the scan. Rejects only when the disk does. */
export async function scanBatches(file: DiskFile, range: ScanRange, onBatch: (batch: ScannedBatch) => boolean | void): Promise<ScanResult> {
  const chunkBytes = range.chunkBytes ?? defaultChunkBytes
  let position = range.fromPosition
  let minimumOffset = range.minimumOffset
  let wantedBytes = chunkBytes
  let reading = readChunk(file, position, Math.min(wantedBytes, range.toPosition - position))
  while (position < range.toPosition) {
    const chunk = await reading
    const chunkEnd = wholeBatchesEnd(chunk)
    const nextPosition = position + chunkEnd
    // The next chunk is on its way while this one is checked, unless a single batch is larger than the chunk.
    if (chunkEnd > 0) reading = readChunk(file, nextPosition, Math.min(chunkBytes, range.toPosition - nextPosition))
    let at = 0
    while (at < chunkEnd) {
      const checked = checkedHeader(chunk, at, minimumOffset, range)
      if (typeof checked === 'string') return stopped(reading, position + at, checked)
      const isWanted = onBatch({ header: checked, position: position + at, buffer: chunk, bufferPosition: at })
      at += checked.batchBytes
      if (isWanted === false) return stopped(reading, position + at, null)
      minimumOffset = lastOffset(checked) + 1
    }
    position = nextPosition
    if (chunkEnd > 0) continue
    wantedBytes = firstBatchBytes(chunk)
    if (wantedBytes <= chunk.length || wantedBytes > range.toPosition - position) {
      return { endPosition: position, problem: `no whole batch at position ${position}` }
    }
    reading = readChunk(file, position, wantedBytes)
  }
  await reading
  return { endPosition: position, problem: null }
}

/** A chunk on its way is awaited, so that nobody closes the file under it and no failure goes unheard. */
async function stopped(reading: Promise<Buffer>, endPosition: number, problem: string | null): Promise<ScanResult> {
  await reading
  return { endPosition, problem }
}

function readChunk(file: DiskFile, position: number, bytes: number): Promise<Buffer> {
  if (bytes <= 0) return Promise.resolve(Buffer.alloc(0))
  const target = Buffer.allocUnsafeSlow(bytes)
  const chunk = file.read(position, target).then((count) => target.subarray(0, count))
  // When the caller throws meanwhile, nobody waits for the chunk read ahead; its failure must not end the process.
  chunk.catch(() => undefined)
  return chunk
}

/** Where the last batch that lies wholly in `chunk` ends, by their length fields alone. */
function wholeBatchesEnd(chunk: Buffer): number {
  let end = 0
  while (end + BATCH_HEADER_BYTES <= chunk.length) {
    const bytes = chunk.readInt32BE(end + 8) + 12
    // A length that cannot be is left to the header check, as a batch of this chunk.
    if (bytes < BATCH_HEADER_BYTES) return end + BATCH_HEADER_BYTES
    if (end + bytes > chunk.length) return end
    end += bytes
  }
  return end
}

function firstBatchBytes(chunk: Buffer): number {
  return chunk.length < BATCH_HEADER_BYTES ? 0 : chunk.readInt32BE(8) + 12
}

function checkedHeader(chunk: Buffer, at: number, minimumOffset: number, range: ScanRange): BatchHeader | string {
  try {
    const header = readBatchHeader(chunk, at)
    if (header.baseOffset < minimumOffset) return `offset ${header.baseOffset} where at least ${minimumOffset} is due`
    if (lastOffset(header) > range.maximumOffset) return `offset ${lastOffset(header)} beyond what the segment can hold`
    if (range.checkCrc && !batchCrcIsValid(chunk, at, header)) return `the batch at offset ${header.baseOffset} fails its checksum`
    return header
  } catch (error) {
    if (error instanceof WireError) return error.message
    throw error
  }
}
