import { describe, expect, test } from 'vitest'
import { createSimulatedEnv, type SimulatedEnv } from '../../../broker/env/simulated.ts'
import { openLogManager } from '../../../broker/log/log-manager.ts'
import type { DiskPartitionLog } from '../../../broker/log/partition-log.ts'
import type { LogManagerOptions } from '../../../broker/log/types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { appendAll, readValues, smallConfig, values } from './support.ts'

const topicId = 'abcdefghijklmnopqrstuv'
const otherTopicId = 'zyxwvutsrqponmlkjihgfe'

function open(env: SimulatedEnv, options: Partial<LogManagerOptions> = {}) {
  const configOf = () => smallConfig()
  return openLogManager(env, { directory: '/data', clusterId: 'cluster', nodeId: 1, configOf, ...options })
}

const t0 = { topic: 't', partition: 0 }
const created = { topicId, config: smallConfig() }

describe('the data folder', () => {
  test('is claimed with meta.properties and keeps its directory id', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    expect(manager.directoryId).toMatch(/^[\w-]{22}$/)
    const text = (await env.disk.readFile('/data/meta.properties'))?.toString()
    expect(text).toContain('version=1')
    expect(text).toContain('cluster.id=cluster')
    expect(text).toContain('node.id=1')
    await manager.close()
    expect((await open(env)).directoryId).toBe(manager.directoryId)
  })

  test('of another node or cluster is refused with both names', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await (await open(env)).close()
    await expect(open(env, { nodeId: 2 })).rejects.toMatchObject({ code: 'DIRECTORY_FOREIGN' })
    await expect(open(env, { clusterId: 'other' })).rejects.toThrow('belongs to node 1 of cluster cluster')
  })

  test('in use by another process is refused', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const first = await open(env)
    await expect(open(env)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' })
    await first.close()
    await (await open(env)).close()
  })

  test('a clean stop is known at the next start, with its broker epoch, and at that one only', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const first = await open(env)
    expect([first.wasCleanShutdown, first.previousBrokerEpoch]).toEqual([false, -1])
    await first.noteBrokerEpoch(42)
    await first.close()
    const second = await open(env)
    expect([second.wasCleanShutdown, second.previousBrokerEpoch]).toEqual([true, 42])
    const third = await open(env.restartAfter('powerLoss'))
    expect([third.wasCleanShutdown, third.previousBrokerEpoch]).toEqual([false, -1])
  })

  test('vouches for a life whose process died, and not for one whose machine did', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await (await open(env)).noteBrokerEpoch(42)
    const revived = env.restartAfter('kill')
    const second = await open(revived)
    expect([second.wasCleanShutdown, second.previousBrokerEpoch]).toEqual([false, 42])
    expect((await open(revived.restartAfter('powerLoss'))).previousBrokerEpoch).toBe(-1)
  })

  test.each(['kill', 'clean stop'])(
    'one who ended by a %s before it heard its epoch leaves its name and all the proof it found',
    async (end) => {
      const env = createSimulatedEnv({ seed: 1 })
      const first = await open(env)
      await first.noteBrokerEpoch(42)
      await first.close()
      const second = await open(env)
      if (end === 'clean stop') await second.close()
      const third = await open(env.restartAfter('kill'))
      expect([third.previousBrokerEpoch, third.incarnationId]).toEqual([42, second.incarnationId])
      await third.noteBrokerEpoch(43)
      await third.close()
      const fourth = await open(env.restartAfter('kill'))
      expect(fourth.previousBrokerEpoch).toBe(43)
      expect(fourth.incarnationId).not.toBe(third.incarnationId)
    },
  )

  test('vouches for nothing after its disk failed', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    await manager.noteBrokerEpoch(42)
    const log = await manager.getOrCreate(t0, created)
    env.diskControl.failNext({ operations: ['write'], code: 'EIO', path: (path) => path.endsWith('.log') })
    expect(await log.append(values('x'), { leaderEpoch: 0, origin: 'coordinator' }).written).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    await env.advance(100)
    expect((await open(env.restartAfter('kill'))).previousBrokerEpoch).toBe(-1)
  })

  test('vouches for nothing when an epoch could not be noted', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await (await open(env)).noteBrokerEpoch(42)
    const revived = env.restartAfter('kill')
    const manager = await open(revived)
    revived.diskControl.failNext({ operations: ['write'], code: 'ENOSPC', count: 1 })
    await manager.noteBrokerEpoch(43)
    const next = await open(revived.restartAfter('kill'))
    expect(next.previousBrokerEpoch).toBe(-1)
    expect(next.incarnationId).not.toBe(manager.incarnationId)
  })
})

