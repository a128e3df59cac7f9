/**
 * The records of one batch, unpacked, walked with as little work as can be: lengths are skipped over until a record is
 * wanted. Deletes nothing and copies nothing; views point into the batch or its unpacked bytes.
 */
import { BATCH_HEADER_BYTES, compressionOf, usesLogAppendTime, type BatchHeader } from '../../wire/record-batch.ts'
import { Compression, decompress } from '../../wire/compression.ts'
import { RecordCursor } from '../../wire/record-cursor.ts'
import { WireError } from '../../wire/errors.ts'
import type { TextMatcher } from './text-matcher.ts'

/** What one batch may unpack to. */
export const unpackedBatchBytesMax = 256 * 1024 * 1024

/** Positions of a record's parts in its block; -1 lengths are nulls. */
export interface RecordSpan {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly timestampMs: number
  readonly keyAt: number
  readonly keyBytes: number
  readonly valueAt: number
  readonly valueBytes: number
  readonly headersAt: number
  readonly headerCount: number
}

/** The block's bytes. Throws WireError for what cannot be unpacked. */
export function openBlock(buffer: Buffer, position: number, header: BatchHeader): { buffer: Buffer; start: number; end: number } {
  const start = position + BATCH_HEADER_BYTES
  const end = position + header.batchBytes
  const compression = compressionOf(header)
  if (compression === Compression.NONE || start === end) return { buffer, start, end }
  const unpacked = decompress(compression, buffer.subarray(start, end), unpackedBatchBytesMax)
  return { buffer: unpacked, start: 0, end: unpacked.length }
}

/**
 * Calls `onRecord` for each record that matches (all of them without a matcher), in offset order. Throws WireError for a
 * malformed record; those before it have been given.
 */
export function eachMatch(
  buffer: Buffer,
  position: number,
  header: BatchHeader,
  matcher: TextMatcher | null,
  onRecord: (record: RecordSpan) => void,
): void {
  const block = openBlock(buffer, position, header)
  const cursor = new RecordCursor(block.buffer, block.start, block.end)
  if (matcher === null) {
    for (let index = 0; index < header.recordCount; index += 1) onRecord(readSpan(cursor, header))
    return
  }
  const search = matcher.search(block.buffer, block.start, block.end)
  let hit = search.next(block.start)
  for (let index = 0; index < header.recordCount && hit !== null; index += 1) {
    const start = cursor.position
    const bodyBytes = cursor.length()
    const end = cursor.position + Math.max(0, bodyBytes)
    if (hit.start >= end) {
      cursor.position = end
      continue
    }
    cursor.position = start
    const record = readSpan(cursor, header)
    while (hit !== null && hit.start < end && !isInField(record, hit.start, hit.end, matcher)) hit = search.next(hit.start + 1)
    if (hit === null || hit.start >= end) continue
    onRecord(record)
    hit = search.next(end)
  }
}

/** The record at an offset; `null` when the batch does not hold it. */
export function findRecord(buffer: Buffer, position: number, header: BatchHeader, offset: number): RecordSpan | null {
  const block = openBlock(buffer, position, header)
  const cursor = new RecordCursor(block.buffer, block.start, block.end)
  for (let index = 0; index < header.recordCount; index += 1) {
    const record = readSpan(cursor, header)
    if (record.offset === offset) return record
  }
  return null
}

export function keyOf(record: RecordSpan): Buffer | null {
  return record.keyBytes < 0 ? null : record.buffer.subarray(record.keyAt, record.keyAt + record.keyBytes)
}

export function valueOf(record: RecordSpan): Buffer | null {
  return record.valueBytes < 0 ? null : record.buffer.subarray(record.valueAt, record.valueAt + record.valueBytes)
}

export function headersOf(record: RecordSpan): readonly { readonly key: string; readonly value: Buffer | null }[] {
  const cursor = new RecordCursor(record.buffer, record.headersAt, record.end)
  const headers: { key: string; value: Buffer | null }[] = []
  for (let index = 0; index < record.headerCount; index += 1) {
    const key = cursor.bytes()
    headers.push({ key: key?.toString('utf8') ?? '', value: cursor.bytes() })
  }
  return headers
}

function readSpan(cursor: RecordCursor, header: BatchHeader): RecordSpan {
  const start = cursor.position
  const bodyBytes = cursor.length()
  const end = cursor.position + bodyBytes
  cursor.byte()
  const timestampDelta = cursor.varlong()
  const offset = header.baseOffset + cursor.varint()
  const keyBytes = cursor.length()
  const keyAt = cursor.position
  cursor.position += Math.max(0, keyBytes)
  const valueBytes = cursor.length()
  const valueAt = cursor.position
  cursor.position += Math.max(0, valueBytes)
  const headerCount = cursor.varint()
  const headersAt = cursor.position
  if (bodyBytes < 0 || headersAt > end || headerCount < 0 || headerCount * 2 > end - headersAt) {
    throw new WireError('MALFORMED_RECORD', `the record at offset ${offset} does not fit its length of ${bodyBytes} bytes`)
  }
  cursor.position = end
  const timestampMs = usesLogAppendTime(header) ? header.maxTimestamp : header.baseTimestamp + timestampDelta
  return { buffer: cursor.buffer, start, end, offset, timestampMs, keyAt, keyBytes, valueAt, valueBytes, headersAt, headerCount }
}

function isInField(record: RecordSpan, start: number, end: number, matcher: TextMatcher): boolean {
  if (matcher.inKey && start >= record.keyAt && end <= record.keyAt + record.keyBytes) return true
  if (matcher.inValue && start >= record.valueAt && end <= record.valueAt + record.valueBytes) return true
  return matcher.inHeaders && start >= record.headersAt && end <= record.end && isInHeader(record, start, end)
}

function isInHeader(record: RecordSpan, start: number, end: number): boolean {
  const cursor = new RecordCursor(record.buffer, record.headersAt, record.end)
  for (let part = 0; part < record.headerCount * 2; part += 1) {
    const bytes = cursor.length()
    const at = cursor.position
    if (start >= at && end <= at + bytes) return true
    cursor.position += Math.max(0, bytes)
  }
  return false
}
