import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHostError } from '../../../../broker/host/problem.ts'
import { limitInWords } from '../../../../broker/host/reassignments/run-words.ts'
import type { FakeMoves } from '../../../support/fake-moves.ts'
import { movingHost, type MovingHost } from '../../../support/moving-host.ts'

/** The limit of a move that is under way, changed by a person. */
const leaderRate = 'leader.replication.throttled.rate'
const followerRate = 'follower.replication.throttled.rate'
const leaderReplicas = 'leader.replication.throttled.replicas'
const followerReplicas = 'follower.replication.throttled.replicas'
let host: MovingHost
let fake: FakeMoves

beforeEach(() => {
  host = movingHost()
  fake = host.fake
})
afterEach(() => fake.close())

const failureOf = (promise: Promise<unknown>) => promise.then(() => Promise.reject(new Error('it did not fail')), toHostError)
const runOf = () => host.manager.watch(fake.session).state(null).run

function setLimit(bytesPerSecond: number | null) {
  return host.manager.setLimit(fake.session, runOf()?.runId ?? '', bytesPerSecond)
}

function arriveAll(): void {
  fake.arrive('orders', 0)
  fake.arrive('orders', 1)
}

/** A change whose settings are on their way until `goOn`; what is set after it is not held up. */
async function startChange(bytesPerSecond: number) {
  const gate = Promise.withResolvers<void>()
  fake.settingsGate = gate.promise
  const change = setLimit(bytesPerSecond)
  await host.settle()
  fake.settingsGate = Promise.resolve()
  return { change, goOn: gate.resolve }
}

/** Every throttle there is, as `broker 3 leader.replication.throttled.rate=5000`. */
function throttles(): readonly string[] {
  return [...fake.settings].flatMap(([resource, own]) => [...own].map(([name, value]) => `${resource} ${name}=${value}`)).sort()
}

/** As a move of `orders` to brokers 2 and 3 has them. */
function throttlesAt(rate: number): readonly string[] {
  const rates = [1, 2, 3].flatMap((id) => [`broker ${id} ${followerRate}=${rate}`, `broker ${id} ${leaderRate}=${rate}`])
  return [...rates, `topic orders ${followerReplicas}=0:3,1:3`, `topic orders ${leaderReplicas}=0:1,0:2,1:2,1:1`]
}