describe('logs', () => {
  test('are found again with their records, high watermark and topic id', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    for (const partition of [0, 1, 2]) {
      const log = await manager.getOrCreate({ topic: 'a-b', partition }, created)
      await appendAll(log, [values(`p${partition}`)])
    }
    await manager.close()
    const next = await open(env)
    expect(next.all()).toHaveLength(3)
    const log = next.get('a-b', 1)
    expect(log && (await readValues(log))).toEqual(['p1'])
    expect([log?.highWatermark, log?.topicId]).toEqual([1, topicId])
  })

  test('every acknowledged record survives a kill', async () => {
    const env = createSimulatedEnv({ seed: 4 })
    const manager = await open(env)
    const log = await manager.getOrCreate(t0, created)
    const texts = Array.from({ length: 60 }, (_, index) => `value ${index}`)
    await appendAll(
      log,
      texts.map((text) => values(text)),
    )
    const next = await open(env.restartAfter('kill'))
    const found = next.get('t', 0)
    expect(found && (await readValues(found))).toEqual(texts)
  })

  test('of a topic created anew under the same name are refused until the old ones are deleted', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    await appendAll(await manager.getOrCreate(t0, created), [values('old')])
    const anew = { ...created, topicId: otherTopicId }
    await expect(manager.getOrCreate(t0, anew)).rejects.toMatchObject({ code: 'TOPIC_ID_MISMATCH' })
    await manager.delete('t', 0)
    const log = await manager.getOrCreate(t0, anew)
    expect(log.logEndOffset).toBe(0)
  })

  test('two calls at once for one partition get one log', async () => {
    const manager = await open(createSimulatedEnv({ seed: 1 }))
    const [first, second] = await Promise.all([manager.getOrCreate(t0, created), manager.getOrCreate(t0, created)])
    expect(first).toBe(second)
  })

  test('deleted ones leave their name at once and the disk after the delay', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    const log = await manager.getOrCreate(t0, { topicId, config: smallConfig({ fileDeleteDelayMs: 1000 }) })
    await appendAll(log, [values('a')])
    await manager.delete('t', 0)
    expect(manager.get('t', 0)).toBeNull()
    expect(log.append(values('b'), { leaderEpoch: 0, origin: 'client' }).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const names = async () => (await env.disk.list('/data'))?.filter((name) => name.startsWith('t-'))
    expect(await names()).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)])
    await env.advance(2000)
    expect(await names()).toEqual([])
  })

  test('deletion interrupted by a crash is completed by the next start', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    await manager.getOrCreate(t0, created)
    await manager.delete('t', 0)
    const next = env.restartAfter('kill')
    expect((await open(next)).all()).toEqual([])
    await next.advance(10)
    expect((await next.disk.list('/data'))?.some((name) => name.endsWith('-delete'))).toBe(false)
  })

  test('unknown ones are set aside, not loaded, not removed', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    await appendAll(await manager.getOrCreate(t0, created), [values('a')])
    await manager.setAside('t', 0)
    await manager.close()
    const next = await open(env)
    await env.advance(100_000)
    expect(next.all()).toEqual([])
    expect((await env.disk.list('/data'))?.some((name) => name.endsWith('-stray'))).toBe(true)
  })

  test('one that the disk refuses to read does not keep the others from opening', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const manager = await open(env)
    for (const topic of ['bad', 'good']) await appendAll(await manager.getOrCreate({ topic, partition: 0 }, created), [values(topic)])
    const next = env.restartAfter('kill')
    const fault = next.diskControl.failNext({ path: (path) => path.startsWith('/data/bad-0'), code: 'EIO' })
    const reopened = await open(next)
    expect(reopened.all().map((log) => log.topicPartition.topic)).toEqual(['good'])
    await expect(reopened.getOrCreate({ topic: 'bad', partition: 0 }, created)).rejects.toMatchObject({ code: 'STORAGE' })
    fault.remove()
    await reopened.close()
    const last = await open(next)
    expect(last.wasCleanShutdown).toBe(false)
    const log = last.get('bad', 0)
    expect(log && (await readValues(log))).toEqual(['bad'])
  })

  test('a full disk takes one log offline, tells its owner, and the next start has all that was acknowledged', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const offline: string[] = []
    const manager = await open(env, { onLogOffline: (log, reason) => offline.push(`${log.topicPartition.topic}: ${reason}`) })
    const log = await manager.getOrCreate(t0, created)
    await appendAll(log, [values('acknowledged')])
    env.diskControl.capacityBytes = env.diskControl.usedBytes() + 10
    const refused = log.append(values('x'.repeat(100)), { leaderEpoch: 0, origin: 'client' })
    expect(await refused.written).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(offline).toEqual([expect.stringContaining('t: no space left on device')])
    await env.advance(120_000)
    env.diskControl.capacityBytes = Number.MAX_SAFE_INTEGER
    const reopened = (await open(env.restartAfter('kill'))).get('t', 0)
    expect(reopened && (await readValues(reopened))).toEqual(['acknowledged'])
  })
})

