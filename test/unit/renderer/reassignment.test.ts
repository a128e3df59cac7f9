import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ReassignmentRun, ReassignmentState } from '../../../broker/contract/reassignments.ts'
import { goalOf, withBroker } from '../../../renderer/lib/reassignment-goal.ts'
import {
  hasNews,
  limitMissed,
  isUndone,
  limitWords,
  markWords,
  movingStatus,
  outlook,
  readThrottle,
  replicaMarks,
  runFacts,
  runShare,
  runStatus,
  stallNotice,
  throttledFor,
  throttleText,
} from '../../../renderer/lib/reassignment.ts'

const MIB = 1_048_576
const run: ReassignmentRun = {
  runId: 'r',
  title: 'Move orders to brokers 2 and 3',
  topic: 'orders',
  status: 'running',
  startedMs: 0,
  endedMs: null,
  giveUpAtMs: 100_000,
  throttleBytesPerSecond: null,
  partitionTotal: 12,
  doneCount: 3,
  failedCount: 0,
  cancelledCount: 0,
  bytesTotal: 100 * MIB,
  bytesCopied: 60 * MIB,
  bytesPerSecond: 10 * MIB,
  progressedMs: 9_000,
  activityId: 1,
  problem: null,
  summary: null,
}

describe('a run in words', () => {
  test('done with failures is done in part, never done', () => {
    expect(runStatus({ status: 'done', failedCount: 0 })).toEqual({ label: 'Done', tone: 'ok' })
    expect(runStatus({ status: 'done', failedCount: 1 })).toEqual({ label: 'Done in part', tone: 'warn' })
    expect(runStatus({ status: 'cancelled', failedCount: 1 }).label).toBe('Cancelled')
  })

  test('says how much has come, how fast, and how long it will take', () => {
    expect(runFacts(run, 10_000)).toEqual(['3 of 12 partitions', '60 MiB of 100 MiB', '10 MiB/s', 'about 4 s left'])
    expect(runFacts({ ...run, throttleBytesPerSecond: 50 * MIB }, 10_000).at(-1)).toBe('held to 50 MiB/s per broker')
    expect(runFacts({ ...run, status: 'done', endedMs: 65_000, doneCount: 12 }, 99_000).at(-1)).toBe('took 1 min 5 s')
    expect(runFacts({ ...run, bytesTotal: null, bytesCopied: null, bytesPerSecond: null }, 10_000)).toEqual(['3 of 12 partitions'])
  })

  test('its share is of bytes, of partitions where there is nothing to copy, and whole once it is done', () => {
    expect(runShare(run)).toBeCloseTo(0.6)
    expect(runShare({ ...run, bytesTotal: 0, bytesCopied: 0 })).toBeCloseTo(0.25)
    expect(runShare({ ...run, bytesCopied: 120 * MIB })).toBe(1)
    expect(runShare({ ...run, status: 'done' })).toBe(1)
    expect(runShare({ ...run, status: 'done', failedCount: 2 })).toBeCloseTo(0.6)
  })

  test('silence is told of after a minute, with the limit as the likely reason where there is one', () => {
    expect(stallNotice(run, 60_000)).toBeNull()
    expect(stallNotice(run, 80_000)).toMatch(/down/)
    expect(stallNotice({ ...run, throttleBytesPerSecond: 1_000 }, 80_000)).toMatch(/limit .+ raise it/)
    expect(stallNotice({ ...run, status: 'finishing' }, 80_000)).toBeNull()
  })

  test('says when it gives up, to the minute, and only while that is still to come', () => {
    const giveUpAtMs = Date.parse('2026-11-21T15:11:49.942')
    expect(outlook({ status: 'running', giveUpAtMs })).toBe(
      'Goes on without this page. What has not arrived by 2026-11-21 15:11 goes back.',
    )
    expect(outlook({ status: 'cancelling', giveUpAtMs })).toBe('Goes on without this page.')
    expect(outlook({ status: 'finishing', giveUpAtMs })).toBe('Goes on without this page.')
  })

  test('a partition whose new replicas are all in sync is caught up', () => {
    expect(movingStatus({ state: 'moving', adding: [3], caughtUp: [] }).label).toBe('Moving')
    expect(movingStatus({ state: 'moving', adding: [3], caughtUp: [3] }).label).toBe('Caught up')
    expect(movingStatus({ state: 'failed', adding: [3], caughtUp: [] }).tone).toBe('bad')
  })
})

