import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { Cleaner } from '../../../broker/log/cleaner.ts'
import type { DiskPartitionLog } from '../../../broker/log/partition-log.ts'
import { batchesIn, deleteHorizonMs } from '../../../broker/wire/record-batch.ts'
import { appendAll, batchOf, folder, marker, openLog, readAll, readValues, simulatedLog, smallConfig } from './support.ts'

const compacted = smallConfig({ isCompacted: true, isDeleted: false, minCleanableDirtyRatio: 0, deleteRetentionMs: 1000 })

async function compact(log: DiskPartitionLog): Promise<boolean> {
  // Closed segments are compacted once they have been synced.
  await log.core.tasks.idle()
  return new Cleaner(log.core.context, new Map()).cleanAll([log], new Map([[log, log.recoveryPoint]]))
}

function keyed(...pairs: [string, string | null][]): Buffer {
  return batchOf(pairs.map(([key, value]) => ({ key, value, timestampMs: 1000 })))
}

/** Fills the active segment so that what came before lies in closed ones, which alone are compacted. */
async function closeSegments(log: DiskPartitionLog): Promise<void> {
  await appendAll(log, [keyed(['filler', 'x'.repeat(500)]), keyed(['filler', 'y'.repeat(500)])])
}

async function headers(log: DiskPartitionLog) {
  const result = await log.read({ fromOffset: log.logStartOffset, maxBytes: 1e6, upToOffset: log.logEndOffset, atLeastOneBatch: true })
  return result.records.flatMap((buffer) => [...batchesIn(buffer)].map(({ header }) => header))
}

async function compactedLog(options: { seed?: number } = {}) {
  return simulatedLog({ ...options, config: compacted, limits: { tailCacheBytesMax: 0 } })
}

