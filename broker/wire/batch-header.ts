/**
 * The 61 bytes at the head of a record batch (message format v2, KIP-98), read, tested and patched in place.
 *
 *   0 baseOffset int64          21 attributes int16: bits 0-2 compression, 3 LogAppendTime, 4 transactional,
 *   8 batchLength int32                              5 control, 6 delete horizon in baseTimestamp
 *  12 partitionLeaderEpoch      23 lastOffsetDelta int32      43 producerId int64
 *  16 magic int8, always 2      27 baseTimestamp int64        51 producerEpoch int16
 *  17 crc uint32                35 maxTimestamp int64         53 baseSequence int32      57 recordCount int32
 *
 * batchLength counts what follows it. The CRC-32C covers everything from the attributes on, so the base offset and the leader
 * epoch can be patched without touching it. Compressed or not, the records start at byte 61.
 */
import { crc32c } from './crc32c.ts'
import { WireError } from './errors.ts'

export const BATCH_HEADER_BYTES = 61
/** Base offset and length: what must be there to know how long a batch is. */
export const BATCH_OVERHEAD_BYTES = 12
export const MAGIC = 2

const LENGTH_AT = 8
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const MAX_TIMESTAMP_AT = 35

export const BatchAttribute = {
  COMPRESSION_MASK: 0x07,
  LOG_APPEND_TIME: 0x08,
  TRANSACTIONAL: 0x10,
  CONTROL: 0x20,
  DELETE_HORIZON: 0x40,
} as const

