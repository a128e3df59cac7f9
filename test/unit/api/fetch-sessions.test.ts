import { describe, expect, it } from 'vitest'
import {
  type FetchExchange,
  FetchSessions,
  type FetchTarget,
  type PartitionAnswer,
  type SessionRequest,
} from '../../../broker/api/fetch-sessions.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

const EVICTION_MS = 120_000

function sessionsWith(slots = 10, partitionsMax = 100) {
  let nowMs = 0
  let nextId = 0
  const sessions = new FetchSessions({
    slots,
    partitionsMax,
    evictionMs: EVICTION_MS,
    monotonicMs: () => nowMs,
    randomBelow: () => nextId++,
  })
  return { sessions, advance: (ms: number) => (nowMs += ms) }
}

function target(partition: number, fetchOffset = 0): FetchTarget {
  return {
    topic: 'orders',
    topicId: '',
    partition,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1024,
  }
}

function request(fields: Partial<SessionRequest>): SessionRequest {
  return { sessionId: 0, sessionEpoch: 0, usesTopicIds: false, isReplica: false, targets: [], forgotten: [], ...fields }
}

const quiet: PartitionAnswer = {
  errorCode: ErrorCode.NONE,
  highWatermark: 5,
  lastStableOffset: 5,
  logStartOffset: 0,
  recordBytes: 0,
  isDiverging: false,
}

function begun(sessions: FetchSessions, fields: Partial<SessionRequest>): FetchExchange {
  const exchange = sessions.begin(request(fields))
  if (typeof exchange === 'number') throw new Error(`refused with ${exchange}`)
  return exchange
}

/** Opens a session over `partitions`, all of which answered `quiet`. */
function opened(sessions: FetchSessions, partitions: readonly number[], isReplica = false): number {
  const exchange = begun(sessions, { targets: partitions.map((partition) => target(partition)), isReplica })
  return exchange.finish(partitions.map(() => quiet)).sessionId
}

const partitionsOf = (exchange: FetchExchange) => exchange.targets.map(({ partition }) => partition)

describe('fetch sessions', () => {
  it('opens a session for a full request and lists every partition', () => {
    const { sessions } = sessionsWith()
    const exchange = begun(sessions, { targets: [target(0), target(1)] })
    const { sessionId, isListed } = exchange.finish([quiet, quiet])
    expect(sessionId).toBeGreaterThan(0)
    expect([isListed(0), isListed(1)]).toEqual([true, true])
  })

  it('opens none for a fetch of nothing', () => {
    const { sessions } = sessionsWith()
    expect(begun(sessions, {}).finish([]).sessionId).toBe(0)
    expect(sessions.size).toBe(0)
  })

  it('reads on from what the session knows, and tells only what changed', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0, 1, 2])
    const exchange = begun(sessions, { sessionId, sessionEpoch: 1, targets: [target(1, 7)] })
    expect(partitionsOf(exchange)).toEqual([0, 1, 2])
    expect(exchange.targets[1]!.fetchOffset).toBe(7)
    const { isListed } = exchange.finish([quiet, { ...quiet, highWatermark: 9 }, quiet])
    expect([0, 1, 2].map(isListed)).toEqual([false, true, false])
  })

  it.each([
    ['the log start', { logStartOffset: 2 }],
    ['the last stable offset', { lastStableOffset: 4 }],
    ['records', { recordBytes: 10 }],
    ['a divergence', { isDiverging: true }],
  ])('tells a change of %s', (_what, change) => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0])
    expect(
      begun(sessions, { sessionId, sessionEpoch: 1 })
        .finish([{ ...quiet, ...change }])
        .isListed(0),
    ).toBe(true)
  })

  it('tells an error every time, and the recovery from it', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0])
    const failing = { ...quiet, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
    expect(begun(sessions, { sessionId, sessionEpoch: 1 }).finish([failing]).isListed(0)).toBe(true)
    expect(begun(sessions, { sessionId, sessionEpoch: 2 }).finish([failing]).isListed(0)).toBe(true)
    expect(begun(sessions, { sessionId, sessionEpoch: 3 }).finish([quiet]).isListed(0)).toBe(true)
    expect(begun(sessions, { sessionId, sessionEpoch: 4 }).finish([quiet]).isListed(0)).toBe(false)
  })

  it('puts a partition that got bytes behind those that did not', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0, 1, 2])
    begun(sessions, { sessionId, sessionEpoch: 1 }).finish([{ ...quiet, recordBytes: 10 }, quiet, quiet])
    expect(partitionsOf(begun(sessions, { sessionId, sessionEpoch: 2 }))).toEqual([1, 2, 0])
  })

  it('drops forgotten partitions, and the session with its last one', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0, 1])
    const smaller = begun(sessions, { sessionId, sessionEpoch: 1, forgotten: [target(0)] })
    expect(partitionsOf(smaller)).toEqual([1])
    smaller.finish([quiet])
    const none = begun(sessions, { sessionId, sessionEpoch: 2, forgotten: [target(1)] })
    expect(none.finish([]).sessionId).toBe(0)
    expect(sessions.size).toBe(0)
  })

  it('refuses an unknown session, a wrong epoch, and a switch between names and ids', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0])
    expect(sessions.begin(request({ sessionId: sessionId + 1, sessionEpoch: 1 }))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect(sessions.begin(request({ sessionId, sessionEpoch: 2 }))).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    expect(sessions.begin(request({ sessionId, sessionEpoch: 1, usesTopicIds: true }))).toBe(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    expect(partitionsOf(begun(sessions, { sessionId, sessionEpoch: 1 }))).toEqual([0])
  })

  it('closes with the final epoch', () => {
    const { sessions } = sessionsWith()
    const sessionId = opened(sessions, [0])
    expect(begun(sessions, { sessionId, sessionEpoch: -1, targets: [target(0)] }).finish([quiet]).sessionId).toBe(0)
    expect(sessions.size).toBe(0)
  })

  it('replaces a session that starts anew', () => {
    const { sessions } = sessionsWith()
    const first = opened(sessions, [0])
    const second = begun(sessions, { sessionId: first, targets: [target(0)] }).finish([quiet]).sessionId
    expect(second).not.toBe(first)
    expect(sessions.size).toBe(1)
  })
})