test('replicas come in the order wished for, then those that go', () => {
  expect(replicaMarks([1, 2], [3, 2])).toEqual([
    { id: 3, change: 'added', isPreferred: true },
    { id: 2, change: 'kept', isPreferred: false },
    { id: 1, change: 'removed', isPreferred: false },
  ])
})

test('a change that did not happen does not read as one that does', () => {
  expect((['waiting', 'moving', 'done', 'failed', 'cancelled'] as const).filter((state) => isUndone({ state }))).toEqual([
    'failed',
    'cancelled',
  ])
  const marks = replicaMarks([1, 2], [3, 2])
  expect(marks.map((mark) => markWords(mark, false))).toEqual([
    'Broker 3 is added, preferred leader',
    'Broker 2 stays',
    'Broker 1 is removed',
  ])
  expect(marks.map((mark) => markWords(mark, true))).toEqual(['Broker 3 was not added', 'Broker 2 stays', 'Broker 1 was not removed'])
})

test('a limit is read in MiB a second, nothing is no limit, and words are a mistake', () => {
  expect(readThrottle('')).toEqual({ bytesPerSecond: null })
  expect(readThrottle(' 50 ')).toEqual({ bytesPerSecond: 50 * MIB })
  expect(readThrottle('0.5 MiB/s')).toEqual({ bytesPerSecond: MIB / 2 })
  for (const text of ['fast', '-1', '0']) expect(readThrottle(text)).toHaveProperty('mistake')
  expect(throttledFor(100 * MIB, 10 * MIB)).toBe('at least 10 s')
  expect(throttledFor(100 * MIB, null)).toBeNull()
})

test('a limit in a field reads as the same again, and is as short as that allows', () => {
  expect([null, 50 * MIB, MIB / 2, 1_000, 1].map(throttleText)).toEqual(['', '50', '0.5', '0.000954', '0.000001'])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytesPerSecond) => {
      expect(readThrottle(throttleText(bytesPerSecond))).toEqual({ bytesPerSecond })
    }),
  )
})

test('a new limit is told in words, and which brokers it did not reach', () => {
  expect([limitWords(50 * MIB), limitWords(null)]).toEqual(['held to 50 MiB/s per broker', 'as fast as it goes'])
  expect(limitMissed([])).toBeNull()
  expect(limitMissed([3])).toBe('Broker 3 is down and keeps the limit it had: set it again when it is back.')
  expect(limitMissed([2, 3])).toMatch(/^Brokers 2, 3 are down/)
})

test('a wish is complete once it says where, and brokers are listed once and in order', () => {
  expect(goalOf('orders', null, { kind: 'spread', brokers: [], replicationFactor: null })).toBeNull()
  expect(goalOf('orders', null, { kind: 'replication-factor', brokers: [1], replicationFactor: null })).toBeNull()
  expect(goalOf(null, 2, { kind: 'spread', brokers: [], replicationFactor: null })).toEqual({ kind: 'empty-broker', brokerId: 2 })
  expect(goalOf('orders', null, { kind: 'spread', brokers: [3, 1], replicationFactor: null })).toMatchObject({ brokers: [1, 3] })
  expect(withBroker([1, 3], 2, true)).toEqual([1, 2, 3])
  expect(withBroker([1, 3], 3, false)).toEqual([1])
})

test('a topic hears of its own moves, the cluster of all', () => {
  const state: ReassignmentState = {
    asOfMs: 0,
    run,
    partitions: [],
    partitionTotal: 0,
    elsewhereCount: 0,
    isSupported: true,
    gaps: [],
  }
  expect([hasNews(state, 'orders'), hasNews(state, 'payments'), hasNews(state, null), hasNews(null, null)]).toEqual([
    true,
    false,
    true,
    false,
  ])
  expect(hasNews({ ...state, run: null, elsewhereCount: 1 }, null)).toBe(true)
})
