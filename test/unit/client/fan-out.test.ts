import { beforeEach, describe, expect, it } from 'vitest'
import { listGroups } from '../../../broker/api/16-list-groups.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import type { KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { FakeCluster } from '../../support/fake-cluster.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let cluster: FakeCluster
let client: KafkaClient

beforeEach(async () => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('client')
  cluster = await FakeCluster.start(world, 3)
  cluster.addTopic('t', 3)
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, requestTimeoutMs: 2_000 })
})

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const never = (): Promise<never> => new Promise(() => undefined)
const none = { throttleTimeMs: 0, errorCode: 0 }

describe('one dead broker', () => {
  beforeEach(async () => {
    await run(client.metadata({ topics: ['t'] }))
    await run(cluster.broker(2).close())
    cluster.broker(2).cutConnections()
  })

  it('fails its own offsets only', async () => {
    const listed = await run(
      client.admin.listOffsets(
        [0, 1, 2].map((partition) => ({ topic: 't', partition, spec: 'latest' as const })),
        { timeoutMs: 5000 },
      ),
    )
    expect(listed.map(({ error }) => error?.code ?? null)).toEqual([null, 'CONNECTION_REFUSED', null])
  })

  it('fails its own groups only', async () => {
    for (const nodeId of [1, 3]) {
      cluster.broker(nodeId).on(listGroups, () => ({
        ...none,
        groups: [{ groupId: `g${nodeId}`, protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' }],
      }))
    }
    const fresh = createClient(env, { bootstrapServers: cluster.bootstrapServers })
    const { groups, failures } = await run(fresh.admin.listGroups())
    expect(groups.map(({ groupId, coordinatorId }) => [groupId, coordinatorId])).toEqual([
      ['g1', 1],
      ['g3', 3],
    ])
    expect(failures.map(({ nodeId, error }) => [nodeId, error.code])).toEqual([[2, 'CONNECTION_REFUSED']])
  })
})

describe('one paused broker', () => {
  it('holds up nothing beyond the time a broker gets, and fails for itself', async () => {
    for (const nodeId of [1, 3]) cluster.broker(nodeId).on(listGroups, () => ({ ...none, groups: [] }))
    cluster.broker(2).on(listGroups, never)
    const { failures } = await run(client.admin.listGroups({ timeoutMs: 3_000 }))
    expect(failures.map(({ nodeId, error }) => [nodeId, error.code])).toEqual([[2, 'DEADLINE_EXCEEDED']])
    expect(env.clock.monotonicMs()).toBeLessThan(3_100)
  })

  it('is given little time until it answers again', async () => {
    for (const nodeId of [1, 3]) cluster.broker(nodeId).on(listGroups, () => ({ ...none, groups: [] }))
    cluster.broker(2).on(listGroups, never)
    await run(client.admin.listGroups({ timeoutMs: 3_000 }))
    const pausedMs = env.clock.monotonicMs()
    expect((await run(client.admin.listGroups())).failures).toHaveLength(1)
    expect(env.clock.monotonicMs() - pausedMs).toBeLessThan(1_100)
    cluster.broker(2).cutConnections()
    cluster.broker(2).on(listGroups, () => ({ ...none, groups: [] }))
    await world.loop.advance(200)
    expect((await run(client.admin.listGroups())).failures).toHaveLength(0)
  })
})
