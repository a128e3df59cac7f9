import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkClientBatch } from '../../../broker/log/batch-check.ts'
import { defaultLogConfig, type LogConfig } from '../../../broker/log/topic-config.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import {
  batchCrcIsValid,
  compressionOf,
  patchBaseOffset,
  patchCrc,
  readBatchHeader,
  usesLogAppendTime,
} from '../../../broker/wire/record-batch.ts'
import { batchOf, decode } from './support.ts'

const nowMs = Date.UTC(2026, 10, 20)
const hourMs = 3_600_000

function check(batch: Buffer, config: Partial<LogConfig> = {}) {
  return checkClientBatch(batch, { config: { ...defaultLogConfig, ...config }, nowMs, unpackedBytesMax: 1_000_000 })
}

function codeOf(batch: Buffer, config: Partial<LogConfig> = {}): number {
  return check(batch, config).refusal?.errorCode ?? ErrorCode.NONE
}

/** A good batch with one field of its header changed, and a checksum that fits. */
function withHeader(change: (batch: Buffer) => void): Buffer {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }])
  change(batch)
  patchCrc(batch, 0)
  return batch
}

describe('refused', () => {
  const good = batchOf([{ value: 'a' }])
  test.each<[string, Buffer, number]>([
    ['nothing', Buffer.alloc(0), ErrorCode.CORRUPT_MESSAGE],
    ['a batch cut short', good.subarray(0, good.length - 1), ErrorCode.CORRUPT_MESSAGE],
    ['two batches', Buffer.concat([good, good]), ErrorCode.INVALID_RECORD],
    ['an old format', withHeader((batch) => batch.writeInt8(1, 16)), ErrorCode.INVALID_RECORD],
    ['a base offset', withHeader((batch) => patchBaseOffset(batch, 0, 1)), ErrorCode.INVALID_RECORD],
    ['the control bit', withHeader((batch) => batch.writeInt16BE(0x20, 21)), ErrorCode.INVALID_RECORD],
    ['the delete horizon bit', withHeader((batch) => batch.writeInt16BE(0x40, 21)), ErrorCode.INVALID_RECORD],
    ['the LogAppendTime bit', withHeader((batch) => batch.writeInt16BE(0x08, 21)), ErrorCode.INVALID_TIMESTAMP],
    ['an unknown codec', withHeader((batch) => batch.writeInt16BE(7, 21)), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE],
    ['no records', withHeader((batch) => batch.writeInt32BE(0, 57)), ErrorCode.INVALID_RECORD],
    ['a count that is not the last delta + 1', withHeader((batch) => batch.writeInt32BE(5, 57)), ErrorCode.INVALID_RECORD],
    ['a producer id without a sequence', withHeader((batch) => batch.writeBigInt64BE(4n, 43)), ErrorCode.INVALID_RECORD],
    ['a transaction without a producer', withHeader((batch) => batch.writeInt16BE(0x10, 21)), ErrorCode.INVALID_RECORD],
  ])('%s', (_, batch, errorCode) => {
    expect(codeOf(batch)).toBe(errorCode)
  })

  test('any flipped bit of a batch', () => {
    const batch = batchOf([{ key: 'k', value: 'some value', timestampMs: nowMs }], { compression: 1 })
    fc.assert(
      fc.property(fc.integer({ min: 21, max: batch.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(batch)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        return codeOf(damaged) === ErrorCode.CORRUPT_MESSAGE || codeOf(damaged) === ErrorCode.INVALID_RECORD
      }),
    )
  })

  test('more than max.message.bytes, after compression', () => {
    const value = 'a'.repeat(5000)
    expect(codeOf(batchOf([{ value }]), { maxMessageBytes: 1000 })).toBe(ErrorCode.MESSAGE_TOO_LARGE)
    expect(codeOf(batchOf([{ value }], { compression: 4 }), { maxMessageBytes: 1000 })).toBe(ErrorCode.NONE)
  })

  test('a batch that unpacks to more than it may', () => {
    const bomb = batchOf([{ value: 'a'.repeat(3_000_000) }], { compression: 4 })
    expect(bomb.length).toBeLessThan(10_000)
    expect(codeOf(bomb)).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  })

  test('records without a key on a compacted topic, each named', () => {
    const result = check(batchOf([{ key: 'a' }, { value: 'b' }, { key: 'c' }, { value: 'd' }]), { isCompacted: true })
    expect(result.refusal?.errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(result.refusal?.recordErrors.map((error) => error.batchIndex)).toEqual([1, 3])
  })

  test('timestamps outside the bounds, each named; none at all is fine', () => {
    const batch = batchOf([
      { timestampMs: nowMs },
      { timestampMs: nowMs + 2 * hourMs },
      { timestampMs: nowMs - 2 * hourMs },
      { timestampMs: -1 },
    ])
    const indexes = (config: Partial<LogConfig>) => check(Buffer.from(batch), config).refusal?.recordErrors.map((error) => error.batchIndex)
    expect(indexes({})).toEqual([1])
    expect(indexes({ timestampAfterMaxMs: 3 * hourMs })).toBeUndefined()
    expect(indexes({ timestampAfterMaxMs: 3 * hourMs, timestampBeforeMaxMs: hourMs })).toEqual([2])
    expect(indexes({ usesLogAppendTime: true })).toBeUndefined()
    expect(check(Buffer.from(batch)).refusal?.errorCode).toBe(ErrorCode.INVALID_TIMESTAMP)
  })
})

describe('taken', () => {
  test('as it came when nothing has to change', () => {
    const batch = batchOf([{ key: 'k', value: 'v', timestampMs: nowMs }], { compression: 3 })
    const result = check(batch)
    expect(result.refusal === null && result.bytes).toBe(batch)
  })

  test("with the broker's time and a checksum that fits, where the topic asks for it", () => {
    const result = check(
      batchOf([
        { value: 'v', timestampMs: 5 },
        { value: 'w', timestampMs: 6 },
      ]),
      { usesLogAppendTime: true },
    )
    if (result.refusal !== null) throw new Error(result.refusal.message)
    expect([result.logAppendTimeMs, result.header.maxTimestamp, usesLogAppendTime(result.header)]).toEqual([nowMs, nowMs, true])
    expect(batchCrcIsValid(result.bytes, 0, result.header)).toBe(true)
    expect(decode([result.bytes]).map((record) => record.timestampMs)).toEqual([nowMs, nowMs])
  })

  test('with its max timestamp put right', () => {
    const batch = withHeader((bytes) => bytes.writeBigInt64BE(12_345n, 35))
    const result = check(batch)
    if (result.refusal !== null) throw new Error(result.refusal.message)
    expect(result.header.maxTimestamp).toBe(-1)
    expect(batchCrcIsValid(batch, 0, readBatchHeader(batch, 0))).toBe(true)
  })

  test('recompressed to the codec the topic names', () => {
    const records = [
      { key: 'k', value: 'v', timestampMs: nowMs },
      { key: 'l', value: null, timestampMs: nowMs + 1 },
    ]
    for (const [compressionType, codec] of [
      ['gzip', 1],
      ['snappy', 2],
      ['lz4', 3],
      ['zstd', 4],
      ['uncompressed', 0],
    ] as const) {
      const result = check(batchOf(records, { compression: 1, producerId: 3, producerEpoch: 1, baseSequence: 9 }), { compressionType })
      if (result.refusal !== null) throw new Error(result.refusal.message)
      expect(compressionOf(result.header)).toBe(codec)
      expect(result.header).toMatchObject({ producerId: 3, producerEpoch: 1, baseSequence: 9, recordCount: 2 })
      expect(decode([result.bytes]).map(({ key, value, timestampMs }) => ({ key, value, timestampMs }))).toEqual(records)
      expect(batchCrcIsValid(result.bytes, 0, result.header)).toBe(true)
    }
  })
})
