import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHostError } from '../../../../broker/host/problem.ts'
import type { ReassignmentManager } from '../../../../broker/host/reassignments/manager.ts'
import { looksMax } from '../../../../broker/host/reassignments/progress.ts'
import type { FakeMoves } from '../../../support/fake-moves.ts'
import { movingHost, type MovingHost } from '../../../support/moving-host.ts'

const hourMs = 3_600_000
const leaderRate = 'leader.replication.throttled.rate'
const followerReplicas = 'follower.replication.throttled.replicas'
let fake: FakeMoves
let stored: MovingHost['stored']
let journalled: MovingHost['journalled']
let manager: ReassignmentManager
let start: MovingHost['start']
let looks: MovingHost['looks']
let restart: MovingHost['restart']

beforeEach(() => {
  ;({ fake, stored, journalled, manager, start, looks, restart } = movingHost())
})
afterEach(() => fake.close())

const failureOf = (promise: Promise<unknown>) => promise.then(() => Promise.reject(new Error('it did not fail')), toHostError)

describe('a run', () => {
  test('follows what is copied until every partition has arrived, and writes down how it ended', async () => {
    for (const [key, bytes] of [
      ['orders 0 1', 1_000],
      ['orders 1 2', 3_000],
      ['orders 0 3', 250],
    ] as const) {
      fake.sizes.set(key, bytes)
    }
    await start()
    const moving = await looks()
    expect(moving.run).toMatchObject({ status: 'running', doneCount: 0, bytesTotal: 4_000, bytesCopied: 250 })
    expect(moving.partitions.map(({ state, adding, removing }) => [state, adding, removing])).toEqual(
      [0, 1].map(() => ['moving', [3], [1]]),
    )
    fake.arrive('orders', 0)
    expect((await looks()).run).toMatchObject({ status: 'running', doneCount: 1 })
    fake.arrive('orders', 1)
    const done = await looks()
    expect(done.run).toMatchObject({ status: 'done', doneCount: 2, summary: '2 partitions moved.', problem: null })
    expect(journalled.map(({ action }) => action)).toEqual(['reassignment.start', 'reassignment.end'])
    expect(journalled[0]?.before).toEqual({ 'orders-0': '1, 2', 'orders-1': '2, 1' })
    expect(stored['reassignment/test']).toBeNull()
  })

  test('hands leadership to the preferred replica where another one leads at the end', async () => {
    await start()
    const { after } = (await looks()).partitions[1] ?? { after: [] }
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    fake.partition('orders', 1).leader = after[1] ?? null
    fake.learn()
    await looks()
    expect(fake.elected).toContain('orders-1')
    expect(fake.partition('orders', 1).leader).toBe(after[0])
  })

  test('is done in part where the controller refuses a partition', async () => {
    fake.refused.add('orders 1')
    await start()
    fake.arrive('orders', 0)
    const { run, partitions } = await looks()
    expect(run).toMatchObject({ status: 'done', doneCount: 1, failedCount: 1, summary: '1 partition moved. 1 partition did not move.' })
    expect(partitions.find(({ state }) => state === 'failed')?.problem).toMatch(/kept where it is/)
  })

  test('fails when nothing was taken, with the reason, and leaves no throttle', async () => {
    fake.refused.add('orders 0').add('orders 1')
    expect((await failureOf(start(1_000))).message).toMatch(/kept where it is/)
    expect(manager.watch(fake.session).state(null).run).toMatchObject({ status: 'failed' })
    expect(fake.settingOf('broker 2', leaderRate)).toBeNull()
    expect(journalled).toMatchObject([{ action: 'reassignment.start', failure: expect.stringMatching(/kept/) }])
  })

  test('says which partitions somebody else took back or gave other replicas', async () => {
    await start()
    await fake.session.client.admin.alterPartitionReassignments([{ topic: 'orders', partition: 0, replicas: null }])
    await fake.session.client.admin.alterPartitionReassignments([{ topic: 'orders', partition: 1, replicas: [1, 3] }])
    const { run, partitions } = await looks(looksMax + 1)
    expect(run?.summary).toBe('1 partition went back to where it was. 1 partition did not move.')
    expect(partitions.map(({ partition, origin, state }) => [partition, origin, state])).toEqual([
      [1, 'elsewhere', 'moving'],
      [0, 'run', 'cancelled'],
    ])
  })

  test('goes on through a time in which the cluster does not answer', async () => {
    await start()
    fake.isDown = true
    expect((await looks()).run).toMatchObject({ status: 'running', problem: { code: 'CLUSTER_UNREACHABLE' } })
    fake.isDown = false
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    expect((await looks()).run).toMatchObject({ status: 'done', problem: null })
  })

  test('waits for a broker that is down, and says so', async () => {
    await start()
    fake.alive.delete(3)
    fake.learn()
    expect((await looks()).partitions[0]?.problem).toBe('Waits for broker 3, which is down.')
  })

  test('is refused while another one is under way, and when replicas have changed since the preview', async () => {
    const { planId } = await manager.preview(fake.session, { kind: 'empty-broker', brokerId: 1 })
    const again = () =>
      manager.start(fake.session, {
        ...manager.plan('test', planId ?? ''),
        subject: 'broker 1',
        throttleBytesPerSecond: null,
        giveUpAfterMs: hourMs,
      })
    await start()
    expect((await failureOf(again())).code).toBe('REASSIGNMENT_CONFLICT')
    await manager.cancelRun(fake.session)
    await looks(2)
    fake.partition('orders', 0).replicas = [2, 1]
    expect((await failureOf(again())).code).toBe('PLAN_OUTDATED')
  })

  test('that an earlier console left goes on, and its throttle is removed at its end', async () => {
    await start(1_000)
    restart().resume(fake.session)
    expect((await looks()).run).toMatchObject({ status: 'running', throttleBytesPerSecond: 1_000 })
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    expect((await looks()).run).toMatchObject({ status: 'done', doneCount: 2 })
    expect(fake.settingOf('topic orders', followerReplicas)).toBeNull()
  })
})