export interface BatchHeader {
  readonly baseOffset: number
  /** The whole batch, header included. */
  readonly batchBytes: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  /** Milliseconds since 1970. Beyond 2^53 it is rounded: a client may send anything here, and it is only compared. */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1 when the producer is not idempotent; then its epoch and sequence mean nothing. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/**
 * Reads the header at `position`; the records behind it need not be there. Throws WireError: TRUNCATED with less than 61 bytes,
 * UNSUPPORTED_MAGIC for formats before v2, MALFORMED_BATCH or INTEGER_OUT_OF_RANGE for what no producer may write.
 */
export function readBatchHeader(buffer: Buffer, position: number): BatchHeader {
  if (position < 0 || buffer.length - position < BATCH_HEADER_BYTES) {
    throw new WireError('TRUNCATED', `a batch header needs ${BATCH_HEADER_BYTES} bytes, ${buffer.length - position} are left`)
  }
  const magic = buffer.readInt8(position + MAGIC_AT)
  if (magic !== MAGIC) throw new WireError('UNSUPPORTED_MAGIC', `record batch format ${magic}; only format ${MAGIC} is read`)
  const header: BatchHeader = {
    baseOffset: int64At(buffer, position),
    batchBytes: buffer.readInt32BE(position + LENGTH_AT) + BATCH_OVERHEAD_BYTES,
    partitionLeaderEpoch: buffer.readInt32BE(position + LEADER_EPOCH_AT),
    magic,
    crc: buffer.readUInt32BE(position + CRC_AT),
    attributes: buffer.readInt16BE(position + ATTRIBUTES_AT),
    lastOffsetDelta: buffer.readInt32BE(position + 23),
    baseTimestamp: roundedInt64At(buffer, position + 27),
    maxTimestamp: roundedInt64At(buffer, position + MAX_TIMESTAMP_AT),
    producerId: int64At(buffer, position + 43),
    producerEpoch: buffer.readInt16BE(position + 51),
    baseSequence: buffer.readInt32BE(position + 53),
    recordCount: buffer.readInt32BE(position + 57),
  }
  if (header.batchBytes < BATCH_HEADER_BYTES) throw new WireError('MALFORMED_BATCH', `a batch of ${header.batchBytes} bytes`)
  if (header.lastOffsetDelta < 0 || header.recordCount < 0) {
    throw new WireError('MALFORMED_BATCH', `last offset delta ${header.lastOffsetDelta}, record count ${header.recordCount}`)
  }
  return header
}

export interface BatchAt {
  readonly header: BatchHeader
  readonly position: number
}

/** The whole batches in buffer[from, to), in order. Stops at a truncated tail; throws WireError on a header that cannot be. */
export function* batchesIn(buffer: Buffer, from = 0, to: number = buffer.length): Generator<BatchAt, void, undefined> {
  let position = from
  while (to - position >= BATCH_HEADER_BYTES) {
    const header = readBatchHeader(buffer, position)
    if (header.batchBytes > to - position) return
    yield { header, position }
    position += header.batchBytes
  }
}

/** Whether the checksum fits. False when the batch is not wholly in the buffer. */
export function batchCrcIsValid(buffer: Buffer, position: number, header: BatchHeader): boolean {
  const end = position + header.batchBytes
  return end <= buffer.length && crc32c(buffer, position + ATTRIBUTES_AT, end) === header.crc
}

export function lastOffset(header: BatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta
}

/** Sequences wrap from 2^31-1 to 0 (KIP-98). Meaningless without a producer id. */
export function lastSequence(header: BatchHeader): number {
  return addToSequence(header.baseSequence, header.lastOffsetDelta)
}

export function addToSequence(sequence: number, increment: number): number {
  return (sequence + increment) % 2 ** 31
}

/** The codec's id, 0-4 known (see compression.ts), 5-7 not. */
export function compressionOf(header: BatchHeader): number {
  return header.attributes & BatchAttribute.COMPRESSION_MASK
}

export function usesLogAppendTime(header: BatchHeader): boolean {
  return (header.attributes & BatchAttribute.LOG_APPEND_TIME) !== 0
}

export function isTransactional(header: BatchHeader): boolean {
  return (header.attributes & BatchAttribute.TRANSACTIONAL) !== 0
}

/** `isTransactional` for bytes whose header nobody has checked yet; false when they are too short for one. */
export function claimsTransaction(batch: Buffer): boolean {
  return batch.length >= BATCH_HEADER_BYTES && (batch.readInt16BE(ATTRIBUTES_AT) & BatchAttribute.TRANSACTIONAL) !== 0
}

export function isControl(header: BatchHeader): boolean {
  return (header.attributes & BatchAttribute.CONTROL) !== 0
}

/** When tombstones and markers in the batch may be dropped, set by compaction; null when not set. */
export function deleteHorizonMs(header: BatchHeader): number | null {
  return (header.attributes & BatchAttribute.DELETE_HORIZON) === 0 ? null : header.baseTimestamp
}

/** Outside the checksum: stays valid. */
export function patchBaseOffset(buffer: Buffer, position: number, offset: number): void {
  writeInt64At(buffer, position, offset)
}

/** Outside the checksum: stays valid. */
export function patchPartitionLeaderEpoch(buffer: Buffer, position: number, leaderEpoch: number): void {
  buffer.writeInt32BE(leaderEpoch, position + LEADER_EPOCH_AT)
}

/** Stamps the batch with the broker's time: attribute bit 3, max timestamp, and therefore a new checksum. */
export function patchLogAppendTime(buffer: Buffer, position: number, timestampMs: number): void {
  const attributes = buffer.readInt16BE(position + ATTRIBUTES_AT)
  buffer.writeInt16BE(attributes | BatchAttribute.LOG_APPEND_TIME, position + ATTRIBUTES_AT)
  writeInt64At(buffer, position + MAX_TIMESTAMP_AT, timestampMs)
  patchCrc(buffer, position)
}

/** Computes the checksum anew, over the batch as it now is. */
export function patchCrc(buffer: Buffer, position: number): void {
  const end = position + buffer.readInt32BE(position + LENGTH_AT) + BATCH_OVERHEAD_BYTES
  buffer.writeUInt32BE(crc32c(buffer, position + ATTRIBUTES_AT, end), position + CRC_AT)
}

export function writeInt64At(buffer: Buffer, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not an int64 within 2^53`)
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), position)
  buffer.writeUInt32BE(value >>> 0, position + 4)
}

function roundedInt64At(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * 2 ** 32 + buffer.readUInt32BE(position + 4)
}

function int64At(buffer: Buffer, position: number): number {
  const value = roundedInt64At(buffer, position)
  if (!Number.isSafeInteger(value)) throw new WireError('INTEGER_OUT_OF_RANGE', `int64 beyond 2^53 in a batch header`)
  return value
}
