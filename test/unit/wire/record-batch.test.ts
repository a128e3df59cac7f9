import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Compression } from '../../../broker/wire/compression.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import {
  addToSequence,
  batchCrcIsValid,
  batchesIn,
  BATCH_HEADER_BYTES,
  compressionOf,
  deleteHorizonMs,
  encodeBatch,
  isControl,
  isTransactional,
  lastOffset,
  lastSequence,
  patchBaseOffset,
  patchCrc,
  patchLogAppendTime,
  patchPartitionLeaderEpoch,
  readBatchHeader,
  recordsIn,
  usesLogAppendTime,
  validateRecords,
  type BatchToEncode,
} from '../../../broker/wire/record-batch.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const NOW = 1_790_000_000_000
const codecs = Object.entries(Compression).map(([name, id]) => ({ name, id }))

const field = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)))
const record = fc.record({
  timestampMs: fc.oneof(fc.integer({ min: NOW - 10_000, max: NOW + 10_000 }), fc.integer({ min: 0, max: 2 ** 45 })),
  key: field,
  value: field,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 8 }), value: field }), { maxLength: 3 }),
})
const batchArbitrary = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 30 }),
  baseOffset: fc.nat({ max: 2 ** 40 }),
  partitionLeaderEpoch: fc.nat(),
  producerId: fc.integer({ min: -1, max: 2 ** 31 }),
  producerEpoch: fc.integer({ min: -1, max: 32767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  isTransactional: fc.boolean(),
  isControl: fc.boolean(),
})

function plainBatch(overrides: Partial<BatchToEncode> = {}): Buffer {
  const records = ['a', 'b', 'c'].map((key, index) => ({
    timestampMs: NOW + index,
    key: Buffer.from(key),
    value: Buffer.from(key.repeat(50)),
  }))
  return encodeBatch({ records, ...overrides })
}

/** A batch whose bytes were changed after the fact, its checksum made right again. */
function tampered(change: (batch: Buffer) => void, overrides: Partial<BatchToEncode> = {}): Buffer {
  const batch = plainBatch(overrides)
  change(batch)
  patchCrc(batch, 0)
  return batch
}

function problemOf(batch: Buffer, unpackedBytesMax?: number) {
  return validateRecords(batch, 0, readBatchHeader(batch, 0), unpackedBytesMax).problem
}

