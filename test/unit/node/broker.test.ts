import { afterEach, describe, expect, it } from 'vitest'
import type { KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

let cluster: SimulatedCluster
let client: KafkaClient

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

async function startAll(
  options: { readonly diskLatencyMsMax?: number; readonly networkLatencyMsMax?: number; readonly seed?: number } = {},
) {
  cluster = new SimulatedCluster({ seed: 1, voters: 1, ...options })
  await cluster.startController(1001)
  for (const id of [1, 2, 3]) await cluster.startBroker(id)
  client = cluster.client()
}

/** Partition n is led by broker n + 1. */
async function createTopic(topic: string): Promise<void> {
  const [created] = await cluster.run(client.admin.createTopics([{ name: topic, assignments: [[1], [2], [3]] }]))
  expect(created!.error).toBeNull()
}

async function produce(topic: string, partition: number, values: readonly string[], deliveryTimeoutMs = 20_000) {
  const producer = client.producer({ idempotent: false, deliveryTimeoutMs })
  const results = await cluster.run(producer.sendAll(values.map((value) => ({ topic, partition, value }))))
  await cluster.run(producer.close())
  return results
}

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => String(from + index))
const failuresOf = (results: Awaited<ReturnType<typeof produce>>) => results.flatMap(({ error }) => (error === null ? [] : [error]))

describe('a whole broker', () => {
  it("takes records, gives them back, and forwards what is the controller's to do", async () => {
    await startAll({ diskLatencyMsMax: 3, networkLatencyMsMax: 3 })
    await createTopic('orders')
    for (const partition of [0, 1, 2]) expect(failuresOf(await produce('orders', partition, numbers(50)))).toEqual([])
    for (const partition of [0, 1, 2]) expect(await cluster.valuesOf(client, 'orders', partition)).toEqual(numbers(50))
  })

  it('has every acknowledged record after a kill, and goes on from there', async () => {
    await startAll({ diskLatencyMsMax: 3 })
    await createTopic('orders')
    await produce('orders', 1, numbers(20))
    cluster.endBroker(2, 'kill')
    await cluster.startBroker(2)
    expect(failuresOf(await produce('orders', 1, numbers(20, 20)))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 1)).toEqual(numbers(40))
  })

  it("serves the others' partitions while one broker is gone", async () => {
    await startAll()
    await createTopic('orders')
    cluster.endBroker(2, 'kill')
    expect(failuresOf(await produce('orders', 0, numbers(5)))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(5))
  })

  it('gives its leaderships up before it stops, and takes them again', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', 1, numbers(5))
    await cluster.run(cluster.brokers.get(2)!.stop())
    const leader = async () => {
      const { topics } = await cluster.run(client.metadata({ topics: ['orders'], refresh: true }))
      return topics.get('orders')!.partitions[1]!.leader
    }
    expect(await leader()).toBeNull()
    cluster.endBroker(2, 'kill')
    await cluster.startBroker(2)
    while ((await leader()) !== 2) await cluster.advance(10)
    expect(await cluster.valuesOf(client, 'orders', 1)).toEqual(numbers(5))
  })

  it('lets clients wait until it knows the cluster', async () => {
    await startAll()
    await createTopic('orders')
    for (const id of [1, 2, 3]) cluster.endBroker(id, 'kill')
    cluster.endController(1001, 'kill')
    for (const id of [1, 2, 3]) await cluster.openBroker(id)
    let answered: readonly string[] | null = null
    const asking = cluster.client().metadata({ topics: 'all' })
    void asking.then(({ topics }) => (answered = [...topics.keys()]))
    await cluster.advance(500)
    expect(answered).toBeNull()
    await cluster.startController(1001)
    await cluster.run(asking)
    expect(answered).toEqual(['orders'])
  })

  it('whose disk fails gives up what it leads, says so, and leads again after a restart', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', 1, numbers(3))
    cluster
      .env('broker 2')
      .diskControl.failNext({ operations: ['write'], code: 'EIO', count: 1, path: (path) => path.includes('/orders-1/') })
    expect(failuresOf(await produce('orders', 1, ['lost'], 3_000))).toHaveLength(1)
    const partition = async () => {
      const { topics } = await cluster.run(client.metadata({ topics: ['orders'], refresh: true }))
      return topics.get('orders')!.partitions[1]!
    }
    expect(await partition()).toMatchObject({ leader: null, offlineReplicas: [2] })
    const directory = async () => (await cluster.run(client.admin.describeLogDirs({ nodeIds: [2] }))).directories[0]!
    expect(await directory()).toMatchObject({ error: { kafkaErrorName: 'KAFKA_STORAGE_ERROR' } })
    await cluster.run(cluster.brokers.get(2)!.stop())
    cluster.endBroker(2, 'kill')
    await cluster.startBroker(2)
    while ((await partition()).leader !== 2) await cluster.advance(10)
    expect((await directory()).error).toBeNull()
    expect(failuresOf(await produce('orders', 1, ['again']))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 1)).toEqual([...numbers(3), 'again'])
  })

  it('removes the log of a deleted topic, and begins anew under the same name', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', 1, numbers(5))
    const [deleted] = await cluster.run(client.admin.deleteTopics(['orders']))
    expect(deleted!.error).toBeNull()
    await createTopic('orders')
    expect(failuresOf(await produce('orders', 1, ['anew']))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 1)).toEqual(['anew'])
    await cluster.advance(61_000)
    const folders = await cluster.run(cluster.env('broker 2').disk.list('/data'))
    expect(folders!.filter((name) => name.startsWith('orders-'))).toEqual(['orders-1'])
  })

  it('creates a topic that a producer names', async () => {
    await startAll()
    expect(failuresOf(await produce('on-demand', 0, ['x']))).toEqual([])
    expect(await cluster.valuesOf(client, 'on-demand', 0)).toEqual(['x'])
  })

  it('numbers idempotent producers, and keeps what they wrote through a power loss of the controller', async () => {
    await startAll({ diskLatencyMsMax: 3 })
    await createTopic('orders')
    const producer = client.producer({ idempotent: true })
    await cluster.run(producer.send({ topic: 'orders', partition: 0, value: 'before' }))
    cluster.endController(1001, 'powerLoss')
    await cluster.startController(1001)
    await cluster.run(producer.send({ topic: 'orders', partition: 0, value: 'after' }))
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(['before', 'after'])
  })
})
