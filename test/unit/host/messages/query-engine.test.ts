import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { MessageRow } from '../../../../broker/contract/messages.ts'
import { createRealEnv } from '../../../../broker/env/real.ts'
import type { QueryEngine, ResolvedQuery } from '../../../../broker/host/messages/engine-port.ts'
import { createQueryEngine } from '../../../../broker/host/messages/query-engine.ts'
import { FakeKafka, type FakeRecord } from '../../../support/fake-kafka.ts'
import { until } from '../../../support/until.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const env = createRealEnv({ log: { write: () => undefined } })
const cluster = { clusterId: 'c', bootstrapServers: ['127.0.0.1:1'] }
const all: ResolvedQuery = {
  topic: 't',
  partitions: null,
  start: { at: 'everything' },
  order: 'newest-first',
  text: null,
  rowsMax: null,
  isolation: 'read-uncommitted',
}

let directory: string
let kafka: FakeKafka
let engine: QueryEngine

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'weir-query-'))
  kafka = new FakeKafka()
  engine = await createQueryEngine({ env, createClient: kafka.createClient, spillDirectory: join(directory, 'spill') })
})
afterEach(async () => {
  await engine.shutdown()
  rmSync(directory, { recursive: true, force: true })
})

const record = (timestampMs: number, value = `v${timestampMs}`): FakeRecord => ({ timestampMs, key: null, value })

async function settled(queryId: string): Promise<void> {
  await until('the query to come to rest', async () => (await engine.progress(queryId)).state !== 'scanning')
}

async function run(query: Partial<ResolvedQuery>): Promise<readonly MessageRow[]> {
  const queryId = await engine.open(cluster, { ...all, ...query })
  await settled(queryId)
  const { rowCount } = await engine.progress(queryId)
  return (await engine.rows(queryId, 0, rowCount)).rows
}

const places = (rows: readonly MessageRow[]): string[] => rows.map(({ partition, offset }) => `${partition}:${offset}`)

