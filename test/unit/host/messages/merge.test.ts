import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Merge, type MergeSource } from '../../../../broker/host/messages/merge.ts'
import type { NewRow } from '../../../../broker/host/messages/row-store.ts'

function row(partition: number, offset: number, timestampMs: number): NewRow {
  return { partition, offset, timestampMs, timestampType: 'create', key: null, value: null, keyBytes: 0, valueBytes: 0, headerCount: 0 }
}

function source(partition: number, times: readonly number[], frontierMs: number, isDone: boolean): MergeSource {
  return { partition, frontierMs, isDone, pending: times.map((timestampMs, offset) => row(partition, offset, timestampMs)) }
}

function drained(sources: readonly MergeSource[], isNewestFirst = true): number[] {
  const times: number[] = []
  new Merge(sources, isNewestFirst).drain((one) => {
    times.push(one.timestampMs)
    return true
  })
  return times
}

describe('merging newest first', () => {
  test('a row waits while another partition may still bring a newer one', () => {
    expect(drained([source(0, [10, 40], 10, false), source(1, [], 30, false)])).toEqual([40])
  })

  test('nothing is given while a partition has not been read at all', () => {
    expect(drained([source(0, [10, 40], 10, false), source(1, [], Number.POSITIVE_INFINITY, false)])).toEqual([])
  })

  test('a partition that is done holds nobody up', () => {
    expect(drained([source(0, [10, 40], 10, true), source(1, [], 30, true)])).toEqual([40, 10])
  })

  test('a partition whose rows run out holds the others up at its frontier', () => {
    expect(drained([source(0, [5, 40], 5, true), source(1, [20], 20, false)])).toEqual([40, 20])
  })

  test('a row that is not taken stays', () => {
    const sources = [source(0, [10, 40], 0, true)]
    new Merge(sources, true).drain(() => false)
    expect(sources[0]?.pending).toHaveLength(2)
  })

  test('those that hold others up are read first', () => {
    const sources = [source(0, [], 10, false), source(1, [], 30, false), source(2, [], 20, true), source(3, [], 30, false)]
    expect(new Merge(sources, true).byNeed(sources).map(({ partition }) => partition)).toEqual([1, 3, 0])
  })
})

test('whatever is read when, all rows come out once and in order', () => {
  const log = fc.array(fc.nat(30), { maxLength: 8 })
  fc.assert(
    fc.property(
      fc.array(log, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat(3)),
      (deltas, isNewestFirst, choices) => {
        // Each partition's rows in the order they are read, its own times never turning back.
        const unread = deltas.map((partition) => {
          let timestampMs = isNewestFirst ? 1_000 : 0
          return partition.map((delta) => (timestampMs += isNewestFirst ? -delta : delta))
        })
        const sources = unread.map((times, partition) => ({
          partition,
          pending: [] as NewRow[],
          frontierMs: isNewestFirst ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
          isDone: times.length === 0,
        }))
        const merge = new Merge(sources, isNewestFirst)
        const out: number[] = []
        for (let step = 0; step < 200 && sources.some(({ isDone }) => !isDone); step += 1) {
          const [next] = merge.byNeed(sources)
          const choice = sources[choices.next().value ?? 0]
          const read = choice !== undefined && !choice.isDone ? choice : next
          if (read === undefined) break
          const times = unread[read.partition] ?? []
          const timestampMs = times.shift() ?? 0
          read.pending.unshift(row(read.partition, 0, timestampMs))
          read.frontierMs = timestampMs
          read.isDone = times.length === 0
          merge.drain((one) => out.push(one.timestampMs) > 0)
        }
        const sign = isNewestFirst ? -1 : 1
        expect(out).toHaveLength(deltas.flat().length)
        expect(out).toEqual([...out].sort((a, b) => sign * (a - b)))
      },
    ),
  )
})