describe('the bound on fetch sessions', () => {
  it('gives no session when all slots are taken by busy ones', () => {
    const { sessions } = sessionsWith(2)
    opened(sessions, [0, 1])
    opened(sessions, [0, 1])
    expect(opened(sessions, [0, 1, 2])).toBe(0)
    expect(sessions.size).toBe(2)
  })

  it('bounds the partitions of all sessions together', () => {
    const { sessions, advance } = sessionsWith(10, 5)
    expect(opened(sessions, [0, 1, 2, 3, 4, 5])).toBe(0)
    const first = opened(sessions, [0, 1, 2])
    expect(opened(sessions, [3, 4, 5])).toBe(0)
    expect(opened(sessions, [3, 4])).toBeGreaterThan(0)
    expect(sessions.partitionCount).toBe(5)
    advance(EVICTION_MS + 1)
    expect(opened(sessions, [6, 7, 8])).toBeGreaterThan(0)
    expect(sessions.begin(request({ sessionId: first, sessionEpoch: 1 }))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('ends a session that would grow beyond the bound, so that its fetcher begins anew', () => {
    const { sessions } = sessionsWith(10, 5)
    const sessionId = opened(sessions, [0, 1, 2])
    const more = (sessionEpoch: number, ...partitions: number[]) =>
      sessions.begin(request({ sessionId, sessionEpoch, targets: partitions.map((partition) => target(partition, 1)) }))
    expect(more(1, 0, 1, 2)).toBeTypeOf('object')
    expect(more(2, 2, 3, 4)).toBeTypeOf('object')
    expect(more(3, 5)).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    expect([sessions.size, sessions.partitionCount]).toEqual([0, 0])
  })

  it('gives the slot of an idle session away', () => {
    const { sessions, advance } = sessionsWith(1)
    const idle = opened(sessions, [0, 1])
    advance(EVICTION_MS + 1)
    expect(opened(sessions, [0])).not.toBe(0)
    expect(sessions.begin(request({ sessionId: idle, sessionEpoch: 1 }))).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('lets a larger session take the slot of a smaller one that has lived its time', () => {
    const { sessions, advance } = sessionsWith(1)
    const small = opened(sessions, [0])
    advance(EVICTION_MS)
    begun(sessions, { sessionId: small, sessionEpoch: 1 }).finish([quiet])
    expect(opened(sessions, [0])).toBe(0)
    expect(opened(sessions, [0, 1])).not.toBe(0)
    expect(sessions.size).toBe(1)
  })

  it('lets a replica take the slot of a consumer, and never the other way', () => {
    const { sessions, advance } = sessionsWith(1)
    const consumer = opened(sessions, [0, 1])
    advance(EVICTION_MS)
    begun(sessions, { sessionId: consumer, sessionEpoch: 1 }).finish([quiet, quiet])
    const replica = opened(sessions, [0], true)
    expect(replica).not.toBe(0)
    advance(EVICTION_MS)
    begun(sessions, { sessionId: replica, sessionEpoch: 1 }).finish([quiet])
    expect(opened(sessions, [0, 1, 2])).toBe(0)
  })
})
