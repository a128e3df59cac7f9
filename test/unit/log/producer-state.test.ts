import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeProducerSnapshot } from '../../../broker/log/producer-snapshot.ts'
import { ProducerState } from '../../../broker/log/producer-state.ts'
import type { DiskPartitionLog } from '../../../broker/log/partition-log.ts'
import { readBatchHeader } from '../../../broker/wire/record-batch.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { batchOf, openLog, simulatedLog } from './support.ts'

const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH } = ErrorCode

function batch(baseSequence: number, options: { producerId?: number; producerEpoch?: number; count?: number } = {}): Buffer {
  const { producerId = 1, producerEpoch = 0, count = 1 } = options
  const records = Array.from({ length: count }, () => ({ value: 'v', timestampMs: Date.UTC(2026, 0, 1) }))
  return batchOf(records, { producerId, producerEpoch, baseSequence })
}

function append(log: DiskPartitionLog, bytes: Buffer): number | string {
  const result = log.append(bytes, { leaderEpoch: 0, origin: 'client' })
  if (result.errorCode !== NONE) return result.errorCode
  return result.isDuplicate ? `duplicate of ${result.baseOffset}` : result.baseOffset
}

describe('sequences', () => {
  test('must follow each other within an epoch', async () => {
    const { log } = await simulatedLog()
    expect([append(log, batch(0, { count: 3 })), append(log, batch(3)), append(log, batch(5)), append(log, batch(4))]).toEqual([
      0,
      3,
      OUT_OF_ORDER_SEQUENCE_NUMBER,
      4,
    ])
  })

  test('wrap from 2147483647 to 0', async () => {
    const { log } = await simulatedLog()
    expect(append(log, batch(2_147_483_646, { count: 2 }))).toBe(0)
    expect(append(log, batch(0))).toBe(2)
    expect(append(log, batch(2_147_483_646, { count: 2 }))).toBe('duplicate of 0')
  })

  test('wrap within a batch', async () => {
    const { log } = await simulatedLog()
    expect(append(log, batch(2_147_483_647, { count: 3 }))).toBe(0)
    expect(append(log, batch(2))).toBe(3)
  })

  test('of an unknown producer may start anywhere', async () => {
    const { log } = await simulatedLog()
    expect([append(log, batch(77)), append(log, batch(78))]).toEqual([0, 1])
  })

  test('start at 0 in a new epoch, and an older epoch is fenced', async () => {
    const { log } = await simulatedLog()
    append(log, batch(0))
    expect(append(log, batch(1, { producerEpoch: 1 }))).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(append(log, batch(0, { producerEpoch: 1 }))).toBe(1)
    expect(append(log, batch(1, { producerEpoch: 0 }))).toBe(INVALID_PRODUCER_EPOCH)
  })

  test('without a producer id mean nothing', async () => {
    const { log } = await simulatedLog()
    const plain = () => batchOf([{ value: 'v' }], { producerId: -1, producerEpoch: 0, baseSequence: 0 })
    expect([append(log, plain()), append(log, plain())]).toEqual([0, 1])
  })
})

describe('retries', () => {
  test('of any of the last five batches are answered with the old offset, the sixth last is out of order', async () => {
    const { log } = await simulatedLog()
    for (let sequence = 0; sequence < 6; sequence++) expect(append(log, batch(sequence))).toBe(sequence)
    for (let sequence = 1; sequence < 6; sequence++) expect(append(log, batch(sequence))).toBe(`duplicate of ${sequence}`)
    expect(append(log, batch(0))).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(log.logEndOffset).toBe(6)
  })

  test('with the same start and another end are not retries', async () => {
    const { log } = await simulatedLog()
    append(log, batch(0, { count: 2 }))
    expect(append(log, batch(0, { count: 1 }))).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  test.each(['clean', 'kill'] as const)('are known after a %s restart, all five, across segments', async (how) => {
    const { env, log } = await simulatedLog()
    for (let sequence = 0; sequence < 20; sequence++) append(log, batch(sequence))
    for (let sequence = 0; sequence < 3; sequence++) append(log, batch(sequence, { producerId: 2 }))
    if (how === 'clean') await log.close()
    else {
      await log.checkpoint()
      await log.append(batch(3, { producerId: 2 }), { leaderEpoch: 0, origin: 'client' }).written
    }
    const recoveryPoint = log.recoveryPoint
    const reopened = await openLog(env.restartAfter('kill'), { isClean: how === 'clean', recoveryPoint })
    expect(reopened.segmentCount).toBeGreaterThan(1)
    for (let sequence = 15; sequence < 20; sequence++) expect(append(reopened, batch(sequence))).toBe(`duplicate of ${sequence}`)
    expect(append(reopened, batch(14))).toBe(OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(append(reopened, batch(0, { producerId: 2 }))).toBe('duplicate of 20')
    expect(append(reopened, batch(how === 'clean' ? 3 : 4, { producerId: 2 }))).toBe(how === 'clean' ? 23 : 24)
  })
})

describe('memory', () => {
  test('producers silent for long are forgotten, those with an open transaction are not', () => {
    const state = new ProducerState()
    const header = (options: object) =>
      readBatchHeader(batchOf([{ value: 'v', timestampMs: 100 }], { producerEpoch: 0, baseSequence: 0, ...options }), 0)
    state.applyBatch(header({ producerId: 1 }))
    state.applyBatch(header({ producerId: 2, isTransactional: true }))
    state.expire(101)
    expect([...state.producers].map((entry) => entry.producerId)).toEqual([2])
  })

  test('snapshots that were damaged anywhere are told from whole ones', () => {
    const state = new ProducerState()
    for (let producerId = 0; producerId < 3; producerId++) state.applyBatch(readBatchHeader(batch(5, { producerId }), 0))
    const snapshot = state.snapshot()
    expect(decodeProducerSnapshot(snapshot)).toHaveLength(3)
    fc.assert(
      fc.property(fc.nat(snapshot.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(snapshot)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        return decodeProducerSnapshot(damaged) === null
      }),
    )
    for (let length = 0; length < snapshot.length; length++) expect(decodeProducerSnapshot(snapshot.subarray(0, length))).toBeNull()
  })
})
