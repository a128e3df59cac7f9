import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CachedRun, TailCache } from '../../../broker/log/tail-cache.ts'

const perBatch = 256

function push(run: CachedRun, baseOffset: number, bytes = 100): void {
  run.push({ baseOffset, lastOffset: baseOffset, bytes: Buffer.alloc(bytes) })
}

function offsets(run: CachedRun): number[] {
  const found: number[] = []
  for (let index = 0, batch = run.at(0); batch !== undefined; batch = run.at(++index)) found.push(batch.baseOffset)
  return found
}

describe('the budget', () => {
  test('is shared: the oldest batch of any log goes first', () => {
    const cache = new TailCache(3 * (100 + perBatch))
    const [one, two] = [cache.newRun(), cache.newRun()]
    for (const run of [one, two]) run.writtenEndOffset = Infinity
    push(one, 0)
    push(two, 0)
    push(one, 1)
    push(two, 1)
    expect([offsets(one), offsets(two)]).toEqual([[1], [0, 1]])
  })

  test('gives way to batches that are not written yet, and is kept again once they are', () => {
    const cache = new TailCache(0)
    const run = cache.newRun()
    push(run, 0)
    push(run, 1)
    expect(offsets(run)).toEqual([0, 1])
    run.writtenEndOffset = 1
    cache.trim()
    expect(offsets(run)).toEqual([1])
    run.writtenEndOffset = 2
    cache.trim()
    expect([offsets(run), cache.bytes]).toEqual([[], 0])
  })

  test('is given back by a log that closes', () => {
    const cache = new TailCache(1e6)
    const [one, two] = [cache.newRun(), cache.newRun()]
    push(one, 0)
    push(two, 0)
    one.close()
    expect(cache.bytes).toBe(100 + perBatch)
    expect(offsets(two)).toEqual([0])
  })

  test('holds whatever is pushed and closed', () => {
    const step = fc.record({ log: fc.nat(2), bytes: fc.nat(500), closes: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(3000), (steps, bytesMax) => {
        const cache = new TailCache(bytesMax)
        const runs = [0, 1, 2].map(() => cache.newRun())
        const next = [0, 0, 0]
        for (const { log, bytes, closes } of steps) {
          if (closes && bytes > 450) {
            runs[log]?.close()
            runs[log] = cache.newRun()
          }
          const run = runs[log] as CachedRun
          run.writtenEndOffset = (next[log] ?? 0) + 1
          push(run, next[log] ?? 0, bytes)
          next[log] = (next[log] ?? 0) + 1
          expect(cache.bytes).toBeLessThanOrEqual(bytesMax)
        }
      }),
    )
  })
})

test('an offset before the run is not in it; one after it has nothing to show', () => {
  const run = new TailCache(1e6).newRun()
  expect(run.indexOf(0)).toBeNull()
  run.push({ baseOffset: 10, lastOffset: 14, bytes: Buffer.alloc(1) })
  run.push({ baseOffset: 15, lastOffset: 15, bytes: Buffer.alloc(1) })
  expect([9, 10, 14, 15, 16].map((offset) => run.indexOf(offset))).toEqual([null, 0, 0, 1, 2])
})
