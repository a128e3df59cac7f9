import { describe, expect, it } from 'vitest'
import { brokerHeartbeat } from '../../../broker/api/63-broker-heartbeat.schema.ts'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import type { Env } from '../../../broker/env/types.ts'
import { ChannelError } from '../../../broker/net/channel-error.ts'
import { ControllerCalls } from '../../../broker/node/controller-calls.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { manualTime } from '../../support/manual-time.ts'

const REQUEST = { brokerId: 1, brokerEpoch: 1, currentMetadataOffset: 0, wantFence: false, wantShutDown: false }

/** Controllers that answer as `answers` says, by id. */
function caller(answers: Record<number, () => Promise<unknown>>) {
  const time = manualTime()
  const env = { timers: time.timers, clock: { nowMs: () => time.nowMs(), monotonicMs: () => time.nowMs() } } as unknown as Env
  const asked: number[] = []
  const leaderListeners: (() => void)[] = []
  const addressListeners: (() => void)[] = []
  const observer = { leaderId: null as number | null, onceLeaderChanges: (listener: () => void) => void leaderListeners.push(listener) }
  const channels = {
    request({ id }: { id: number }) {
      asked.push(id)
      return answers[id]!()
    },
    onceAddressesChange: (listener: () => void) => void addressListeners.push(listener),
  }
  const calls = new ControllerCalls(env, channels as never, observer)
  return {
    time,
    asked,
    leaderListeners,
    call: (signal?: AbortSignal) => calls.call(brokerHeartbeat, 1, REQUEST, { timeoutMs: 1000, ...(signal && { signal }) }),
    lead(id: number | null) {
      observer.leaderId = id
      for (const listener of leaderListeners.splice(0)) listener()
    },
  }
}

const answer = (errorCode: number) => async () => ({
  throttleTimeMs: 0,
  errorCode,
  isCaughtUp: true,
  isFenced: false,
  shouldShutDown: false,
})
const broken = () => Promise.reject(new ChannelError('CONNECTION_LOST', 'gone'))
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('calls to the active controller', () => {
  it('go to the leader, and bring its answer, whatever error it names', async () => {
    const { call, lead, asked } = caller({ 1001: answer(ErrorCode.STALE_BROKER_EPOCH) })
    lead(1001)
    expect(await call()).toMatchObject({ errorCode: ErrorCode.STALE_BROKER_EPOCH })
    expect(asked).toEqual([1001])
  })

  it('wait for a leader, and follow it when it moves', async () => {
    const { call, lead, asked } = caller({ 1001: answer(ErrorCode.NOT_CONTROLLER), 1002: answer(ErrorCode.NONE) })
    const answered = call()
    await settled()
    lead(1001)
    await settled()
    lead(1002)
    expect(await answered).toMatchObject({ errorCode: ErrorCode.NONE })
    expect(asked).toEqual([1001, 1002])
  })

  it('are repeated when the connection breaks', async () => {
    const replies = [broken, answer(ErrorCode.NONE)]
    const { call, lead, time, asked } = caller({ 1001: () => replies.shift()!() })
    lead(1001)
    const answered = call()
    await settled()
    time.advance(50)
    expect(await answered).toMatchObject({ errorCode: ErrorCode.NONE })
    expect(asked).toEqual([1001, 1001])
  })

  it('give up in time, saying what was wrong last', async () => {
    const { call, lead, time } = caller({ 1001: broken })
    lead(1001)
    const answered = call().catch((error: unknown) => error)
    for (let round = 0; round < 25; round++) {
      await settled()
      time.advance(50)
    }
    const error = await answered
    expect(error).toBeInstanceOf(ControllerUnavailable)
    expect((error as Error).message).toMatch(/BrokerHeartbeat got no answer from a controller in 1000 ms: gone/)
  })

  it('end with their signal', async () => {
    const { call, time } = caller({})
    const stop = new AbortController()
    const answered = call(stop.signal).catch((error: unknown) => error)
    await settled()
    stop.abort()
    time.advance(50)
    expect(await answered).toBeInstanceOf(ControllerUnavailable)
  })

  it('listen for the leader once, however many wait and however long', async () => {
    const { call, time, leaderListeners } = caller({})
    const waiting = [call(), call(), call()].map((one) => one.catch(() => undefined))
    for (let round = 0; round < 10; round++) {
      await settled()
      time.advance(50)
    }
    expect(leaderListeners).toHaveLength(1)
    for (let round = 0; round < 15; round++) {
      await settled()
      time.advance(50)
    }
    await Promise.all(waiting)
  })
})