describe('compaction', () => {
  test('keeps the newest record of each key, with its offset', async () => {
    const { log } = await compactedLog()
    await appendAll(log, [keyed(['a', '1'], ['b', '1']), keyed(['a', '2'], ['c', '1']), keyed(['b', '2'])])
    await closeSegments(log)
    expect(await compact(log)).toBe(true)
    const records = (await readAll(log)).filter((record) => record.key !== 'filler')
    expect(records.map(({ offset, key, value }) => [offset, key, value])).toEqual([
      [2, 'a', '2'],
      [3, 'c', '1'],
      [4, 'b', '2'],
    ])
  })

  test('keeps the batch it thins out where it was: base offset, last offset, sequences, epoch', async () => {
    const { log } = await compactedLog()
    const producer = { producerId: 5, producerEpoch: 1 }
    await appendAll(
      log,
      [
        batchOf(
          [
            { key: 'a', value: '1' },
            { key: 'b', value: '1' },
            { key: 'c', value: '1' },
          ],
          { ...producer, baseSequence: 0 },
        ),
        batchOf(
          [
            { key: 'a', value: '2' },
            { key: 'c', value: '2' },
          ],
          { ...producer, baseSequence: 3 },
        ),
      ],
      { leaderEpoch: 4 },
    )
    await closeSegments(log)
    await compact(log)
    expect((await headers(log))[0]).toMatchObject({
      baseOffset: 0,
      lastOffsetDelta: 2,
      recordCount: 1,
      producerId: 5,
      producerEpoch: 1,
      baseSequence: 0,
      partitionLeaderEpoch: 4,
    })
  })

  test("keeps a live producer's last batch without its records, so that its next sequence is still in order", async () => {
    const { env, log } = await compactedLog()
    const producer = { producerId: 5, producerEpoch: 1 }
    await appendAll(log, [batchOf([{ key: 'a', value: '1' }], { ...producer, baseSequence: 0 }), keyed(['a', '2'])])
    await closeSegments(log)
    await compact(log)
    expect((await headers(log))[0]).toMatchObject({ baseOffset: 0, recordCount: 0, baseTimestamp: -1, producerId: 5, baseSequence: 0 })
    const reopened = await openLog(env.restartAfter('kill'), { config: compacted })
    const next = batchOf([{ key: 'a', value: '3' }], { ...producer, baseSequence: 2 })
    expect(reopened.append(next, { leaderEpoch: 0, origin: 'client' }).errorCode).toBe(45)
  })

  test('a tombstone outlives what it deletes by delete.retention.ms, then goes', async () => {
    const { env, log } = await compactedLog()
    await appendAll(log, [keyed(['a', '1']), keyed(['a', null], ['b', '1'])])
    await closeSegments(log)
    await compact(log)
    expect((await readAll(log)).slice(0, 2)).toMatchObject([
      { offset: 1, key: 'a', value: null },
      { offset: 2, key: 'b' },
    ])
    expect((await headers(log)).map(deleteHorizonMs)[0]).toBe(env.clock.nowMs() + 1000)
    expect((await readAll(log))[1]?.timestampMs).toBe(1000)
    await compact(log)
    expect((await readAll(log))[0]?.key).toBe('a')
    await env.advance(1001)
    await compact(log)
    expect((await readAll(log))[0]?.key).toBe('b')
  })

  test('records of aborted transactions go, those of committed ones stay, markers last until their records are gone', async () => {
    const { env, log } = await compactedLog()
    const data = (producerId: number, key: string) =>
      batchOf([{ key, value: 'v' }], { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    await appendAll(log, [data(1, 'committed'), data(2, 'aborted')])
    await appendAll(log, [marker({ producerId: 1, commit: true }), marker({ producerId: 2, commit: false })], { origin: 'coordinator' })
    await closeSegments(log)
    const dataKeys = async () =>
      (await readAll(log)).flatMap((record) =>
        record.key !== null && record.key.length > 4 && record.key !== 'filler' ? [record.key] : [],
      )
    await compact(log)
    expect(await dataKeys()).toEqual(['committed'])
    const controlCount = async () =>
      (await headers(log)).filter((header) => (header.attributes & 0x20) !== 0 && header.recordCount > 0).length
    expect(await controlCount()).toBe(2)
    // While the aborted producer is remembered its last batch stays, without records, and the marker with it.
    log.core.producers.expire(Infinity)
    await compact(log)
    await compact(log)
    expect(await controlCount()).toBe(2)
    await env.advance(1001)
    await compact(log)
    expect(await controlCount()).toBe(1)
    expect(await dataKeys()).toEqual(['committed'])
  })

  test('min.compaction.lag.ms keeps young records, the dirty ratio keeps mostly clean logs alone', async () => {
    const { env, log } = await compactedLog()
    log.updateConfig({ ...compacted, minCompactionLagMs: 5000, usesLogAppendTime: true })
    await appendAll(log, [keyed(['a', '1']), keyed(['a', '2'])])
    await closeSegments(log)
    expect(await compact(log)).toBe(false)
    await env.advance(6000)
    log.updateConfig({ ...compacted, minCompactionLagMs: 5000, minCleanableDirtyRatio: 1 })
    expect(await compact(log)).toBe(false)
    log.updateConfig({ ...compacted, minCompactionLagMs: 5000 })
    expect(await compact(log)).toBe(true)
  })

  test('a pass that runs out of room for keys cleans what it learned, and the next goes on from there', async () => {
    const { log } = await simulatedLog({ config: compacted, limits: { cleanerKeyBytesMax: 300 } })
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 10; key++) await appendAll(log, [keyed([`key ${key}`, `${round}`.padEnd(30)])])
    }
    await closeSegments(log)
    const cleaner = new Cleaner(log.core.context, new Map())
    await log.core.tasks.idle()
    for (let pass = 0; pass < 20 && (await cleaner.cleanAll([log], new Map([[log, log.recoveryPoint]]))); pass++) {
      // Each pass goes on where the one before ended.
    }
    const keys = new Map((await readAll(log)).map(({ key, value }) => [key, value?.trim()]))
    for (let key = 0; key < 10; key++) expect(keys.get(`key ${key}`)).toBe('2')
    expect(cleaner.checkpoint(new Map([['t-0', log]]))[0]?.offset).toBe(log.core.segments.active.baseOffset)
  })
})