describe('another limit', () => {
  test('is set where and as the start sets one, and shown, kept and written down', async () => {
    await host.start(5_000)
    expect(throttles()).toEqual(throttlesAt(5_000))
    expect(await setLimit(3_145_728)).toEqual({ missedBrokers: [], activityId: 2 })
    expect(throttles()).toEqual(throttlesAt(3_145_728))
    expect(runOf()).toMatchObject({ status: 'running', throttleBytesPerSecond: 3_145_728 })
    expect(host.stored['reassignment/test']).toMatchObject({ throttleBytesPerSecond: 3_145_728 })
    expect(host.journalled[1]).toEqual({
      clusterId: 'test',
      action: 'reassignment.limit',
      subject: 'orders',
      summary: 'Changed the limit of "Move orders to brokers 2 and 3" from 4.88 KiB/s per broker to 3 MiB/s per broker.',
      before: { limit: '4.88 KiB/s per broker' },
      after: { limit: '3 MiB/s per broker' },
    })
  })

  test('holds back a move that began without one, and nothing of it is left at the end', async () => {
    await host.start()
    expect(throttles()).toEqual([])
    await setLimit(7_000)
    expect(throttles()).toEqual(throttlesAt(7_000))
    arriveAll()
    expect((await host.looks()).run).toMatchObject({ status: 'done', problem: null })
    expect(throttles()).toEqual([])
  })

  test('may be none at once, and again one: the end gives back what was set before the move', async () => {
    fake.settings.set('broker 2', new Map([[leaderRate, '77']]))
    await host.start(5_000)
    await setLimit(null)
    expect(throttles()).toEqual([`broker 2 ${leaderRate}=77`])
    expect(runOf()?.throttleBytesPerSecond).toBeNull()
    await setLimit(6_000)
    await setLimit(8_000)
    expect(throttles()).toEqual(throttlesAt(8_000))
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([`broker 2 ${leaderRate}=77`])
  })

  test.each([
    ['cancelled', async () => void (await host.manager.cancelRun(fake.session)), 2],
    ['left by its console', async () => host.restart().resume(fake.session), 0],
  ])('is removed from a move that is %s', async (_how, end, looks) => {
    await host.start(5_000)
    await setLimit(6_000)
    await end()
    await host.looks(looks)
    if (runOf()?.status === 'running') arriveAll()
    expect((await host.looks()).run).toMatchObject({ endedMs: expect.any(Number), problem: null })
    expect(throttles()).toEqual([])
  })

  test('is removed although brokers tell what was set before for a while', async () => {
    await host.start(5_000)
    fake.holdSettings()
    await setLimit(6_000)
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([])
  })

  test("does not take the former limit for somebody else's, although brokers tell it for a while after it was lifted", async () => {
    await host.start(5_000)
    fake.holdSettings()
    await setLimit(null)
    await setLimit(6_000)
    fake.toldSettings = null
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([])
  })

  test('that was lifted everywhere does not hold up the end when a broker is down by then', async () => {
    await host.start(5_000)
    await setLimit(null)
    fake.alive.delete(1)
    fake.learn()
    arriveAll()
    expect((await host.looks()).run).toMatchObject({ status: 'done', problem: null })
  })

  test('takes the place of what somebody set meanwhile, and gives that back at the end', async () => {
    await host.start(5_000)
    fake.settings.get('broker 3')?.set(leaderRate, '9')
    await setLimit(6_000)
    expect(fake.settingOf('broker 3', leaderRate)).toBe('6000')
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([`broker 3 ${leaderRate}=9`])
  })

  test('reaches the brokers that are up, and says which are down and keep the one they had', async () => {
    await host.start(5_000)
    fake.alive.delete(1)
    fake.learn()
    expect(await setLimit(6_000)).toMatchObject({ missedBrokers: [1] })
    expect([1, 2, 3].map((id) => fake.settingOf(`broker ${id}`, leaderRate))).toEqual(['5000', '6000', '6000'])
    fake.alive.add(1)
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([])
  })

  test('leaves out a topic that was deleted meanwhile', async () => {
    fake.addTopic('payments', [[1, 2]])
    const { planId } = await host.manager.preview(fake.session, { kind: 'empty-broker', brokerId: 1 })
    const plan = host.manager.plan('test', planId ?? '')
    await host.manager.start(fake.session, { ...plan, subject: 'broker 1', throttleBytesPerSecond: 5_000, giveUpAfterMs: 3_600_000 })
    fake.topics.delete('payments')
    fake.learn()
    await setLimit(6_000)
    expect(fake.settingOf('broker 3', leaderRate)).toBe('6000')
  })
})

describe('while a limit is being changed', () => {
  test('the end of the move waits for it, and then leaves nothing behind', async () => {
    await host.start(5_000)
    const { change, goOn } = await startChange(6_000)
    arriveAll()
    expect((await host.looks(2)).run?.status).toBe('finishing')
    expect((await failureOf(setLimit(7_000))).code).toBe('REASSIGNMENT_CONFLICT')
    goOn()
    await change
    expect((await host.looks()).run).toMatchObject({ status: 'done', problem: null })
    expect(throttles()).toEqual([])
  })

  test('a second change waits for the first, and holds', async () => {
    await host.start(5_000)
    const { change, goOn } = await startChange(6_000)
    const second = setLimit(7_000)
    await host.settle()
    goOn()
    await Promise.all([change, second])
    expect(throttles()).toEqual(throttlesAt(7_000))
    expect(runOf()?.throttleBytesPerSecond).toBe(7_000)
  })

  test('the console may end: the next one removes the former limit and the new one', async () => {
    await host.start(5_000)
    fake.settingsGate = new Promise(() => undefined)
    void setLimit(6_000)
    await host.settle()
    // Broker 3 had the new one by then, the others had not.
    for (const rate of [leaderRate, followerRate]) fake.settings.get('broker 3')?.set(rate, '6000')
    fake.settingsGate = Promise.resolve()
    host.restart().resume(fake.session)
    arriveAll()
    expect((await host.looks()).run).toMatchObject({ status: 'done', problem: null })
    expect(throttles()).toEqual([])
  })
})

