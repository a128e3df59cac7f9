import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FetchedChunk } from '../../../broker/client/consume/record-chunk.ts'
import type { AbortedTransaction } from '../../../broker/client/types.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'

/** A log made by producers that write, commit and abort in any order, and what a read_committed reader must see of it. */
type Step = { readonly producerId: number; readonly act: 'write' | 'plain' | 'commit' | 'abort' }

interface Model {
  readonly batches: { readonly bytes: Buffer; readonly baseOffset: number }[]
  readonly committed: number[]
  readonly aborted: (AbortedTransaction & { readonly markerOffset: number })[]
}

const marker = (producerId: number, isCommit: boolean, baseOffset: number): Buffer =>
  encodeBatch({
    records: [{ timestampMs: 1, key: Buffer.from([0, 0, 0, isCommit ? 1 : 0]), value: Buffer.from([0, 0, 0, 0, 0, 0]) }],
    producerId,
    producerEpoch: 0,
    baseSequence: -1,
    baseOffset,
    isTransactional: true,
    isControl: true,
  })

function play(steps: readonly Step[]): Model {
  const batches: Model['batches'] = []
  const committed: number[] = []
  const aborted: Model['aborted'] = []
  const open = new Map<number, number[]>()
  let offset = 100
  const end = (producerId: number, isCommit: boolean): void => {
    const offsets = open.get(producerId)
    if (offsets === undefined) return
    open.delete(producerId)
    if (isCommit) committed.push(...offsets)
    else aborted.push({ producerId, firstOffset: offsets[0] as number, markerOffset: offset })
    batches.push({ bytes: marker(producerId, isCommit, offset), baseOffset: offset++ })
  }
  for (const { producerId, act } of steps) {
    if (act === 'commit' || act === 'abort') {
      end(producerId, act === 'commit')
      continue
    }
    const isTransactional = act === 'write'
    const records = [0, 1].map(() => ({ timestampMs: 1, key: null, value: Buffer.from('x') }))
    const offsets = [offset, offset + 1]
    const ids = isTransactional ? { producerId, producerEpoch: 0, baseSequence: 0, isTransactional } : {}
    batches.push({ bytes: encodeBatch({ records, baseOffset: offset, ...ids }), baseOffset: offset })
    if (isTransactional) open.set(producerId, [...(open.get(producerId) ?? []), ...offsets])
    else committed.push(...offsets)
    offset += 2
  }
  // A reader gets nothing beyond the last stable offset, so every transaction has ended.
  for (const producerId of [...open.keys()]) end(producerId, producerId % 2 === 0)
  return { batches, committed: committed.sort((one, other) => one - other), aborted }
}

function read(model: Model, fromBatch: number, toBatch: number, shuffled: readonly AbortedTransaction[]): number[] {
  const batches = model.batches.slice(fromBatch, toBatch)
  const fromOffset = batches[0]?.baseOffset ?? 100
  const chunk = new FetchedChunk(
    {
      topic: 't',
      partition: 0,
      fetchOffset: fromOffset,
      error: null,
      highWatermark: 1000,
      lastStableOffset: 1000,
      logStartOffset: 0,
      abortedTransactions: shuffled,
      records: Buffer.concat(batches.map(({ bytes }) => bytes)),
      divergingEpoch: null,
      preferredReadReplica: null,
    },
    { fromOffset, upTo: null, decompressedBytesMax: 1e6 },
  )
  return [...chunk].map(({ offset }) => offset)
}

const step = fc.record({
  producerId: fc.integer({ min: 1, max: 3 }),
  act: fc.constantFrom<Step['act']>('write', 'write', 'plain', 'commit', 'abort'),
})

describe('a read_committed reader', () => {
  it('sees exactly what was committed, whatever was aborted in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, salt) => {
        const model = play(steps)
        const shuffled = model.aborted.toSorted(
          (one, other) => ((one.firstOffset * (salt + 7)) % 31) - ((other.firstOffset * (salt + 7)) % 31),
        )
        expect(read(model, 0, model.batches.length, shuffled)).toEqual(model.committed)
      }),
      { numRuns: 300 },
    )
  })

  it('sees the same when the log is fetched in two parts', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(), (steps, at) => {
        const model = play(steps)
        const cut = at % (model.batches.length + 1)
        const cutOffset = model.batches[cut]?.baseOffset ?? Infinity
        // The broker lists the transactions that overlap what it returns.
        const first = model.aborted.filter(({ firstOffset }) => firstOffset < cutOffset)
        const second = model.aborted.filter(({ markerOffset }) => markerOffset >= cutOffset)
        expect([...read(model, 0, cut, first), ...read(model, cut, model.batches.length, second)]).toEqual(model.committed)
      }),
      { numRuns: 300 },
    )
  })

  it('sees none of two aborted transactions of one producer in one fetch', () => {
    const model = play([
      { producerId: 1, act: 'write' },
      { producerId: 1, act: 'abort' },
      { producerId: 1, act: 'write' },
      { producerId: 1, act: 'commit' },
      { producerId: 1, act: 'write' },
      { producerId: 1, act: 'abort' },
    ])
    expect(read(model, 0, 6, model.aborted)).toEqual([103, 104])
  })
})
