import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaderEpochCache } from '../../../broker/log/leader-epoch-cache.ts'

const filled = () =>
  new LeaderEpochCache([
    { epoch: 0, startOffset: 0 },
    { epoch: 2, startOffset: 10 },
    { epoch: 3, startOffset: 20 },
  ])

test('a record of a known epoch changes nothing', () => {
  const cache = filled()
  cache.assign(3, 25)
  cache.assign(2, 15)
  expect(cache.entries).toEqual([
    { epoch: 0, startOffset: 0 },
    { epoch: 2, startOffset: 10 },
  ])
  expect(cache.isChanged).toBe(true)
  const untouched = filled()
  untouched.assign(3, 25)
  expect([untouched.entries, untouched.isChanged]).toEqual([filled().entries, false])
})

test('a new epoch replaces those that begin at or beyond it', () => {
  const cache = filled()
  cache.assign(5, 20)
  expect(cache.entries.at(-1)).toEqual({ epoch: 5, startOffset: 20 })
  expect(cache.entries).toHaveLength(3)
  cache.assign(6, 5)
  expect(cache.entries).toEqual([
    { epoch: 0, startOffset: 0 },
    { epoch: 6, startOffset: 5 },
  ])
})

test('cut at the start, the epoch that covers it begins there', () => {
  const cache = filled()
  cache.truncateFromStart(15)
  expect(cache.entries).toEqual([
    { epoch: 2, startOffset: 15 },
    { epoch: 3, startOffset: 20 },
  ])
  expect(cache.endOffsetFor(0, 30)).toEqual({ leaderEpoch: 0, endOffset: 15 })
})

test('cut at the end, epochs that began there are forgotten', () => {
  const cache = filled()
  cache.truncateFromEnd(20)
  expect(cache.latestEpoch).toBe(2)
  cache.truncateFromEnd(11)
  expect(cache.latestEpoch).toBe(2)
  cache.truncateFromEnd(10)
  expect(cache.latestEpoch).toBe(0)
})

test('the epoch of an offset is the last that began at or before it', () => {
  expect([0, 9, 10, 19, 20, 999].map((offset) => filled().epochForOffset(offset))).toEqual([0, 0, 2, 2, 3, 3])
})

test('whatever is assigned, epochs and offsets ascend', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(50))), (assignments) => {
      const cache = new LeaderEpochCache()
      for (const [epoch, offset] of assignments) {
        cache.assign(epoch, offset)
        expect(cache.latestEpoch).toBe(epoch)
      }
      cache.entries.forEach((entry, index) => {
        const previous = cache.entries[index - 1]
        if (previous === undefined) return
        expect(entry.epoch).toBeGreaterThan(previous.epoch)
        expect(entry.startOffset).toBeGreaterThan(previous.startOffset)
      })
    }),
  )
})