describe('cancelling', () => {
  test('takes back what has not arrived, in its former order, and leaves what has', async () => {
    await start()
    fake.arrive('orders', 0)
    await looks()
    expect(await manager.cancelRun(fake.session)).toMatchObject({ cancelledCount: 1 })
    const { run } = await looks(2)
    expect(run).toMatchObject({ status: 'cancelled', doneCount: 1, cancelledCount: 1 })
    expect(run?.summary).toBe('1 partition had arrived and stays there. 1 partition went back to where it was.')
    expect(fake.partition('orders', 1).replicas).toEqual([2, 1])
    expect((await failureOf(manager.cancelRun(fake.session))).code).toBe('REASSIGNMENT_CONFLICT')
  })

  test('is judged by what brokers say, not by what was known before', async () => {
    await start()
    await looks()
    fake.isKnowledgeOld = true
    await manager.cancelRun(fake.session)
    expect((await looks(2)).run).toMatchObject({ status: 'cancelled', cancelledCount: 2, failedCount: 0 })
  })

  test('happens by itself when the time given is over', async () => {
    await start(null, 60_000)
    await looks(59)
    expect(manager.watch(fake.session).state(null).run?.status).toBe('running')
    const { run } = await looks(3)
    expect(run).toMatchObject({ status: 'cancelled', cancelledCount: 2 })
    expect(journalled.some(({ summary }) => summary.includes('not done in the time given'))).toBe(true)
  })

  test('stops what others have started, and nothing of the run', async () => {
    fake.addTopic('theirs', [[1, 2]])
    await fake.session.client.admin.alterPartitionReassignments([{ topic: 'theirs', partition: 0, replicas: [3, 2] }])
    await start()
    expect((await looks()).elsewhereCount).toBe(1)
    expect(await manager.cancelElsewhere(fake.session)).toMatchObject({ cancelledCount: 1 })
    const state = await looks()
    expect([state.elsewhereCount, state.run?.status]).toEqual([0, 'running'])
  })
})

