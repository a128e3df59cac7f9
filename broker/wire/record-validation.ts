/**
 * Whether the records inside a produced batch are what its header says, without building objects for them. The checksum and the
 * header's own fields are checked elsewhere; here every length, count and offset delta of the inner records.
 */
import type { BatchHeader } from './batch-header.ts'
import { ErrorCode, WireError } from './errors.ts'
import type { RecordCursor } from './record-cursor.ts'
import { openRecords, UNPACKED_BATCH_BYTES_MAX } from './record-iterator.ts'

export interface RecordsProblem {
  /** What a producer is answered with. */
  readonly errorCode: ErrorCode
  /** The record at fault, counted from 0; -1 when it is the batch as a whole. */
  readonly recordIndex: number
  readonly message: string
}

export interface RecordsFacts {
  readonly problem: null
  /** The first record without a key; -1 when all have one. Compacted topics refuse such records. */
  readonly firstIndexWithoutKey: number
  /** The largest timestamp of a record; -1 without records. Records before it are not later. */
  readonly maxTimestampMs: number
  readonly maxTimestampOffsetDelta: number
  readonly unpackedBytes: number
}

/**
 * Walks the records of the batch at `position`: as many as the header says, offset deltas 0, 1, 2 and so on up to its last one,
 * every field inside its record, nothing after them. Never throws for what arrives; a problem is returned.
 */
export function validateRecords(
  buffer: Buffer,
  position: number,
  header: BatchHeader,
  unpackedBytesMax: number = UNPACKED_BATCH_BYTES_MAX,
): RecordsFacts | { readonly problem: RecordsProblem } {
  if (header.recordCount !== header.lastOffsetDelta + 1) {
    return invalid(-1, `${header.recordCount} records, but a last offset delta of ${header.lastOffsetDelta}`)
  }
  let index = -1
  try {
    const cursor = openRecords(buffer, position, header, unpackedBytesMax)
    const unpackedBytes = cursor.end - cursor.position
    let firstIndexWithoutKey = -1
    let maxTimestampMs = -1
    let maxTimestampOffsetDelta = -1
    for (index = 0; index < header.recordCount; index++) {
      const bodyLength = cursor.length()
      const end = cursor.position + bodyLength
      cursor.byte()
      const timestampMs = header.baseTimestamp + cursor.varlong()
      const offsetDelta = cursor.varint()
      if (offsetDelta !== index) return invalid(index, `offset delta ${offsetDelta} where ${index} is due`)
      const keyLength = cursor.length()
      cursor.position += Math.max(keyLength, 0)
      cursor.skipBytes()
      skipHeaders(cursor)
      if (bodyLength < 0 || cursor.position !== end) return invalid(index, `its length of ${bodyLength} bytes is not where its fields end`)
      if (keyLength === -1 && firstIndexWithoutKey === -1) firstIndexWithoutKey = index
      if (timestampMs > maxTimestampMs) {
        maxTimestampMs = timestampMs
        maxTimestampOffsetDelta = offsetDelta
      }
    }
    if (cursor.position !== cursor.end) return invalid(-1, `${cursor.end - cursor.position} bytes after the last record`)
    return { problem: null, firstIndexWithoutKey, maxTimestampMs, maxTimestampOffsetDelta, unpackedBytes }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { problem: { errorCode: errorCodeFor(error), recordIndex: index, message: error.message } }
  }
}

function skipHeaders(cursor: RecordCursor): void {
  const count = cursor.varint()
  if (count < 0) throw new WireError('MALFORMED_RECORD', `${count} headers`)
  for (let left = count; left > 0; left--) {
    const keyLength = cursor.length()
    if (keyLength === -1) throw new WireError('MALFORMED_RECORD', 'a header without a key')
    cursor.position += keyLength
    cursor.skipBytes()
  }
}

function invalid(recordIndex: number, message: string): { readonly problem: RecordsProblem } {
  return { problem: { errorCode: ErrorCode.INVALID_RECORD, recordIndex, message } }
}

function errorCodeFor(error: WireError): ErrorCode {
  switch (error.code) {
    case 'UNSUPPORTED_COMPRESSION':
      return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
    case 'DECOMPRESSED_TOO_LARGE':
      return ErrorCode.MESSAGE_TOO_LARGE
    case 'MALFORMED_COMPRESSION':
      return ErrorCode.CORRUPT_MESSAGE
    default:
      return ErrorCode.INVALID_RECORD
  }
}
