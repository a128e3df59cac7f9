/** The files as another tool would read them, byte by byte. */
import { describe, expect, test } from 'vitest'
import { encodeOffsetCheckpoint, decodeEpochCheckpoint, decodeOffsetCheckpoint } from '../../../broker/log/checkpoints.ts'
import { markedFolderName, parseFolderName, parseOffsetFileName } from '../../../broker/log/log-files.ts'
import { decodeMetaProperties, encodeMetaProperties } from '../../../broker/log/meta-properties.ts'
import { decodePartitionMetadata, encodePartitionMetadata } from '../../../broker/log/partition-metadata.ts'
import { crc32c } from '../../../broker/wire/crc32c.ts'
import { batchesIn } from '../../../broker/wire/record-batch.ts'
import { appendAll, batchOf, folder, marker, openLog, simulatedLog, smallConfig, values } from './support.ts'

async function fileOf(env: Awaited<ReturnType<typeof simulatedLog>>['env'], name: string): Promise<Buffer> {
  const content = await env.disk.readFile(`${folder}/${name}`)
  if (content === null) throw new Error(`${name} is not there: ${String(await env.disk.list(folder))}`)
  return content
}

describe('segments', () => {
  test('are batches back to back, named after their first offset', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 200 }) })
    await appendAll(log, [values('a', 'b'), values('c'), values('d')])
    await log.close()
    const names = (await env.disk.list(folder))?.filter((name) => name.endsWith('.log'))
    expect(names).toEqual(['00000000000000000000.log', '00000000000000000003.log'])
    const headers = [...batchesIn(await fileOf(env, '00000000000000000000.log'))].map(({ header }) => header)
    expect(headers.map(({ baseOffset, lastOffsetDelta }) => [baseOffset, lastOffsetDelta])).toEqual([
      [0, 1],
      [2, 0],
    ])
  })

  test('offset index: last offset of the batch at a position, relative, after every index.interval.bytes', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 10_000, indexIntervalBytes: 150 }) })
    const batches = Array.from({ length: 6 }, () => values('aaaa', 'bbbb'))
    const batchBytes = batches[0]?.length ?? 0
    expect(batchBytes).toBeGreaterThan(75)
    expect(batchBytes).toBeLessThan(150)
    await appendAll(log, batches)
    await log.close()
    const expected = Buffer.alloc(16)
    // An entry is due before a batch once MORE than the interval lies behind the last one: batches 2 and 4, from 0.
    expected.writeInt32BE(5, 0)
    expected.writeInt32BE(2 * batchBytes, 4)
    expected.writeInt32BE(9, 8)
    expected.writeInt32BE(4 * batchBytes, 12)
    expect((await fileOf(env, '00000000000000000000.index')).toString('hex')).toBe(expected.toString('hex'))
  })

  test('time index: largest timestamp so far and the last offset of its batch, once more at the close', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 10_000, indexIntervalBytes: 100 }) })
    const at = (timestampMs: number) =>
      batchOf([
        { key: 'k', value: 'v'.repeat(40), timestampMs },
        { value: 'w', timestampMs: timestampMs - 5 },
      ])
    await appendAll(log, [at(1000), at(3000), at(2000), at(2500), at(4000)])
    await log.close()
    const content = await fileOf(env, '00000000000000000000.timeindex')
    const entries = Array.from({ length: content.length / 12 }, (_, index) => [
      Number(content.readBigInt64BE(index * 12)),
      content.readInt32BE(index * 12 + 8),
    ])
    expect(entries).toEqual([
      [3000, 3],
      [4000, 9],
    ])
  })

  test('transaction index: version, producer, first offset, marker offset, last stable offset; only if any', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 10_000 }) })
    const data = (producerId: number) => batchOf([{ value: 'x' }], { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    await appendAll(log, [values('plain'), data(7), data(8)])
    await appendAll(log, [marker({ producerId: 7, commit: false })], { origin: 'coordinator' })
    await log.close()
    const expected = Buffer.alloc(34)
    expected.writeInt16BE(0, 0)
    expected.writeBigInt64BE(7n, 2)
    expected.writeBigInt64BE(1n, 10)
    expected.writeBigInt64BE(3n, 18)
    expected.writeBigInt64BE(2n, 26)
    expect((await fileOf(env, '00000000000000000000.txnindex')).toString('hex')).toBe(expected.toString('hex'))
    const without = await simulatedLog()
    await appendAll(without.log, [values('plain')])
    await without.log.close()
    expect((await without.env.disk.list(folder))?.some((name) => name.endsWith('.txnindex'))).toBe(false)
  })

  test('space reserved at the end of an index by another broker is taken as unused', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 10_000 }) })
    await appendAll(
      log,
      Array.from({ length: 20 }, (_, index) => values(`value ${index}`)),
    )
    await log.close()
    for (const name of ['00000000000000000000.index', '00000000000000000000.timeindex']) {
      const content = await fileOf(env, name)
      await env.disk.writeFileAtomic(`${folder}/${name}`, Buffer.concat([content, Buffer.alloc(240)]))
    }
    const reopened = await openLog(env, { isClean: true })
    await appendAll(reopened, [values('next')])
    expect(reopened.logEndOffset).toBe(21)
    await reopened.close()
    const index = await fileOf(env, '00000000000000000000.index')
    for (let at = 8; at < index.length; at += 8) expect(index.readInt32BE(at)).toBeGreaterThan(index.readInt32BE(at - 8))
  })
})

