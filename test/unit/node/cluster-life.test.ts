/** Whole brokers and a whole controller in a simulated world: what the life of one means for the others. */
import { afterEach, expect, it } from 'vitest'
import { createTopics } from '../../../broker/api/19-create-topics.schema.ts'
import { metadata } from '../../../broker/api/03-metadata.schema.ts'
import { openRequestChannel, type RequestChannel } from '../../../broker/net/request-channel.ts'
import { createBroker } from '../../../broker/node/broker.ts'
import type { RunningNode } from '../../../broker/node/running-node.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { SimulatedQuorumCluster } from './simulated-quorum-cluster.ts'

let cluster: SimulatedQuorumCluster

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

const portOf = (id: number) => 9_091 + id

async function startBroker(id: number): Promise<RunningNode> {
  const listeners = [
    { name: 'CLIENT', host: '127.0.0.1', port: portOf(id) },
    { name: 'INTERNAL', host: '127.0.0.1', port: 19_000 + id },
  ]
  const broker = await cluster.run(createBroker(cluster.env(`broker ${id}`), { ...cluster.config('broker', id), listeners }))
  void broker.failed.then((reason) => cluster.failures.push(reason))
  await cluster.run(broker.ready)
  return broker
}

async function clientOf(id: number): Promise<RequestChannel> {
  const address = { host: '127.0.0.1', port: portOf(id) }
  return cluster.run(openRequestChannel(cluster.env('client'), { address, clientId: 'test', connectTimeoutMs: 1_000 }))
}

async function leadersOf(client: RequestChannel, topic: string): Promise<readonly number[]> {
  const request = { topics: [{ name: topic }], allowAutoTopicCreation: false }
  const { topics } = await cluster.run(client.request(metadata, 9, request, { timeoutMs: 5_000 }))
  return [...topics[0]!.partitions].sort((one, other) => one.partitionIndex - other.partitionIndex).map(({ leaderId }) => leaderId)
}

async function withThreeBrokers() {
  cluster = new SimulatedQuorumCluster({ seed: 5, voters: 1, diskLatencyMsMax: 1, networkLatencyMsMax: 1 })
  const controller = await cluster.startController(1001)
  const brokers = new Map<number, RunningNode>()
  for (const id of [1, 2, 3]) brokers.set(id, await startBroker(id))
  const client = await clientOf(1)
  const topics = [{ name: 'a', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]
  const answer = await cluster.run(client.request(createTopics, 7, { topics, timeoutMs: 5_000, validateOnly: false }, { timeoutMs: 5_000 }))
  expect(answer.topics[0]).toMatchObject({ errorCode: ErrorCode.NONE, numPartitions: 3 })
  await cluster.advance(100)
  return { brokers, client, controller }
}

it('a killed broker is fenced when its session has run out, and leads again once it is back', async () => {
  const { client } = await withThreeBrokers()
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
  cluster.end('broker 2', 'kill')
  await cluster.advance(12_000)
  expect(await leadersOf(client, 'a')).toEqual([1, -1, 3])
  await startBroker(2)
  await cluster.advance(100)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
})

it('a killed broker that is started again at once does not wait for its old session', async () => {
  const { client } = await withThreeBrokers()
  cluster.end('broker 2', 'powerLoss')
  const beforeMs = cluster.world.loop.monotonicMs()
  await startBroker(2)
  expect(cluster.world.loop.monotonicMs() - beforeMs).toBeLessThan(2_000)
  await cluster.advance(100)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
})

it('a broker that stops cleanly hands over first and is known to be gone at once', async () => {
  const { brokers, client } = await withThreeBrokers()
  await cluster.run(brokers.get(3)!.stop())
  await cluster.advance(100)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, -1])
})

it('brokers serve what they know while the controller is away, and are not fenced for its absence', async () => {
  const { client } = await withThreeBrokers()
  cluster.endController(1001, 'kill')
  await cluster.advance(20_000)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
  await cluster.startController(1001)
  await cluster.advance(5_000)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
})

it('a hint that a broker ended makes its partitions known to be without a leader at once', async () => {
  const { client, controller } = await withThreeBrokers()
  cluster.end('broker 2', 'kill')
  controller.nodeEnded?.(2)
  await cluster.advance(200)
  expect(await leadersOf(client, 'a')).toEqual([1, -1, 3])
})

it('a false hint costs a live broker no more than a moment', async () => {
  const { client, controller } = await withThreeBrokers()
  controller.nodeEnded?.(2)
  await cluster.advance(5_000)
  expect(await leadersOf(client, 'a')).toEqual([1, 2, 3])
})