describe('in the background', () => {
  test('a kill between a sync and the note of it costs no more than what the note says, however often', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const indexed = smallConfig({ segmentBytes: 100_000, indexIntervalBytes: 1 })
    const manager = await open(env, { configOf: () => indexed })
    const log = (await manager.getOrCreate(t0, { topicId, config: indexed })) as DiskPartitionLog
    await appendAll(log, [values('noted')])
    await log.checkpoint()
    await manager.runMaintenance()
    for (let round = 0; round < 4; round++) {
      await appendAll(log, [values('not noted')])
      await log.checkpoint()
    }
    const next = await open(env.restartAfter('kill'), { configOf: () => indexed })
    expect((next.get('t', 0) as DiskPartitionLog).scannedBytes).toBe(4 * values('not noted').length)
  })

  test('old data is synced, so that a power loss costs only the newest', async () => {
    const env = createSimulatedEnv({ seed: 9 })
    const manager = await open(env)
    const log = await manager.getOrCreate(t0, created)
    await appendAll(log, [values('old 1'), values('old 2')])
    await env.advance(70_000)
    expect(log.recoveryPoint).toBe(2)
    await appendAll(log, [values('new')])
    const next = await open(env.restartAfter('powerLoss'))
    const found = next.get('t', 0)
    expect(found && (await readValues(found)).slice(0, 2)).toEqual(['old 1', 'old 2'])
  })

  test('the logs with most to lose are synced first once more than the target is unsynced', async () => {
    const env = createSimulatedEnv({ seed: 9 })
    const manager = await open(env, { limits: { unflushedBytesTarget: 1000 } })
    const small = await manager.getOrCreate({ topic: 'small', partition: 0 }, created)
    const large = await manager.getOrCreate({ topic: 'large', partition: 0 }, { topicId, config: smallConfig({ segmentBytes: 100_000 }) })
    await appendAll(small, [values('a')])
    await appendAll(large, [values('x'.repeat(2000))])
    await env.advance(1500)
    expect([small.recoveryPoint, large.recoveryPoint]).toEqual([0, 1])
  })

  test('flush.ms is honoured', async () => {
    const env = createSimulatedEnv({ seed: 9 })
    const manager = await open(env)
    const log = await manager.getOrCreate(t0, { topicId, config: smallConfig({ flushMs: 3000 }) })
    await appendAll(log, [values('a')])
    await env.advance(2500)
    expect(log.recoveryPoint).toBe(0)
    await env.advance(2500)
    expect(log.recoveryPoint).toBe(1)
  })

  test('retention deletes segments by time, whole', async () => {
    const env = createSimulatedEnv({ seed: 9 })
    const manager = await open(env, { retentionSchedule: { initialDelayMs: 30_000, intervalMs: 30_000 } })
    const config = smallConfig({ retentionMs: 60_000, usesLogAppendTime: true })
    const log = await manager.getOrCreate(t0, { topicId, config })
    await appendAll(
      log,
      Array.from({ length: 30 }, (_, index) => values(`old ${index}`.padEnd(50))),
    )
    await env.advance(50_000)
    await appendAll(log, [values('young')])
    await env.advance(45_000)
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect((await readValues(log)).at(-1)).toBe('young')
    const start = log.logStartOffset
    const reopened = (await open(env.restartAfter('powerLoss'), { configOf: () => config })).get('t', 0)
    expect(reopened?.logStartOffset).toBe(start)
  })

  test('records that are too old are there until retention looks: 30 s after the start, then every 5 minutes', async () => {
    const env = createSimulatedEnv({ seed: 10 })
    const manager = await open(env)
    const config = smallConfig({ retentionMs: 1, usesLogAppendTime: true })
    const log = await manager.getOrCreate(t0, { topicId, config })
    await appendAll(log, [values('first')])
    await env.advance(29_000)
    expect(await readValues(log)).toEqual(['first'])
    await env.advance(2_000)
    expect(log.logStartOffset).toBe(1)
    await appendAll(log, [values('second')])
    await env.advance(298_000)
    expect(await readValues(log)).toEqual(['second'])
    expect(log.deleteRecordsBefore(1)).toBe(ErrorCode.NONE)
    await env.advance(2_000)
    expect(log.logStartOffset).toBe(2)
  })

  test('a topic capped by size exceeds its cap between two rounds only, and then by less than a segment', async () => {
    const env = createSimulatedEnv({ seed: 11 })
    const manager = await open(env)
    const config = smallConfig({ retentionBytes: 2_000, segmentBytes: 500 })
    const log = await manager.getOrCreate(t0, { topicId, config })
    const fill = () =>
      appendAll(
        log,
        Array.from({ length: 60 }, (_, index) => values(`value ${index}`.padEnd(50))),
      )
    for (const waitMs of [31_000, 300_000, 300_000]) {
      await fill()
      expect(log.sizeBytes).toBeGreaterThan(2_500)
      await env.advance(waitMs)
      expect(log.sizeBytes).toBeGreaterThanOrEqual(2_000)
      expect(log.sizeBytes).toBeLessThan(2_500)
    }
  })

  test('DeleteRecords deletes what it was asked to at once, and nothing for its age', async () => {
    const env = createSimulatedEnv({ seed: 12 })
    const manager = await open(env)
    const config = smallConfig({ retentionMs: 1, usesLogAppendTime: true, segmentBytes: 500 })
    const log = await manager.getOrCreate(t0, { topicId, config })
    await appendAll(
      log,
      Array.from({ length: 30 }, (_, index) => values(`value ${index}`.padEnd(50))),
    )
    await env.advance(1_000)
    const segmentCount = log.segmentCount
    log.deleteRecordsBefore(15)
    await env.advance(1_000)
    expect(log.logStartOffset).toBe(15)
    expect(log.segmentCount).toBeLessThan(segmentCount)
  })
})
