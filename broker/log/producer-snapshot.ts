/**
 * The producer snapshot file: int16 version 1, uint32 CRC-32C of the bytes after it, int32 count, then 46 bytes for each
 * producer: id int64, epoch int16, last sequence int32, last offset int64, offset delta int32, timestamp int64,
 * coordinator epoch int32, open transaction's first offset int64 (-1). Only the newest of the five batches is kept.
 */
import { crc32c } from '../wire/crc32c.ts'
import type { ProducerEntry } from './producer-entry.ts'

const version = 1
const headerBytes = 10
const crcPosition = 2
const entriesPosition = 6
const entryBytes = 46

export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const list = [...entries]
  const buffer = Buffer.alloc(headerBytes + list.length * entryBytes)
  buffer.writeInt16BE(version, 0)
  buffer.writeInt32BE(list.length, entriesPosition)
  list.forEach((entry, index) => encodeEntry(buffer, headerBytes + index * entryBytes, entry))
  buffer.writeUInt32BE(crc32c(buffer, entriesPosition), crcPosition)
  return buffer
}

/** Null when the bytes are not a whole snapshot: an older one is used, and the log replayed from there. */
export function decodeProducerSnapshot(buffer: Buffer): readonly ProducerEntry[] | null {
  if (buffer.length < headerBytes || buffer.readInt16BE(0) !== version) return null
  const count = buffer.readInt32BE(entriesPosition)
  const isWhole = count >= 0 && buffer.length === headerBytes + count * entryBytes
  if (!isWhole || crc32c(buffer, entriesPosition) !== buffer.readUInt32BE(crcPosition)) return null
  return Array.from({ length: count }, (_, index) => decodeEntry(buffer, headerBytes + index * entryBytes))
}

function encodeEntry(buffer: Buffer, at: number, entry: ProducerEntry): void {
  const last = entry.batches.at(-1)
  buffer.writeBigInt64BE(BigInt(entry.producerId), at)
  buffer.writeInt16BE(entry.producerEpoch, at + 8)
  buffer.writeInt32BE(last?.lastSequence ?? -1, at + 10)
  buffer.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), at + 14)
  buffer.writeInt32BE(last?.offsetDelta ?? 0, at + 22)
  buffer.writeBigInt64BE(BigInt(entry.lastTimestampMs), at + 26)
  buffer.writeInt32BE(entry.coordinatorEpoch, at + 34)
  buffer.writeBigInt64BE(BigInt(entry.currentTransactionStartOffset), at + 38)
}

function decodeEntry(buffer: Buffer, at: number): ProducerEntry {
  const lastSequence = buffer.readInt32BE(at + 10)
  const offsetDelta = buffer.readInt32BE(at + 22)
  const lastTimestampMs = Number(buffer.readBigInt64BE(at + 26))
  const batch = {
    // Sequences wrap, so the first may be larger than the last.
    firstSequence: (lastSequence - offsetDelta + 2 ** 31) % 2 ** 31,
    lastSequence,
    lastOffset: Number(buffer.readBigInt64BE(at + 14)),
    offsetDelta,
    timestampMs: lastTimestampMs,
  }
  return {
    producerId: Number(buffer.readBigInt64BE(at)),
    producerEpoch: buffer.readInt16BE(at + 8),
    batches: lastSequence < 0 ? [] : [batch],
    lastTimestampMs,
    coordinatorEpoch: buffer.readInt32BE(at + 34),
    currentTransactionStartOffset: Number(buffer.readBigInt64BE(at + 38)),
  }
}
