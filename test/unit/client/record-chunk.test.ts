import { describe, expect, it } from 'vitest'
import { failedPartition } from '../../../broker/client/consume/fetch-codec.ts'
import { FetchedChunk } from '../../../broker/client/consume/record-chunk.ts'
import { ClientError } from '../../../broker/client/error.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'
import { Compression } from '../../../broker/wire/compression.ts'

const batch = (baseOffset: number, values: readonly string[], compression: Compression = Compression.NONE): Buffer =>
  encodeBatch({
    baseOffset,
    compression,
    records: values.map((value, index) => ({ timestampMs: 10 + index, key: null, value: Buffer.from(value) })),
  })

const chunkOf = (records: Buffer, options: Partial<ConstructorParameters<typeof FetchedChunk>[1]> = {}): FetchedChunk => {
  const fetched = failedPartition({ topic: 't', partition: 0, fetchOffset: 0 }, new ClientError('CLOSED', ''))
  return new FetchedChunk({ ...fetched, error: null, records }, { fromOffset: 0, upTo: null, decompressedBytesMax: 1e6, ...options })
}
const values = (chunk: FetchedChunk): string[] => [...chunk].map(({ value }) => String(value))

describe('a chunk of records', () => {
  const two = Buffer.concat([batch(10, ['a', 'b', 'c']), batch(20, ['d', 'e'], Compression.GZIP)])

  it('begins at the offset asked for, though the batch begins earlier, and names where to go on', () => {
    const chunk = chunkOf(two, { fromOffset: 12 })
    expect(values(chunk)).toEqual(['c', 'd', 'e'])
    expect(chunk.nextOffset).toBe(22)
    expect(values(chunk)).toEqual(['c', 'd', 'e'])
  })

  it('ends before `upTo`, and knows that it is the last', () => {
    const chunk = chunkOf(two, { fromOffset: 10, upTo: 21 })
    expect(values(chunk)).toEqual(['a', 'b', 'c', 'd'])
    expect([chunk.nextOffset, chunk.isLast]).toEqual([21, true])
    expect(chunkOf(two, { fromOffset: 10, upTo: 23 }).isLast).toBe(false)
  })

  it('leaves a batch that was cut short for the next fetch', () => {
    const chunk = chunkOf(two.subarray(0, two.length - 5), { fromOffset: 10 })
    expect(values(chunk)).toEqual(['a', 'b', 'c'])
    expect(chunk.nextOffset).toBe(13)
  })

  it('passes over a batch with a flipped byte, and says which offsets', () => {
    const bad = Buffer.from(two)
    bad[70] = (bad[70] as number) ^ 1
    const chunk = chunkOf(bad, { fromOffset: 10 })
    expect(values(chunk)).toEqual(['d', 'e'])
    expect(chunk.corrupt).toEqual([{ firstOffset: 10, lastOffset: 12, reason: expect.stringContaining('checksum') }])
  })

  it('passes over a batch that unpacks to more than allowed', () => {
    const bomb = batch(0, ['x'.repeat(100_000)], Compression.GZIP)
    const chunk = chunkOf(Buffer.concat([bomb, batch(1, ['after'])]), { decompressedBytesMax: 1000 })
    expect(values(chunk)).toEqual(['after'])
    expect(chunk.corrupt).toHaveLength(1)
  })

  it('has an error where no batch can begin', () => {
    const broken = Buffer.concat([batch(0, ['fine']), Buffer.alloc(80, 1)])
    const chunk = chunkOf(broken)
    expect(values(chunk)).toEqual(['fine'])
    expect(chunk.error?.code).toBe('CORRUPT_BATCH')
    expect(chunk.nextOffset).toBe(1)
  })
})
