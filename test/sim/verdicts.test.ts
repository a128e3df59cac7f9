/** What the simulator calls wrong: each verdict on a small case, since the lifetimes of a sound cluster never show them. */
import { beforeEach, describe, expect, it } from 'vitest'
import { GroupLedger } from './group-ledger.ts'
import { Leaders } from './leaders.ts'
import { LossBound } from './loss-bound.ts'
import { judgeProduced } from './produced-records.ts'
import type { SentRecord } from './producing.ts'
import { Violations } from './violation.ts'

let violations: Violations
beforeEach(() => {
  violations = new Violations(() => 0)
})

const found = (): string[] => violations.found.map(({ invariant }) => invariant)
const sent = (sequence: number, offset: number | null): SentRecord => ({
  producer: 'p',
  sequence,
  value: `p-${sequence}`,
  partition: 0,
  offset,
  error: null,
})
const read = (...sequences: number[]) => sequences.map((sequence, offset) => ({ offset, value: `p-${sequence}` }))

describe('produced records', () => {
  it('are as they should be when each is there once, in order, where it was acknowledged', () => {
    judgeProduced(0, read(0, 1, 2), [sent(0, 0), sent(1, null), sent(2, 2), sent(3, null)], violations)
    expect(found()).toEqual([])
  })

  it('are lost when an acknowledged one is absent or elsewhere', () => {
    judgeProduced(0, read(0, 1), [sent(0, 0), sent(1, 4), sent(2, 2)], violations)
    expect(found()).toEqual(['acknowledged records are not lost', 'acknowledged records are not lost'])
  })

  it('may be neither twice nor out of order', () => {
    judgeProduced(0, read(0, 0), [sent(0, 0)], violations)
    judgeProduced(0, read(1, 0), [sent(0, null), sent(1, null)], violations)
    expect(found()).toEqual(['records of an idempotent producer are not duplicated', 'records of a producer keep their order'])
  })
})

describe('a group', () => {
  const records = (partition: number, ...offsets: number[]) => ({
    topic: 't',
    partition,
    records: offsets.map((offset) => ({ offset, timestampMs: 0, key: null, value: Buffer.from(String(offset)), headers: [] })),
    nextOffset: (offsets.at(-1) ?? -1) + 1,
    highWatermark: 100,
  })

  it('goes back when a member starts below what was committed', () => {
    const ledger = new GroupLedger(violations)
    ledger.committed([{ topic: 't', partition: 0, offset: 5 }])
    ledger.assigned('m', [{ topic: 't', partition: 0 }])
    ledger.consumed('m', records(0, 4, 5))
    expect(found()).toEqual(['committed offsets never go back'])
  })

  it('goes back when its coordinator forgets, and skips what nobody got', () => {
    const ledger = new GroupLedger(violations)
    ledger.consumed('m', records(0, 0, 2))
    ledger.committed([{ topic: 't', partition: 0, offset: 3 }])
    ledger.finish(0, 2, [0, 1, 2])
    expect(found()).toEqual(['committed offsets never go back', 'a group skips no record'])
  })
})

describe('leaders', () => {
  it('are one in an epoch, and their high watermark never falls', () => {
    const leaders = new Leaders(violations)
    leaders.leadsQuorum('a', 1)
    leaders.leadsQuorum('a', 1)
    leaders.leadsPartition('a', 't-0', 3)
    leaders.highWatermark('t-0', 3, 10)
    expect(found()).toEqual([])
    leaders.leadsQuorum('b', 1)
    leaders.leadsPartition('b', 't-0', 3)
    leaders.leadsPartition('a', 't-0', 4)
    leaders.highWatermark('t-0', 4, 10)
    leaders.highWatermark('t-0', 4, 9)
    expect(found()).toEqual([
      'one quorum leader per epoch',
      'one partition leader per leader epoch',
      'the high watermark never falls within a leader epoch',
    ])
  })
})

describe('the bound on losses', () => {
  it('lets one broker of three lose power until it is back in sync', () => {
    const bound = new LossBound(2)
    expect(bound.allows('a', true)).toBe(true)
    bound.ended('a', { nextLife: 2, lostPower: true, hosted: ['t-0', 't-1'] })
    expect(bound.allows('b', true)).toBe(false)
    expect(bound.allows('a', true)).toBe(true)
    bound.inSync('a', 1, 't-0')
    bound.inSync('a', 2, 't-0')
    expect(bound.allows('b', true)).toBe(false)
    bound.inSync('a', 2, 't-1')
    expect(bound.allows('b', true)).toBe(true)
  })

  it('makes what follows a breach expected, except what no loss explains', () => {
    violations.beyondBound()
    violations.report('acknowledged records are not lost', '')
    violations.report('one quorum leader per epoch', '')
    expect(violations.expected).toHaveLength(1)
    expect(found()).toEqual(['one quorum leader per epoch'])
  })
})
