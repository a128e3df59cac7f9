import { describe, expect, it } from 'vitest'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import type { Env } from '../../../broker/env/types.ts'
import { BrokerLifecycle } from '../../../broker/node/broker-lifecycle.ts'
import type { ControllerCalls } from '../../../broker/node/controller-calls.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { manualTime } from '../../support/manual-time.ts'

type Answer = { readonly errorCode: number; readonly brokerEpoch?: number; readonly isFenced?: boolean; readonly shouldShutDown?: boolean }

/** A broker whose controller answers what the test queued, and the last of it for ever. */
function member(answers: { readonly register: Answer[]; readonly heartbeat: Answer[] }, { notesAtOnce = true } = {}) {
  const time = manualTime()
  const logged: string[] = []
  const sent: { readonly name: string; readonly body: Record<string, unknown> }[] = []
  const env = {
    timers: time.timers,
    log: { write: (_level: string, message: string) => void logged.push(message) },
  } as unknown as Env
  const calls = {
    async call(api: { name: string }, _version: number, body: Record<string, unknown>) {
      sent.push({ name: api.name, body })
      const queue = api.name === 'BrokerRegistration' ? answers.register : answers.heartbeat
      const answer = queue.length > 1 ? queue.shift()! : queue[0]
      if (answer === undefined) throw new ControllerUnavailable('nobody')
      return { throttleTimeMs: 0, isFenced: true, shouldShutDown: false, ...answer }
    },
  } as unknown as ControllerCalls
  const disk = { isOffline: false }
  const noted = Promise.withResolvers<void>()
  if (notesAtOnce) noted.resolve()
  const lifecycle = new BrokerLifecycle(env, {
    nodeId: 2,
    clusterId: 'c',
    calls,
    endpoints: [{ name: 'CLIENT', host: 'h', port: 1, securityProtocol: 0 }],
    directoryId: 'directory',
    isDirectoryOffline: () => disk.isOffline,
    incarnationId: 'incarnation',
    previousBrokerEpoch: 17,
    heartbeatIntervalMs: 2000,
    sessionTimeoutMs: 9000,
    onRegistered: () => noted.promise,
    metadataOffset: () => 40,
  })
  return {
    lifecycle,
    time,
    sent,
    logged,
    disk,
    noted,
    heartbeats: () => sent.filter(({ name }) => name === 'BrokerHeartbeat').map(({ body }) => body),
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const registered: Answer = { errorCode: 0, brokerEpoch: 31 }
const fenced: Answer = { errorCode: 0, isFenced: true }
const unfenced: Answer = { errorCode: 0, isFenced: false }

describe("a broker's membership", () => {
  it('registers with what it is, then beats fenced until it is ready', async () => {
    const { lifecycle, sent, heartbeats } = member({ register: [registered], heartbeat: [fenced] })
    expect(await lifecycle.register()).toBe(31)
    expect(sent[0]!.body).toMatchObject({
      brokerId: 2,
      clusterId: 'c',
      incarnationId: 'incarnation',
      logDirs: ['directory'],
      previousBrokerEpoch: 17,
    })
    await settled()
    expect(heartbeats()).toMatchObject([{ brokerEpoch: 31, currentMetadataOffset: 40, wantFence: true, wantShutDown: false }])
    lifecycle.close()
  })

  it('uses its epoch only once that is noted', async () => {
    const { lifecycle, noted, heartbeats } = member({ register: [registered], heartbeat: [fenced] }, { notesAtOnce: false })
    const epoch = lifecycle.register()
    await settled()
    expect([lifecycle.brokerEpoch, heartbeats().length]).toEqual([-1, 0])
    noted.resolve()
    expect(await epoch).toBe(31)
    lifecycle.close()
  })

  it('is unfenced at once when it is ready and the controller agrees', async () => {
    const { lifecycle, heartbeats } = member({ register: [registered], heartbeat: [fenced, unfenced] })
    await lifecycle.register()
    await settled()
    await lifecycle.unfence()
    expect(heartbeats().at(-1)).toMatchObject({ wantFence: false })
    lifecycle.close()
  })

  it('goes on asking at the interval while the controller keeps it fenced', async () => {
    const { lifecycle, heartbeats, time } = member({ register: [registered], heartbeat: [fenced, fenced, unfenced] })
    await lifecycle.register()
    await settled()
    let isUnfenced = false
    void lifecycle.unfence().then(() => (isUnfenced = true))
    await settled()
    expect([heartbeats().length, isUnfenced]).toEqual([2, false])
    time.advance(2000)
    await settled()
    expect([heartbeats().length, isUnfenced]).toEqual([3, true])
    lifecycle.close()
  })

  it('tries again while its former life still has a session', async () => {
    const { lifecycle, time, logged } = member({
      register: [{ errorCode: ErrorCode.DUPLICATE_BROKER_REGISTRATION }, registered],
      heartbeat: [fenced],
    })
    const epoch = lifecycle.register()
    await settled()
    expect(logged).toEqual(['the controller does not register this broker yet'])
    time.advance(100)
    expect(await epoch).toBe(31)
    lifecycle.close()
  })

  it('gives up when the controller belongs to another cluster', async () => {
    const { lifecycle } = member({ register: [{ errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID }], heartbeat: [] })
    await expect(lifecycle.register()).rejects.toThrow(/INCONSISTENT_CLUSTER_ID/)
  })

  it('registers anew, in the same life, when the controller forgot it', async () => {
    const register = [registered, { errorCode: 0, brokerEpoch: 55 }]
    const { lifecycle, time, sent } = member({ register, heartbeat: [{ errorCode: ErrorCode.STALE_BROKER_EPOCH }, unfenced] })
    await lifecycle.register()
    await settled()
    expect(lifecycle.brokerEpoch).toBe(55)
    time.advance(2000)
    await settled()
    expect(sent.at(-1)!.body).toMatchObject({ brokerEpoch: 55 })
    expect(sent.filter(({ name }) => name === 'BrokerRegistration').map(({ body }) => body['incarnationId'])).toEqual([
      'incarnation',
      'incarnation',
    ])
    lifecycle.close()
  })

  it('leaves once the controller has moved its leaderships, asking often', async () => {
    const { lifecycle, time, heartbeats } = member({
      register: [registered],
      heartbeat: [unfenced, unfenced, { ...fenced, shouldShutDown: true }],
    })
    await lifecycle.register()
    await settled()
    let hasLeft = false
    void lifecycle.leave().then(() => (hasLeft = true))
    await settled()
    expect([heartbeats().at(-1)!['wantShutDown'], hasLeft]).toEqual([true, false])
    time.advance(50)
    await settled()
    expect(hasLeft).toBe(true)
    lifecycle.close()
  })

  it('goes without leave when the controller does not answer in time', async () => {
    const { lifecycle, time, logged } = member({ register: [registered], heartbeat: [] })
    await lifecycle.register()
    await settled()
    const left = lifecycle.leave()
    time.advance(5000)
    await left
    expect(logged.some((line) => /did not let this broker go in time/.test(line))).toBe(true)
    lifecycle.close()
  })

  it('says at once that its disk failed, and with every heartbeat from then on', async () => {
    const { lifecycle, time, disk, heartbeats } = member({ register: [registered], heartbeat: [unfenced] })
    await lifecycle.register()
    await lifecycle.unfence()
    await settled()
    expect(heartbeats().at(-1)!['offlineLogDirs']).toEqual([])
    const before = heartbeats().length
    disk.isOffline = true
    lifecycle.report()
    await settled()
    expect(heartbeats()).toHaveLength(before + 1)
    time.advance(2000)
    await settled()
    expect(
      heartbeats()
        .slice(before)
        .map(({ offlineLogDirs }) => offlineLogDirs),
    ).toEqual([['directory'], ['directory']])
    lifecycle.close()
  })

  it('has nothing to leave before it registered', async () => {
    const { lifecycle, sent } = member({ register: [], heartbeat: [] })
    await lifecycle.leave()
    expect(sent).toEqual([])
  })
})