describe.each(codecs)('a batch with compression $name', ({ id }) => {
  it('yields the records that went in, passes its checks and its checksum', () => {
    fc.assert(
      fc.property(batchArbitrary, (input) => {
        const batch = encodeBatch({ ...input, compression: id })
        const header = readBatchHeader(batch, 0)
        expect(header).toMatchObject({
          batchBytes: batch.length,
          baseOffset: input.baseOffset,
          partitionLeaderEpoch: input.partitionLeaderEpoch,
          producerId: input.producerId,
          producerEpoch: input.producerEpoch,
          baseSequence: input.baseSequence,
          recordCount: input.records.length,
          baseTimestamp: input.records[0]!.timestampMs,
          maxTimestamp: Math.max(...input.records.map(({ timestampMs }) => timestampMs)),
        })
        expect([compressionOf(header), isTransactional(header), isControl(header)]).toEqual([id, input.isTransactional, input.isControl])
        expect(batchCrcIsValid(batch, 0, header)).toBe(true)
        const views = [...recordsIn(batch, 0, header)]
        expect(views.map(({ timestampMs, key, value, headers }) => ({ timestampMs, key, value, headers }))).toEqual(input.records)
        expect(views.map(({ offset }) => offset)).toEqual(input.records.map((_, index) => input.baseOffset + index))
        expect(validateRecords(batch, 0, header)).toMatchObject({
          problem: null,
          firstIndexWithoutKey: input.records.findIndex(({ key }) => key === null),
          maxTimestampMs: header.maxTimestamp,
          maxTimestampOffsetDelta: input.records.findIndex(({ timestampMs }) => timestampMs === header.maxTimestamp),
          unpackedBytes: views.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
        })
      }),
      { numRuns: 25 },
    )
  })

  it('survives damage anywhere: a checksum that fails, and decoding that ends in views, a problem or a WireError', () => {
    const batch = plainBatch({ compression: id })
    fc.assert(
      fc.property(fc.nat({ max: batch.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(batch)
        damaged[at]! ^= flip
        wireErrorOf(() => {
          const header = readBatchHeader(damaged, 0)
          const isCovered = at >= 17
          expect(isCovered && batchCrcIsValid(damaged, 0, header)).toBe(false)
          validateRecords(damaged, 0, header, 10_000)
          for (const { value } of recordsIn(damaged, 0, header, 10_000)) expect(value?.length ?? 0).toBeLessThan(10_000)
        })
      }),
      { numRuns: 200 },
    )
  })

  it.skipIf(id === Compression.NONE)('is not unpacked beyond the bound', () => {
    const bomb = encodeBatch({ compression: id, records: [{ timestampMs: NOW, key: null, value: Buffer.alloc(2_000_000) }] })
    const header = readBatchHeader(bomb, 0)
    expect(problemOf(bomb, 1_000_000)).toMatchObject({ errorCode: ErrorCode.MESSAGE_TOO_LARGE, recordIndex: -1 })
    expect(wireErrorOf(() => [...recordsIn(bomb, 0, header, 1_000_000)])).toBe('DECOMPRESSED_TOO_LARGE')
  })
})

describe('the header', () => {
  it('lies where Kafka puts it', () => {
    const batch = plainBatch({ baseOffset: 0x0102030405, partitionLeaderEpoch: 6, producerId: 7, producerEpoch: 8, baseSequence: 9 })
    expect(batch.subarray(0, 17).toString('hex')).toBe(`0000000102030405${(batch.length - 12).toString(16).padStart(8, '0')}0000000602`)
    expect(batch.subarray(21, 27).toString('hex')).toBe('000000000002')
    expect(batch.subarray(43, 61).toString('hex')).toBe('0000000000000007' + '0008' + '00000009' + '00000003')
    expect(BATCH_HEADER_BYTES).toBe(61)
  })

  it('says "no producer" by -1', () => {
    expect(readBatchHeader(plainBatch(), 0)).toMatchObject({
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      partitionLeaderEpoch: -1,
    })
  })

  it('tells the last offset, and the last sequence past its wrap', () => {
    const header = readBatchHeader(plainBatch({ baseOffset: 10, baseSequence: 2 ** 31 - 2 }), 0)
    expect([lastOffset(header), lastSequence(header)]).toEqual([12, 0])
    expect([addToSequence(2 ** 31 - 1, 1), addToSequence(5, 0)]).toEqual([0, 5])
  })

  it('is patched in place: offset and epoch outside the checksum, the append time within', () => {
    const batch = plainBatch()
    patchBaseOffset(batch, 0, 2 ** 40)
    patchPartitionLeaderEpoch(batch, 0, 77)
    const patched = readBatchHeader(batch, 0)
    expect(patched).toMatchObject({ baseOffset: 2 ** 40, partitionLeaderEpoch: 77 })
    expect(batchCrcIsValid(batch, 0, patched)).toBe(true)

    patchLogAppendTime(batch, 0, NOW + 5_000)
    const stamped = readBatchHeader(batch, 0)
    expect(stamped).toMatchObject({ maxTimestamp: NOW + 5_000, baseTimestamp: NOW })
    expect([usesLogAppendTime(stamped), batchCrcIsValid(batch, 0, stamped)]).toEqual([true, true])
    expect([...recordsIn(batch, 0, stamped)].map(({ timestampMs }) => timestampMs)).toEqual([NOW + 5_000, NOW + 5_000, NOW + 5_000])
  })

  it.each([
    ['an older format', (batch: Buffer) => batch.writeInt8(1, 16), 'UNSUPPORTED_MAGIC'],
    ['a length shorter than itself', (batch: Buffer) => batch.writeInt32BE(48, 8), 'MALFORMED_BATCH'],
    ['a negative length', (batch: Buffer) => batch.writeInt32BE(-1, 8), 'MALFORMED_BATCH'],
    ['a negative last offset delta', (batch: Buffer) => batch.writeInt32BE(-1, 23), 'MALFORMED_BATCH'],
    ['a negative record count', (batch: Buffer) => batch.writeInt32BE(-1, 57), 'MALFORMED_BATCH'],
    ['an offset beyond 2^53', (batch: Buffer) => batch.writeInt32BE(0x7fffffff, 0), 'INTEGER_OUT_OF_RANGE'],
  ] as const)('with %s is refused', (_, change, code) => {
    const batch = plainBatch()
    change(batch)
    expect(wireErrorOf(() => readBatchHeader(batch, 0))).toBe(code)
  })

  it('needs 61 bytes', () => {
    const batch = plainBatch()
    for (const length of [0, 12, 60]) expect(wireErrorOf(() => readBatchHeader(batch.subarray(0, length), 0))).toBe('TRUNCATED')
  })

  it('takes any timestamp: it is for the log to judge', () => {
    const batch = plainBatch()
    batch.writeBigInt64BE(1_790_000_000_000_000_000n, 27)
    expect(readBatchHeader(batch, 0).baseTimestamp).toBe(1_790_000_000_000_000_000)
  })
})

describe('batches back to back', () => {
  const first = plainBatch({ baseOffset: 0 })
  const second = plainBatch({ baseOffset: 3 })

  it('are found one after the other, and a truncated tail is left alone', () => {
    const both = Buffer.concat([first, second])
    const positions = (buffer: Buffer) => [...batchesIn(buffer)].map(({ position }) => position)
    expect(positions(both)).toEqual([0, first.length])
    for (const cut of [1, second.length - 61, second.length - 1]) expect(positions(both.subarray(0, -cut))).toEqual([0])
    expect([...batchesIn(both, first.length)].map(({ header }) => header.baseOffset)).toEqual([3])
    expect([...batchesIn(both, 0, first.length + 70)]).toHaveLength(1)
  })

  it('with garbage between end in a WireError', () => {
    expect(wireErrorOf(() => [...batchesIn(Buffer.concat([first, Buffer.alloc(100)]))])).toBe('UNSUPPORTED_MAGIC')
  })

  it('a checksum over a batch that is not all there is not valid', () => {
    expect(batchCrcIsValid(first.subarray(0, -1), 0, readBatchHeader(first, 0))).toBe(false)
  })
})

describe('produced records are refused when', () => {
  it.each([
    ['the count is not the last delta plus one', (batch: Buffer) => batch.writeInt32BE(2, 57), -1],
    ['both claim one record less than there are', (batch: Buffer) => (batch.writeInt32BE(2, 57), batch.writeInt32BE(1, 23)), -1],
    ['both claim one record more than there are', (batch: Buffer) => (batch.writeInt32BE(4, 57), batch.writeInt32BE(3, 23)), 3],
    ['they claim billions', (batch: Buffer) => (batch.writeInt32BE(2 ** 31 - 1, 57), batch.writeInt32BE(2 ** 31 - 2, 23)), -1],
    ['the first offset delta is not 0', (batch: Buffer) => batch.writeInt8(2, 61 + 3), 0],
    ['a record is longer than it says', (batch: Buffer) => batch.writeInt8(4, 61), 0],
    ['a key has a length below -1', (batch: Buffer) => batch.writeInt8(3, 61 + 4), 0],
  ] as const)('%s', (_, change, recordIndex) => {
    expect(problemOf(tampered(change))).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, recordIndex })
  })

  it('their deltas are not 0, 1, 2', () => {
    const records = [0, 2].map((offsetDelta) => ({ offsetDelta, timestampMs: NOW, key: null, value: null }))
    expect(problemOf(encodeBatch({ records, lastOffsetDelta: 1 }))).toMatchObject({
      recordIndex: 1,
      message: expect.stringContaining('offset delta 2'),
    })
  })

  it('they cannot be decompressed, or by no codec known', () => {
    const garbled = tampered((batch) => batch.fill(0xff, 61), { compression: Compression.ZSTD })
    expect(problemOf(garbled)).toMatchObject({ errorCode: ErrorCode.CORRUPT_MESSAGE })
    const unknown = tampered((batch) => batch.writeInt16BE(7, 21))
    expect(problemOf(unknown)).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE })
  })

  it('the batch is not all there', () => {
    const batch = plainBatch()
    expect(validateRecords(batch.subarray(0, -1), 0, readBatchHeader(batch, 0)).problem).toMatchObject({ recordIndex: -1 })
  })
})