test('producer snapshot: version, checksum, count, 46 bytes a producer', async () => {
  const { env, log } = await simulatedLog()
  await appendAll(log, [
    batchOf(
      [
        { value: 'a', timestampMs: 99 },
        { value: 'b', timestampMs: 98 },
      ],
      { producerId: 5, producerEpoch: 2, baseSequence: 0 },
    ),
  ])
  await log.close()
  const content = await fileOf(env, '00000000000000000002.snapshot')
  const entry = Buffer.alloc(46)
  entry.writeBigInt64BE(5n, 0)
  entry.writeInt16BE(2, 8)
  entry.writeInt32BE(1, 10)
  entry.writeBigInt64BE(1n, 14)
  entry.writeInt32BE(1, 22)
  entry.writeBigInt64BE(99n, 26)
  entry.writeInt32BE(-1, 34)
  entry.writeBigInt64BE(-1n, 38)
  expect(content.readInt16BE(0)).toBe(1)
  expect(content.readUInt32BE(2)).toBe(crc32c(content, 6))
  expect(content.readInt32BE(6)).toBe(1)
  expect(content.subarray(10).toString('hex')).toBe(entry.toString('hex'))
})

describe('text files', () => {
  test('an offset checkpoint is a version, a count, and a line for each partition', () => {
    const content = encodeOffsetCheckpoint([
      { topic: 'a-b', partition: 0, offset: 7 },
      { topic: 'c', partition: 12, offset: 0 },
    ])
    expect(content.toString()).toBe('0\n2\na-b 0 7\nc 12 0\n')
    expect(decodeOffsetCheckpoint(content)).toEqual(
      new Map([
        ['a-b-0', 7],
        ['c-12', 0],
      ]),
    )
  })

  test.each(['', '0', '0\n1\n', '0\n2\na 0 1\n', '1\n1\na 0 1\n', '0\n1\na 0 -1\n', '0\n1\na 0 1', '0\n1\na 0 99999999999999999\n'])(
    'what is not a whole checkpoint is none: %j',
    (text) => expect(decodeOffsetCheckpoint(Buffer.from(text))).toBeNull(),
  )

  test('epochs that do not ascend are no epoch checkpoint', () => {
    expect(decodeEpochCheckpoint(Buffer.from('0\n2\n0 0\n3 10\n'))).toEqual([
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 10 },
    ])
    expect(decodeEpochCheckpoint(Buffer.from('0\n2\n3 0\n0 10\n'))).toBeNull()
  })

  test('partition.metadata names the topic', () => {
    const id = 'abcdefghijklmnopqrstuv'
    expect(encodePartitionMetadata(id).toString()).toBe(`version: 0\ntopic_id: ${id}\n`)
    expect(decodePartitionMetadata(encodePartitionMetadata(id))).toBe(id)
    expect(decodePartitionMetadata(Buffer.from('version: 0\ntopic_id: short\n'))).toBeNull()
    expect(decodePartitionMetadata(encodePartitionMetadata('AAAAAAAAAAAAAAAAAAAAAA'))).toBeNull()
  })

  test('meta.properties reads what Java writes', () => {
    const written = '#\n#Fri Nov 20 07:50:29 UTC 2026\ncluster.id=abc\\:def\r\ndirectory.id=dir\nnode.id=3\nversion=1\n'
    expect(decodeMetaProperties('/m', Buffer.from(written))).toEqual({ clusterId: 'abc:def', directoryId: 'dir', nodeId: 3 })
    const own = { clusterId: 'c', directoryId: 'd', nodeId: 1 }
    expect(decodeMetaProperties('/m', encodeMetaProperties(own))).toEqual(own)
    expect(() => decodeMetaProperties('/m', Buffer.from('version=0\n'))).toThrow('/m is not a version 1 file')
  })
})

describe('names', () => {
  test('of folders', () => {
    const hex = '0123456789abcdef0123456789abcdef'
    expect(parseFolderName('my-topic-3')).toEqual({ kind: 'live', topic: 'my-topic', partition: 3 })
    expect(parseFolderName(`my-topic-3.${hex}-delete`)).toEqual({ kind: 'deleted', topic: 'my-topic', partition: 3 })
    expect(parseFolderName(`my-topic-3.${hex}-stray`)?.kind).toBe('stray')
    expect(parseFolderName('lost+found')).toBeNull()
    const long = markedFolderName('t'.repeat(249), 12, 'delete', hex)
    expect(long.length).toBe(255)
    expect(parseFolderName(long)?.kind).toBe('deleted')
  })

  test('of segment files', () => {
    expect(parseOffsetFileName('00000000000000000042.log')).toEqual({ offset: 42, suffix: '.log' })
    expect(parseOffsetFileName('00000000000000000042.log.swap')).toEqual({ offset: 42, suffix: '.log.swap' })
    expect(parseOffsetFileName('99999999999999999999.log')).toBeNull()
    expect(parseOffsetFileName('42.log')).toBeNull()
  })
})
