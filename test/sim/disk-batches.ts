/** The batches of a log as they lie on a simulated disk: read beside the broker's own code, caches and indexes. */
import type { SimulatedDisk } from '../../broker/env/simulated.ts'
import { WireError } from '../../broker/wire/errors.ts'
import { batchCrcIsValid, BATCH_HEADER_BYTES, readBatchHeader, type BatchHeader } from '../../broker/wire/record-batch.ts'

export interface StoredBatch {
  readonly header: BatchHeader
  readonly lastOffset: number
  /** The whole batch. */
  readonly bytes: Buffer
}

/** Where a reader stands; owned by it, and good until the log is cut. */
export interface DiskPosition {
  /** Null: to be looked for. */
  path: string | null
  position: number
  nextOffset: number
}

export const startPosition = (): DiskPosition => ({ path: null, position: 0, nextOffset: 0 })

/** Reads on from `at` to the last whole batch, moving it. Ends early when `visit` answers false; that batch is read again. */
export function readBatches(disk: SimulatedDisk, directory: string, at: DiskPosition, visit: (batch: StoredBatch) => boolean): void {
  for (;;) {
    at.path ??= segmentOf(disk, directory, at.nextOffset)
    if (at.path === null) return
    // A log cut to its snapshot begins, and may even end, at the name of its first segment.
    at.nextOffset = Math.max(at.nextOffset, baseOffsetOf(at.path))
    if (!readSegment(disk, at.path, at, visit)) return
    const next = segmentAfter(disk, directory, at.path)
    if (next === null) return
    at.path = next
    at.position = 0
  }
}

/** False when `visit` had enough. */
function readSegment(disk: SimulatedDisk, path: string, at: DiskPosition, visit: (batch: StoredBatch) => boolean): boolean {
  const inode = disk.names.inode(path)
  if (inode === null || inode.length <= at.position) return true
  const bytes = Buffer.alloc(inode.length - at.position)
  inode.read(at.position, bytes)
  let position = 0
  while (bytes.length - position >= BATCH_HEADER_BYTES) {
    const header = headerAt(bytes, position)
    if (header === null) return true
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    const batch = { header, lastOffset, bytes: bytes.subarray(position, position + header.batchBytes) }
    if (lastOffset >= at.nextOffset && !visit(batch)) return false
    position += header.batchBytes
    at.position += header.batchBytes
    at.nextOffset = lastOffset + 1
  }
  return true
}

/** Null for what is no whole batch: the rest of a torn write. */
function headerAt(bytes: Buffer, position: number): BatchHeader | null {
  try {
    const header = readBatchHeader(bytes, position)
    return position + header.batchBytes <= bytes.length && batchCrcIsValid(bytes, position, header) ? header : null
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

function segmentsOf(disk: SimulatedDisk, directory: string): string[] {
  return disk.names.list(directory).filter((name) => name.endsWith('.log'))
}

function baseOffsetOf(path: string): number {
  return Number.parseInt(path.slice(path.lastIndexOf('/') + 1), 10)
}

function segmentOf(disk: SimulatedDisk, directory: string, offset: number): string | null {
  const names = segmentsOf(disk, directory)
  const name = names.findLast((candidate) => Number.parseInt(candidate, 10) <= offset) ?? names[0]
  return name === undefined ? null : `${directory}/${name}`
}

function segmentAfter(disk: SimulatedDisk, directory: string, path: string): string | null {
  const name = segmentsOf(disk, directory).find((candidate) => `${directory}/${candidate}` > path)
  return name === undefined ? null : `${directory}/${name}`
}
