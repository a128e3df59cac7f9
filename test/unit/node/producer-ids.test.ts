import { describe, expect, it } from 'vitest'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import { ProducerIds } from '../../../broker/node/producer-ids.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

/** A controller that hands out blocks of `length`, or fails as told. */
function idsFrom(length: number, failures: (ErrorCode | 'unavailable')[] = []) {
  let nextStart = 1000
  let asked = 0
  const call = async () => {
    asked++
    const failure = failures.shift()
    if (failure === 'unavailable') throw new ControllerUnavailable('nobody')
    if (failure !== undefined) return { errorCode: failure, producerIdStart: -1, producerIdLen: 0 }
    const producerIdStart = nextStart
    nextStart += length
    return { errorCode: ErrorCode.NONE, producerIdStart, producerIdLen: length }
  }
  const ids = new ProducerIds({ nodeId: 1, brokerEpoch: () => 5, calls: { call } as never, log: { write: () => undefined } })
  return { ids, blocks: () => asked }
}

describe('producer ids', () => {
  it('are given once each, from as many blocks as it takes', async () => {
    const { ids, blocks } = idsFrom(3)
    const given = []
    for (let index = 0; index < 7; index++) given.push(await ids.next())
    expect(given.map((one) => 'producerId' in one && one.producerId)).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006])
    expect(blocks()).toBe(3)
  })

  it('are given once each to all who wait for a block', async () => {
    const { ids, blocks } = idsFrom(10)
    const given = await Promise.all(Array.from({ length: 25 }, () => ids.next()))
    expect(new Set(given.map((one) => 'producerId' in one && one.producerId)).size).toBe(25)
    expect(blocks()).toBe(3)
  })

  it('are answered with a retriable error while none is to be had, and given afterwards', async () => {
    const { ids } = idsFrom(10, ['unavailable', ErrorCode.STALE_BROKER_EPOCH])
    expect(await ids.next()).toEqual({ error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS })
    expect(await ids.next()).toEqual({ error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS })
    expect(await ids.next()).toEqual({ producerId: 1000 })
  })
})