describe('order', () => {
  test('newest first is true across partitions', async () => {
    kafka.addTopic('t', 3)
    kafka.append('t', 0, [record(10), record(40)])
    kafka.append('t', 1, [record(20), record(50)])
    kafka.append('t', 2, [record(30)])
    expect(places(await run({}))).toEqual(['1:1', '0:1', '2:0', '1:0', '0:0'])
    expect(places(await run({ order: 'oldest-first' }))).toEqual(['0:0', '1:0', '2:0', '0:1', '1:1'])
  })

  test('is the sorted order for any records whose times rise in each partition, in pages of any size', async () => {
    const partitions = fc.array(fc.array(fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }), { maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    })
    let number = 0
    await fc.assert(
      fc.asyncProperty(
        partitions,
        fc.constantFrom('newest-first' as const, 'oldest-first' as const),
        fc.integer({ min: 1, max: 9 }),
        async (logs, order, step) => {
          const topic = `t${(number += 1)}`
          kafka.addTopic(topic, logs.length)
          const expected: { partition: number; offset: number; timestampMs: number }[] = []
          for (const [partition, batches] of logs.entries()) {
            let timestampMs = 0
            for (const batch of batches) {
              const records = batch.map((delta) => record((timestampMs += delta)))
              const baseOffset = kafka.append(topic, partition, records)
              for (const [at, one] of records.entries()) expected.push({ partition, offset: baseOffset + at, timestampMs: one.timestampMs })
            }
          }
          const queryId = await engine.open(cluster, { ...all, topic, order, rowsMax: step })
          await settled(queryId)
          while ((await engine.progress(queryId)).state === 'paused') {
            await engine.more(queryId, step)
            await settled(queryId)
          }
          const rows = (await engine.rows(queryId, 0, 10_000)).rows
          const times = rows.map((row) => row.timestampMs)
          const sign = order === 'oldest-first' ? 1 : -1
          expect(times).toEqual([...times].sort((a, b) => sign * (a - b)))
          expect(places(rows).sort()).toEqual(expected.map(({ partition, offset }) => `${partition}:${offset}`).sort())
          for (const partition of logs.keys()) {
            const offsets = rows.filter((row) => row.partition === partition).map((row) => row.offset)
            expect(offsets).toEqual([...offsets].sort((a, b) => sign * (a - b)))
          }
          await engine.close(queryId)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('ranges', () => {
  beforeEach(() => {
    kafka.addTopic('t', 2)
    for (let at = 0; at < 100; at += 1) kafka.append('t', at % 2, [record(at * 10)])
  })

  test('a time range has its beginning and not its end', async () => {
    const rows = await run({ start: { at: 'range', fromMs: 100, toMs: 150 }, order: 'oldest-first' })
    expect(rows.map((row) => row.timestampMs)).toEqual([100, 110, 120, 130, 140])
  })

  test('from a time, onwards or backwards', async () => {
    expect((await run({ start: { at: 'time', timestampMs: 975 }, order: 'oldest-first' })).map((row) => row.timestampMs)).toEqual([
      980, 990,
    ])
    expect((await run({ start: { at: 'time', timestampMs: 15 } })).map((row) => row.timestampMs)).toEqual([10, 0])
  })

  test('from an offset, onwards or backwards, in the partitions asked for', async () => {
    expect(places(await run({ start: { at: 'offset', offset: 48 }, order: 'oldest-first', partitions: [1] }))).toEqual(['1:48', '1:49'])
    expect(places(await run({ start: { at: 'offset', offset: 1 }, partitions: [1] }))).toEqual(['1:1', '1:0'])
  })

  test('what retention has deleted meanwhile is left out', async () => {
    kafka.partition('t', 0).logStartOffset = 48
    kafka.partition('t', 1).logStartOffset = 49
    expect(places(await run({ order: 'oldest-first' }))).toEqual(['0:48', '0:49', '1:49'])
  })

  test('a partition that is not there is named', async () => {
    await expect(engine.open(cluster, { ...all, partitions: [7] })).rejects.toMatchObject({
      code: 'PARTITION_NOT_FOUND',
      message: 't has no partition 7; its partitions are 0 to 1.',
    })
    await expect(engine.open(cluster, { ...all, topic: 'none' })).rejects.toMatchObject({ code: 'TOPIC_NOT_FOUND' })
  })

  test('a partition without a leader is said, and the others are read', async () => {
    kafka.partition('t', 0).leader = null
    const queryId = await engine.open(cluster, all)
    await settled(queryId)
    const progress = await engine.progress(queryId)
    expect(progress).toMatchObject({ state: 'done', rowCount: 50 })
    expect(progress.partitions[0]?.problem).toBe('Partition 0 has no leader.')
  })
})

describe('text search', () => {
  test('reads the whole range in any codec and counts what it looked at', async () => {
    kafka.addTopic('t', 5)
    for (let codec = 0; codec < 5; codec += 1) {
      const records = Array.from({ length: 2_000 }, (_, at) =>
        record(at, at % 500 === 7 ? `{"truck":"truck_42","n":${at}}` : `{"truck":"truck_1","n":${at}}`),
      )
      kafka.append('t', codec, records, codec as 0)
    }
    const text = { contains: 'TRUCK_42', in: ['value' as const], caseSensitive: false }
    const queryId = await engine.open(cluster, { ...all, text })
    await settled(queryId)
    expect(await engine.progress(queryId)).toMatchObject({ state: 'done', scanned: 10_000, matched: 20, remaining: 0, rowCount: 20 })
  })

  test('pauses at the rows asked for and goes on', async () => {
    kafka.addTopic('t', 1)
    for (let at = 0; at < 50; at += 1) kafka.append('t', 0, [record(at, at % 2 === 0 ? 'even' : 'odd')])
    const queryId = await engine.open(cluster, { ...all, text: { contains: 'odd', in: ['value'], caseSensitive: true }, rowsMax: 10 })
    await settled(queryId)
    expect(await engine.progress(queryId)).toMatchObject({ state: 'paused', rowCount: 10 })
    await engine.more(queryId, null)
    await settled(queryId)
    expect(await engine.progress(queryId)).toMatchObject({ state: 'done', rowCount: 25 })
  })

  test('a corrupt batch is passed over and said', async () => {
    kafka.addTopic('t', 1)
    kafka.append('t', 0, [record(1)])
    kafka.append('t', 0, [record(2)])
    const bytes = kafka.partition('t', 0).batches[0]?.bytes
    bytes?.writeUInt8(0xff, bytes.length - 1)
    const queryId = await engine.open(cluster, all)
    await settled(queryId)
    const progress = await engine.progress(queryId)
    expect(progress.rowCount).toBe(1)
    expect(progress.partitions[0]?.problem).toMatch(/batch at offset 0 is corrupt/)
  })

  test('cancelled keeps what was found', async () => {
    kafka.addTopic('t', 1)
    for (let at = 0; at < 3_000; at += 1) kafka.append('t', 0, [record(at)])
    const queryId = await engine.open(cluster, { ...all, order: 'oldest-first' })
    await engine.cancel(queryId)
    const progress = await engine.progress(queryId)
    expect(progress.state).toBe('cancelled')
    expect((await engine.rows(queryId, 0, 10)).rowCount).toBe(progress.rowCount)
  })
})

describe('details', () => {
  test('a record that is gone says so', async () => {
    kafka.addTopic('t', 1)
    kafka.append('t', 0, [record(1), record(2)])
    const queryId = await engine.open(cluster, all)
    await settled(queryId)
    kafka.partition('t', 0).logStartOffset = 2
    await expect(engine.detail(queryId, 1)).rejects.toMatchObject({ code: 'RECORD_GONE' })
    await expect(engine.detail(queryId, 9)).rejects.toMatchObject({ code: 'ROW_NOT_FOUND' })
  })

  test('headers and the batch are shown', async () => {
    kafka.addTopic('t', 1)
    kafka.append('t', 0, [{ timestampMs: 5, key: 'k', value: null, headers: [{ key: 'h', value: Buffer.from([0xff]) }] }], 4)
    const detail = await engine.at(cluster, { topic: 't', partition: 0, offset: 0 })
    expect(detail).toMatchObject({
      value: null,
      headers: [{ key: 'h', value: { encoding: 'hex', text: 'ff' } }],
      batch: { compression: 'zstd', producerId: null },
    })
  })
})

describe('the histogram', () => {
  test('counts all records of each part of the span, and those that match', async () => {
    kafka.addTopic('t', 2)
    for (let at = 0; at < 100; at += 1) kafka.append('t', at % 2, [record(1_000 * at, at >= 50 ? 'late' : 'early')])
    const queryId = await engine.open(cluster, { ...all, text: { contains: 'late', in: ['value'], caseSensitive: true } })
    await settled(queryId)
    const { buckets, fromMs, toMs } = await engine.histogram(queryId, 10)
    expect([fromMs, toMs]).toEqual([0, 99_001])
    expect(buckets.map(({ recordCount }) => recordCount).reduce((a, b) => (a ?? 0) + (b ?? 0), 0)).toBe(100)
    expect(buckets.map(({ matchedCount }) => matchedCount > 0)).toEqual([false, false, false, false, false, true, true, true, true, true])
  })
})

describe('a live tail', () => {
  test('begins at the end, or a few records before it, and falls behind without loss', async () => {
    kafka.addTopic('t', 2)
    kafka.append('t', 0, [record(1), record(2), record(3)])
    const tail = await engine.openTail(cluster, { topic: 't', partitions: null, text: null, backlog: 1 })
    expect((await engine.nextTail(tail))?.rows.map((row) => row.timestampMs)).toEqual([3])
    for (let at = 10; at < 1_210; at += 1) kafka.append('t', at % 2, [record(at)])
    const seen: number[] = []
    for (let batch = await engine.nextTail(tail); batch !== null && batch.behind > 0; batch = await engine.nextTail(tail))
      seen.push(...batch.rows.map((row) => row.timestampMs))
    const last = await engine.rows(tail, 1, 2_000)
    expect(last.rowCount).toBe(1_201)
    expect([...last.rows.map((row) => row.timestampMs)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_200 }, (_, at) => at + 10))
    expect((await engine.detail(tail, 0)).offset).toBe(2)
    await engine.close(tail)
    await expect(engine.nextTail(tail)).rejects.toMatchObject({ code: 'QUERY_NOT_FOUND' })
  })
})
