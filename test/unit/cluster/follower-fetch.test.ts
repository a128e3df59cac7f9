import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fetchPosition, stepAfter } from '../../../broker/cluster/follower-fetch.ts'
import { LeaderEpochCache } from '../../../broker/log/leader-epoch-cache.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

/** A log that knows of each of its records the epoch it was written in. */
class EpochLog {
  readonly logStartOffset = 0
  records: string[]

  constructor(records: readonly string[]) {
    this.records = [...records]
  }
  get logEndOffset(): number {
    return this.records.length
  }
  #cache(): LeaderEpochCache {
    const cache = new LeaderEpochCache()
    this.records.forEach((record, offset) => cache.assign(epochOf(record), offset))
    return cache
  }
  endOffsetForEpoch(epoch: number) {
    return this.#cache().endOffsetFor(epoch, this.logEndOffset)
  }
  epochForOffset(offset: number): number {
    return this.#cache().epochForOffset(offset)
  }
}

const epochOf = (record: string): number => Number(record.split('.')[0])
const NOT_DIVERGING = { epoch: -1, endOffset: -1 }

describe('what a follower fetches', () => {
  it('begins at its log end, after the epoch of its last record', () => {
    expect(fetchPosition(new EpochLog(['1.a', '1.b', '4.c']))).toEqual({ fetchOffset: 3, lastFetchedEpoch: 4 })
    expect(fetchPosition(new EpochLog([]))).toEqual({ fetchOffset: 0, lastFetchedEpoch: -1 })
  })
})

describe('what a follower does with an answer', () => {
  const log = new EpochLog(['1.a', '1.b', '4.c'])
  it.each([
    [ErrorCode.NONE, { kind: 'append' }],
    [ErrorCode.OFFSET_OUT_OF_RANGE, { kind: 'startOver' }],
    [ErrorCode.FENCED_LEADER_EPOCH, { kind: 'retrySoon' }],
    [ErrorCode.UNKNOWN_LEADER_EPOCH, { kind: 'retrySoon' }],
    [ErrorCode.NOT_LEADER_OR_FOLLOWER, { kind: 'retrySoon' }],
    [ErrorCode.KAFKA_STORAGE_ERROR, { kind: 'retryLater' }],
  ])('after error %i: %o', (errorCode, step) => {
    expect(stepAfter({ errorCode, divergingEpoch: NOT_DIVERGING }, log)).toEqual(step)
  })

  it('cuts its log to where it agrees with the leader at most', () => {
    expect(stepAfter({ errorCode: 0, divergingEpoch: { epoch: 3, endOffset: 5 } }, log)).toEqual({ kind: 'truncate', offset: 2 })
    expect(stepAfter({ errorCode: 0, divergingEpoch: { epoch: 1, endOffset: 1 } }, log)).toEqual({ kind: 'truncate', offset: 1 })
  })

  it('ends with the records of its leader, and cuts nothing they have in common', () => {
    fc.assert(
      fc.property(histories, ({ leader: leaderRecords, follower: followerRecords, common }) => {
        const leader = new EpochLog(leaderRecords)
        const follower = new EpochLog(followerRecords)
        const leaderEpoch = 100
        for (let round = 0; follower.records.join() !== leaderRecords.join(); round++) {
          expect(round).toBeLessThan(40)
          const step = stepAfter(answerOf(leader, follower, leaderEpoch), follower)
          if (step.kind === 'truncate') follower.records.length = step.offset
          else follower.records.push(...leaderRecords.slice(follower.logEndOffset))
          expect(follower.logEndOffset).toBeGreaterThanOrEqual(common)
        }
      }),
    )
  })
})

/** What a leader answers: the largest epoch at or below the follower's, and its end. */
function answerOf(leader: EpochLog, follower: EpochLog, leaderEpoch: number) {
  const { fetchOffset, lastFetchedEpoch } = fetchPosition(follower)
  const cache = new LeaderEpochCache()
  leader.records.forEach((record, offset) => cache.assign(epochOf(record), offset))
  cache.assign(leaderEpoch, leader.logEndOffset)
  const end = cache.endOffsetFor(lastFetchedEpoch, leader.logEndOffset)
  const isDiverging = lastFetchedEpoch >= 0 && (end.leaderEpoch < lastFetchedEpoch || end.endOffset < fetchOffset)
  return { errorCode: 0, divergingEpoch: isDiverging ? { epoch: end.leaderEpoch, endOffset: end.endOffset } : NOT_DIVERGING }
}

/** Two logs with the same beginning, and then epochs of their own: no epoch has two leaders. */
const histories = fc
  .record({
    shared: fc.array(fc.nat({ max: 2 }), { maxLength: 8 }),
    own: fc.array(fc.record({ isLeader: fc.boolean(), count: fc.integer({ min: 1, max: 3 }) }), { maxLength: 8 }),
  })
  .map(({ shared, own }) => {
    let epoch = 0
    const common = shared.map((rise, index) => `${(epoch += rise)}.s${index}`)
    const leader = [...common]
    const follower = [...common]
    for (const { isLeader, count } of own) {
      epoch++
      const log = isLeader ? leader : follower
      for (let index = 0; index < count; index++) log.push(`${epoch}.${isLeader ? 'l' : 'f'}${index}`)
    }
    return { leader, follower, common: common.length }
  })
