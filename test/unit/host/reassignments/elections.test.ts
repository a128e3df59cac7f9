import { call } from '@orpc/server'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealEnv } from '../../../../broker/env/real.ts'
import type { ClusterRegistry } from '../../../../broker/host/clusters/registry.ts'
import { electionsRouter } from '../../../../broker/host/domains/elections.ts'
import type { Change, Journal } from '../../../../broker/host/journal.ts'
import { planElection } from '../../../../broker/host/reassignments/election-plan.ts'
import type { HostServices } from '../../../../broker/host/services.ts'
import { FakeMoves } from '../../../support/fake-moves.ts'

let fake: FakeMoves
let journalled: Change[]
let router: ReturnType<typeof electionsRouter>

beforeEach(() => {
  fake = new FakeMoves()
  fake.addTopic('orders', [
    [1, 2],
    [2, 1],
    [1, 3],
  ])
  journalled = []
  const clusters: Partial<ClusterRegistry> = { get: () => fake.session, refresh: () => fake.learn() }
  const journal: Partial<Journal> = {
    change: (change) => journalled.push(change),
    during: async (change, work) => ({ result: await work(), activityId: journalled.push(change) }),
  }
  router = electionsRouter({ env: createRealEnv(), clusters, journal } as unknown as HostServices)
})
afterEach(() => fake.close())

/** Leadership drifts to another replica, as it does when a broker ends. */
function drift(partition: number, leader: number, isr: readonly number[]): void {
  Object.assign(fake.partition('orders', partition), { leader, isr: [...isr] })
  fake.learn()
}

test('a preview says who leads what then, and which preferred replicas cannot lead', async () => {
  drift(0, 2, [1, 2])
  drift(2, 3, [3])
  const preview = await call(router.preview, { clusterId: 'test', topic: 'orders' })
  expect(preview.changes).toEqual([{ topic: 'orders', partition: 0, from: 2, to: 1 }])
  expect(preview.blocked).toEqual([{ topic: 'orders', partition: 2, from: 3, to: 1, reason: 'Broker 1 is not in sync yet.' }])
  expect(preview.brokers.map(({ brokerId, now, then }) => [brokerId, now, then])).toEqual([
    [1, 0, 1],
    [2, 2, 1],
    [3, 1, 1],
  ])
})

test('each partition succeeds or fails for itself, and both are written down', async () => {
  drift(0, 2, [1, 2])
  drift(2, 3, [1, 3])
  fake.partition('orders', 2).isr = [3]
  const result = await call(router.run, { clusterId: 'test' })
  expect(result).toMatchObject({ electedCount: 1, failedCount: 1, activityId: 1 })
  expect(result.outcomes.map(({ partition, failure }) => [partition, failure])).toEqual([
    [2, 'Broker 1 is not in sync.'],
    [0, null],
  ])
  expect(journalled).toMatchObject([
    { action: 'leader.elect', before: { 'orders-0': '2', 'orders-2': '3' }, after: { 'orders-0': '1', 'orders-2': '3' } },
  ])
})

test('with nothing to elect nothing is asked and nothing written down', async () => {
  expect(await call(router.run, { clusterId: 'test' })).toEqual({ outcomes: [], electedCount: 0, failedCount: 0, activityId: null })
  expect([fake.elected, journalled]).toEqual([[], []])
})

test('a broker that is down keeps its partitions where they are', () => {
  const partition = { topic: 't', partition: 0, replicas: [1, 2], isr: [2], leader: 2, bytes: null }
  const { changes, blocked, brokers } = planElection([partition], [2])
  expect([changes, blocked[0]?.reason]).toEqual([[], 'Broker 1 is down.'])
  expect(brokers).toEqual([
    { brokerId: 1, isAlive: false, now: 0, then: 0 },
    { brokerId: 2, isAlive: true, now: 1, then: 1 },
  ])
})