describe('compacted batches', () => {
  it('keep their span, and their tombstones’ horizon in place of the base timestamp', () => {
    const batch = encodeBatch({
      baseOffset: 100,
      records: [{ offsetDelta: 4, timestampMs: NOW, key: Buffer.from('k'), value: null }],
      lastOffsetDelta: 9,
      maxTimestampMs: NOW + 50,
      deleteHorizonMs: NOW + 86_400_000,
    })
    const header = readBatchHeader(batch, 0)
    expect([lastOffset(header), header.maxTimestamp, deleteHorizonMs(header)]).toEqual([109, NOW + 50, NOW + 86_400_000])
    expect([...recordsIn(batch, 0, header)]).toMatchObject([{ offset: 104, timestampMs: NOW, value: null }])
    expect(deleteHorizonMs(readBatchHeader(plainBatch(), 0))).toBeNull()
  })

  it('may be empty, whatever their codec', () => {
    const batch = encodeBatch({ baseOffset: 5, records: [], lastOffsetDelta: 3, compression: Compression.GZIP, producerId: 1 })
    const header = readBatchHeader(batch, 0)
    expect(header).toMatchObject({ recordCount: 0, baseTimestamp: -1, batchBytes: 61 })
    expect([...recordsIn(batch, 0, header)]).toEqual([])
    batch.writeInt16BE(Compression.GZIP, 21)
    expect([...recordsIn(batch, 0, readBatchHeader(batch, 0))]).toEqual([])
  })
})
