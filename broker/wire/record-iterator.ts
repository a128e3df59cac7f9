/** The records of a batch as views: keys, values and header values point into the batch, or into its unpacked records. */
import { BATCH_HEADER_BYTES, compressionOf, usesLogAppendTime, type BatchHeader } from './batch-header.ts'
import { Compression, decompress } from './compression.ts'
import { WireError } from './errors.ts'
import { RecordCursor } from './record-cursor.ts'

/** What the records of one batch may unpack to, unless the caller says otherwise. */
export const UNPACKED_BATCH_BYTES_MAX = 256 * 1024 * 1024

/** The least a record takes: seven fields of one byte. */
export const RECORD_BYTES_MIN = 7

export interface RecordHeaderView {
  readonly key: string
  readonly value: Buffer | null
}

export interface RecordView {
  readonly offset: number
  /** The batch's own time when the log stamps records as they arrive. */
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeaderView[]
  /** What the record takes, its length field included. */
  readonly sizeBytes: number
}

const NO_HEADERS: readonly RecordHeaderView[] = Object.freeze([])

/**
 * The records of the batch at `position`, in order. Offsets need not be dense: compaction leaves gaps.
 * Throws WireError: TRUNCATED, MALFORMED_RECORD, or what decompress throws. Does not check the checksum.
 */
export function* recordsIn(
  buffer: Buffer,
  position: number,
  header: BatchHeader,
  unpackedBytesMax: number = UNPACKED_BATCH_BYTES_MAX,
): Generator<RecordView, void, undefined> {
  const cursor = openRecords(buffer, position, header, unpackedBytesMax)
  const stampedMs = usesLogAppendTime(header) ? header.maxTimestamp : null
  for (let index = 0; index < header.recordCount; index++) yield readRecord(cursor, header, stampedMs)
  if (cursor.position !== cursor.end) {
    throw new WireError('MALFORMED_RECORD', `${cursor.end - cursor.position} bytes after the last of ${header.recordCount} records`)
  }
}

/** A cursor at the first record, unpacked if need be. Throws WireError, also when so many records cannot be there. */
export function openRecords(buffer: Buffer, position: number, header: BatchHeader, unpackedBytesMax: number): RecordCursor {
  const end = position + header.batchBytes
  if (end > buffer.length) throw new WireError('TRUNCATED', `a batch of ${header.batchBytes} bytes, ${buffer.length - position} are left`)
  const compression = compressionOf(header)
  const start = position + BATCH_HEADER_BYTES
  let cursor = new RecordCursor(buffer, start, end)
  // A batch that compaction emptied keeps its codec, but has nothing to unpack.
  if (compression !== Compression.NONE && start < end) {
    const unpacked = decompress(compression, buffer.subarray(start, end), unpackedBytesMax)
    cursor = new RecordCursor(unpacked, 0, unpacked.length)
  }
  if (header.recordCount * RECORD_BYTES_MIN > cursor.end - cursor.position) {
    throw new WireError('MALFORMED_RECORD', `${header.recordCount} records in ${cursor.end - cursor.position} bytes`)
  }
  return cursor
}

function readRecord(cursor: RecordCursor, header: BatchHeader, stampedMs: number | null): RecordView {
  const start = cursor.position
  const bodyLength = cursor.length()
  const end = cursor.position + bodyLength
  cursor.byte()
  const timestampDelta = cursor.varlong()
  const offset = header.baseOffset + cursor.varint()
  const key = cursor.bytes()
  const value = cursor.bytes()
  const headers = readHeaders(cursor)
  if (bodyLength < 0 || cursor.position !== end) {
    throw new WireError('MALFORMED_RECORD', `a record of ${bodyLength} bytes has fields of ${cursor.position - end + bodyLength}`)
  }
  return { offset, timestampMs: stampedMs ?? header.baseTimestamp + timestampDelta, key, value, headers, sizeBytes: end - start }
}

function readHeaders(cursor: RecordCursor): readonly RecordHeaderView[] {
  const count = cursor.varint()
  if (count === 0) return NO_HEADERS
  // A header takes two bytes at least, which bounds what is allocated.
  if (count < 0 || count * 2 > cursor.end - cursor.position) throw new WireError('MALFORMED_RECORD', `${count} headers`)
  const headers: RecordHeaderView[] = []
  for (let index = 0; index < count; index++) {
    const key = cursor.bytes()
    if (key === null) throw new WireError('MALFORMED_RECORD', 'a header without a key')
    headers.push({ key: key.toString('utf8'), value: cursor.bytes() })
  }
  return headers
}