describe('the throttle', () => {
  test('is set on brokers and topics that take part, and gives back what was set before', async () => {
    fake.settings.set('broker 2', new Map([[leaderRate, '77']]))
    await start(5_000)
    expect(fake.settingOf('broker 2', leaderRate)).toBe('5000')
    expect(fake.settingOf('broker 3', leaderRate)).toBe('5000')
    expect(fake.settingOf('topic orders', followerReplicas)).toBe('0:3,1:3')
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    await looks()
    expect(fake.settingOf('broker 2', leaderRate)).toBe('77')
    expect(fake.settingOf('broker 3', leaderRate)).toBeNull()
    expect(fake.settingOf('topic orders', followerReplicas)).toBeNull()
  })

  test('that somebody changed meanwhile is left alone', async () => {
    await start(5_000)
    fake.settings.get('broker 3')?.set(leaderRate, '9')
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    expect((await looks()).run?.status).toBe('done')
    expect(fake.settingOf('broker 3', leaderRate)).toBe('9')
  })

  test('is removed although brokers do not tell of it yet', async () => {
    fake.holdSettings()
    await start(5_000)
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    expect((await looks()).run?.status).toBe('done')
    expect(fake.settingOf('broker 3', leaderRate)).toBeNull()
  })

  test('is tried again until it is gone, and the run is not over before', async () => {
    await start(5_000)
    fake.arrive('orders', 0)
    fake.arrive('orders', 1)
    fake.refused.add('topic orders')
    const finishing = await looks()
    expect(finishing.run).toMatchObject({
      status: 'finishing',
      problem: { message: expect.stringMatching(/throttle could not be removed/) },
    })
    fake.refused.clear()
    expect((await looks()).run).toMatchObject({ status: 'done', problem: null })
    expect(fake.settingOf('topic orders', followerReplicas)).toBeNull()
  })

  test('that cannot be set stops the run before anything moves', async () => {
    fake.refused.add('broker 3')
    expect((await failureOf(start(5_000))).message).toMatch(/kept/)
    expect(fake.partition('orders', 0).adding).toEqual([])
    expect(fake.settingOf('broker 2', leaderRate)).toBeNull()
  })
})

describe('a preview', () => {
  test('shows every broker before and after, what is copied, and what is being moved already', async () => {
    const topic = fake.session.knowledge.topics.get('orders')
    topic?.leaderBytes.set([500, 700])
    await fake.session.client.admin.alterPartitionReassignments([{ topic: 'orders', partition: 1, replicas: [2, 3] }])
    const preview = await manager.preview(fake.session, { kind: 'empty-broker', brokerId: 1 })
    expect(preview).toMatchObject({ confirmName: 'broker 1', moveTotal: 1, bytes: 500, warnings: [] })
    expect(preview.blocked).toMatchObject([{ partition: 1, reason: expect.stringMatching(/moved already|no other live broker/) }])
    expect(preview.brokers[0]).toMatchObject({ brokerId: 1, replicasBefore: 2, replicasAfter: 1 })
  })

  test('warns when acks=all would be refused, and refuses too few brokers', async () => {
    fake.settings.set('topic orders', new Map([['min.insync.replicas', '2']]))
    const preview = await manager.preview(fake.session, { kind: 'replication-factor', topic: 'orders', replicationFactor: 1 })
    expect(preview.warnings.join(' ')).toMatch(/acks=all/)
    const tooFew = manager.preview(fake.session, { kind: 'spread', topic: 'orders', brokers: [3], replicationFactor: null })
    expect(await failureOf(tooFew)).toMatchObject({ code: 'INVALID_INPUT' })
    const dead = manager.preview(fake.session, { kind: 'spread', topic: 'orders', brokers: [3, 9], replicationFactor: null })
    expect((await failureOf(dead)).message).toMatch(/Broker 9/)
  })

  test('of what is as it should be has nothing to start', async () => {
    const preview = await manager.preview(fake.session, { kind: 'spread', topic: 'orders', brokers: [1, 2], replicationFactor: null })
    expect(preview).toMatchObject({ planId: null, moveTotal: 0, unchangedCount: 2 })
  })
})