describe('a limit that cannot be changed', () => {
  test('stays the former one everywhere, with the reason', async () => {
    await host.start(5_000)
    fake.refused.add('broker 2')
    const failure = await failureOf(setLimit(6_000))
    expect(failure).toMatchObject({
      code: 'BROKER_ERROR',
      message: expect.stringMatching(/^The limit of "Move orders .+" was not changed\. .*broker 2/),
    })
    expect(throttles()).toEqual(throttlesAt(5_000))
    expect(runOf()).toMatchObject({ status: 'running', throttleBytesPerSecond: 5_000 })
    expect(host.journalled.at(-1)).toMatchObject({ action: 'reassignment.limit', failure: failure.message })
    fake.refused.clear()
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([])
  })

  test('says so where some brokers may have it, and the end removes it all the same', async () => {
    await host.start(5_000)
    fake.refused.add('broker 2')
    expect((await failureOf(setLimit(null))).data.advice).toBe('Some brokers may have the new limit already: set it again.')
    expect(runOf()?.throttleBytesPerSecond).toBe(5_000)
    expect(fake.settingOf('broker 3', leaderRate)).toBeNull()
    fake.refused.clear()
    arriveAll()
    await host.looks()
    expect(throttles()).toEqual([])
  })

  test('because the cluster does not answer changes nothing', async () => {
    await host.start(5_000)
    fake.isDown = true
    expect(await failureOf(setLimit(6_000))).toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
      message: expect.stringMatching(/was not changed/),
    })
    fake.isDown = false
    expect(throttles()).toEqual(throttlesAt(5_000))
  })

  test('because nothing is known of the brokers yet changes nothing', async () => {
    await host.start(5_000)
    fake.session.knowledge.brokers = []
    expect((await failureOf(setLimit(null))).code).toBe('CLUSTER_UNREACHABLE')
    expect(throttles()).toEqual(throttlesAt(5_000))
  })

  test('is that of another move, of one that goes back, and of one that is over', async () => {
    await host.start(5_000)
    const { runId } = runOf() ?? { runId: '' }
    expect((await failureOf(host.manager.setLimit(fake.session, 'another', 6_000))).code).toBe('REASSIGNMENT_CONFLICT')
    await host.manager.cancelRun(fake.session)
    expect(await failureOf(setLimit(6_000))).toMatchObject({
      code: 'REASSIGNMENT_CONFLICT',
      message: expect.stringMatching(/is not moving/),
    })
    await host.looks(2)
    expect(await failureOf(host.manager.setLimit(fake.session, runId, 6_000))).toMatchObject({
      code: 'REASSIGNMENT_CONFLICT',
      message: expect.stringMatching(/is over/),
    })
    expect(throttles()).toEqual([])
  })
})

test('the pace that is shown is never beyond the limit for long, and follows another one at once', async () => {
  fake.sizes.set('orders 0 1', 900_000).set('orders 1 2', 900_000).set('orders 0 3', 0).set('orders 1 3', 0)
  await host.start(5_000)
  await host.looks()
  fake.sizes.set('orders 0 3', 400_000)
  expect((await host.looks()).run?.bytesPerSecond).toBe(5_000)
  await setLimit(1_000)
  expect(runOf()?.bytesPerSecond).toBe(1_000)
  await setLimit(300_000)
  await host.looks()
  fake.sizes.set('orders 0 3', 500_000)
  expect((await host.looks()).run?.bytesPerSecond).toBeLessThanOrEqual(100_000)
})

test('a limit in words has the unit that suits it', () => {
  expect([null, 1, 1_023, 1_024, 1_572_864, 2 ** 50].map(limitInWords)).toEqual([
    'no limit',
    '1 B/s per broker',
    '1023 B/s per broker',
    '1 KiB/s per broker',
    '1.5 MiB/s per broker',
    '1024 TiB/s per broker',
  ])
})
