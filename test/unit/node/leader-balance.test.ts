/** Leadership that drifted away from preferred leaders, given back in time by the controller of a whole cluster. */
import { afterEach, describe, expect, it } from 'vitest'
import type { KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

const CHECK_SECONDS = 60

let cluster: SimulatedCluster
let client: KafkaClient

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

const elapsedMs = () => cluster.world.loop.monotonicMs()
const advanceTo = (ms: number) => cluster.advance(Math.max(0, ms - elapsedMs()))

async function leaderOf(topic: string): Promise<number | null> {
  const { topics } = await cluster.run(client.metadata({ topics: [topic], refresh: true }))
  return topics.get(topic)!.partitions[0]!.leader
}

/** A partition whose preferred leader is back in sync after a restart, and led by another broker. */
async function drifted(settings: Readonly<Record<string, string>>): Promise<void> {
  cluster = new SimulatedCluster({
    seed: 1,
    voters: 1,
    settings: { 'leader.imbalance.check.interval.seconds': String(CHECK_SECONDS), ...settings },
  })
  await cluster.startController(1001)
  for (const id of [1, 2, 3]) await cluster.startBroker(id)
  client = cluster.client()
  const [created] = await cluster.run(client.admin.createTopics([{ name: 'orders', assignments: [[1, 2, 3]] }]))
  expect(created!.error).toBeNull()
  await cluster.run(cluster.brokers.get(1)!.stop())
  cluster.endBroker(1, 'kill')
  await cluster.startBroker(1)
  await cluster.advance(2_000)
  expect(await leaderOf('orders')).toBe(2)
  expect(elapsedMs()).toBeLessThan((CHECK_SECONDS / 2) * 1_000)
}

describe('leadership that drifted', () => {
  it('goes back to the preferred leader when it is time to look, and not before', async () => {
    await drifted({})
    await advanceTo((CHECK_SECONDS - 5) * 1_000)
    expect(await leaderOf('orders')).toBe(2)
    await advanceTo((CHECK_SECONDS + 10) * 1_000)
    expect(await leaderOf('orders')).toBe(1)
  })

  it.each([
    ['nobody is to give it back', { 'auto.leader.rebalance.enable': 'false' }],
    ['so much of it is allowed', { 'leader.imbalance.per.broker.percentage': '100' }],
  ])('stays where it is while %s', async (_, settings) => {
    await drifted(settings)
    await advanceTo(CHECK_SECONDS * 2_500)
    expect(await leaderOf('orders')).toBe(2)
  })
})