describe('a crash in the middle of a swap', () => {
  async function crashedAt(step: 'cleaned' | 'swap' | 'deleted', env: SimulatedEnv, log: DiskPartitionLog): Promise<void> {
    const suffix = { cleaned: '.log.cleaned', swap: '.log.swap', deleted: '.log.swap' }[step]
    env.diskControl.failNext({
      operations: ['rename'],
      path: (path) =>
        step === 'cleaned' ? path.endsWith('.log.cleaned') : step === 'swap' ? path.endsWith('0.log') : path.endsWith('.log.swap'),
      code: 'EIO',
      count: 1,
    })
    await compact(log)
    expect(env.diskControl.names.paths().some((path) => path.endsWith(suffix))).toBe(true)
  }

  for (const step of ['cleaned', 'swap', 'deleted'] as const) {
    test(`at "${step}" loses no key`, async () => {
      const { env, log } = await compactedLog()
      await appendAll(log, [keyed(['a', '1'], ['b', '1']), keyed(['a', '2']), keyed(['c', '1'])])
      await closeSegments(log)
      const before = new Map((await readAll(log)).map(({ key, value }) => [key, value]))
      await crashedAt(step, env, log)
      const reopened = await openLog(env.restartAfter('kill'), { config: compacted, recoveryPoint: log.logEndOffset })
      expect(new Map((await readAll(reopened)).map(({ key, value }) => [key, value]))).toEqual(before)
      const leftovers = (await env.world.start('process').disk.list(folder))?.filter((name) => /cleaned|swap/.test(name))
      expect(leftovers).toEqual([])
    })
  }
})

test('whatever is appended, compacted and restarted, readers end up with the same table', { timeout: 30_000 }, async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const record = fc.tuple(key, fc.option(fc.string({ maxLength: 40 }), { freq: 4, nil: null }))
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        records: fc.array(record, { minLength: 1, maxLength: 6 }),
        compression: fc.constantFrom(0, 1, 2, 3, 4),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), async (steps, seed) => {
      let { env, log } = await compactedLog({ seed })
      const table = new Map<string, string>()
      const all: { offset: number; key: string; value: string | null }[] = []
      for (const current of steps) {
        if (current.kind === 'append') {
          const batch = batchOf(
            current.records.map(([k, value]) => ({ key: k, value, timestampMs: 5 })),
            { compression: current.compression as 0 },
          )
          const [base = 0] = await appendAll(log, [batch])
          current.records.forEach(([k, value], index) => {
            all.push({ offset: base + index, key: k, value })
            if (value === null) table.delete(k)
            else table.set(k, value)
          })
        } else if (current.kind === 'compact') await compact(log)
        else if (current.kind === 'wait') await env.advance(1500)
        else {
          const recoveryPoint = log.recoveryPoint
          env = env.restartAfter('kill')
          log = await openLog(env, { config: compacted, recoveryPoint, limits: { tailCacheBytesMax: 0 } })
          log.setHighWatermark(log.logEndOffset)
        }
        expect(log.logEndOffset).toBe(all.length)
      }
      const found = await readAll(log)
      const seen = new Map<string, string>()
      for (const { offset, key: k, value, timestampMs } of found) {
        expect({ offset, key: k, value, timestampMs }).toEqual({ ...all[offset], timestampMs: 5 })
        if (value === null) seen.delete(k ?? '')
        else seen.set(k ?? '', value)
      }
      expect(found.map(({ offset }) => offset)).toEqual(found.map(({ offset }) => offset).sort((a, b) => a - b))
      expect(seen).toEqual(table)
    }),
    { numRuns: 60 },
  )
})

test('a topic that is both compacted and deleted still lets old segments go', async () => {
  const { env, log } = await simulatedLog({ config: { ...compacted, isDeleted: true, retentionMs: 1000, usesLogAppendTime: true } })
  await appendAll(
    log,
    Array.from({ length: 20 }, (_, index) => keyed([`k${index}`, 'x'.repeat(60)])),
  )
  await env.advance(2000)
  await appendAll(log, [keyed(['young', 'y'])])
  await log.applyRetention()
  expect(log.logStartOffset).toBeGreaterThan(10)
  expect((await readValues(log)).at(-1)).toBe('y')
})
