/** Builds record batches (message format v2): for the client's producers, the coordinators, the quorum and compaction. */
import { BATCH_HEADER_BYTES, BATCH_OVERHEAD_BYTES, BatchAttribute, MAGIC, patchCrc, writeInt64At } from './batch-header.ts'
import { compress, Compression } from './compression.ts'
import { varintBytes, writeVarint } from './record-cursor.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface RecordToEncode {
  /** Distance from the base offset; the record's index when absent. */
  readonly offsetDelta?: number
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
}

export interface BatchToEncode {
  readonly records: readonly RecordToEncode[]
  readonly compression?: Compression
  /** For gzip and zstd; the library's default when absent. */
  readonly compressionLevel?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly timestampType?: 'CreateTime' | 'LogAppendTime'
  /** For batches that lost records to compaction and keep their span; the last record's delta when absent. */
  readonly lastOffsetDelta?: number
  /** Kept likewise; the largest of the records when absent, -1 without records. */
  readonly maxTimestampMs?: number
  /** When tombstones and markers in it may go; takes the place of the base timestamp. */
  readonly deleteHorizonMs?: number
}

const NO_HEADERS: readonly RecordHeader[] = []

/** One batch, checksum included. Key and value bytes are copied once, or compressed from that copy. */
export function encodeBatch(batch: BatchToEncode): Buffer {
  const { records, compression = Compression.NONE } = batch
  const baseTimestamp = batch.deleteHorizonMs ?? records[0]?.timestampMs ?? -1
  const bodies = records.map((record, index) => bodyBytes(record, index, baseTimestamp))
  const recordsBytes = bodies.reduce((total, body) => total + varintBytes(body) + body, 0)
  const isCompressed = compression !== Compression.NONE && records.length > 0

  const plain = Buffer.allocUnsafe(isCompressed ? recordsBytes : BATCH_HEADER_BYTES + recordsBytes)
  let at = isCompressed ? 0 : BATCH_HEADER_BYTES
  for (let index = 0; index < records.length; index++) at = writeRecord(plain, at, records[index]!, index, bodies[index]!, baseTimestamp)

  const buffer = isCompressed ? withRoomForHeader(compress(compression, plain, batch.compressionLevel)) : plain
  writeHeader(buffer, batch, baseTimestamp, isCompressed ? compression : Compression.NONE)
  patchCrc(buffer, 0)
  return buffer
}

function withRoomForHeader(compressed: Buffer): Buffer {
  const buffer = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressed.length)
  compressed.copy(buffer, BATCH_HEADER_BYTES)
  return buffer
}

function writeHeader(buffer: Buffer, batch: BatchToEncode, baseTimestamp: number, compression: Compression): void {
  const { records } = batch
  const lastIndex = records.length - 1
  const lastOffsetDelta = batch.lastOffsetDelta ?? (lastIndex < 0 ? 0 : (records[lastIndex]!.offsetDelta ?? lastIndex))
  writeInt64At(buffer, 0, batch.baseOffset ?? 0)
  buffer.writeInt32BE(buffer.length - BATCH_OVERHEAD_BYTES, 8)
  buffer.writeInt32BE(batch.partitionLeaderEpoch ?? -1, 12)
  buffer.writeInt8(MAGIC, 16)
  buffer.writeInt16BE(attributesOf(batch, compression), 21)
  buffer.writeInt32BE(lastOffsetDelta, 23)
  writeInt64At(buffer, 27, baseTimestamp)
  writeInt64At(buffer, 35, batch.maxTimestampMs ?? largestTimestamp(records))
  writeInt64At(buffer, 43, batch.producerId ?? -1)
  buffer.writeInt16BE(batch.producerEpoch ?? -1, 51)
  buffer.writeInt32BE(batch.baseSequence ?? -1, 53)
  buffer.writeInt32BE(records.length, 57)
}

function attributesOf(batch: BatchToEncode, compression: Compression): number {
  let attributes: number = compression
  if (batch.timestampType === 'LogAppendTime') attributes |= BatchAttribute.LOG_APPEND_TIME
  if (batch.isTransactional) attributes |= BatchAttribute.TRANSACTIONAL
  if (batch.isControl) attributes |= BatchAttribute.CONTROL
  if (batch.deleteHorizonMs !== undefined) attributes |= BatchAttribute.DELETE_HORIZON
  return attributes
}

function largestTimestamp(records: readonly RecordToEncode[]): number {
  let largest = -1
  for (const { timestampMs } of records) largest = Math.max(largest, timestampMs)
  return largest
}

/** What a record takes after its length. */
function bodyBytes(record: RecordToEncode, index: number, baseTimestamp: number): number {
  const headers = record.headers ?? NO_HEADERS
  let bytes = 1 + varintBytes(record.timestampMs - baseTimestamp) + varintBytes(record.offsetDelta ?? index)
  bytes += fieldBytes(record.key) + fieldBytes(record.value) + varintBytes(headers.length)
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key)
    bytes += varintBytes(keyBytes) + keyBytes + fieldBytes(value)
  }
  return bytes
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? 1 : varintBytes(field.length) + field.length
}

function writeRecord(
  buffer: Buffer,
  position: number,
  record: RecordToEncode,
  index: number,
  bodyLength: number,
  baseTimestamp: number,
): number {
  const headers = record.headers ?? NO_HEADERS
  let at = writeVarint(buffer, position, bodyLength)
  buffer[at++] = 0
  at = writeVarint(buffer, at, record.timestampMs - baseTimestamp)
  at = writeVarint(buffer, at, record.offsetDelta ?? index)
  at = writeField(buffer, at, record.key)
  at = writeField(buffer, at, record.value)
  at = writeVarint(buffer, at, headers.length)
  for (const { key, value } of headers) {
    at = writeVarint(buffer, at, Buffer.byteLength(key))
    at += buffer.write(key, at)
    at = writeField(buffer, at, value)
  }
  return at
}

function writeField(buffer: Buffer, position: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(buffer, position, -1)
  const at = writeVarint(buffer, position, field.length)
  buffer.set(field, at)
  return at + field.length
}
