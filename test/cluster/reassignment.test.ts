import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../broker/api/45-alter-partition-reassignments.schema.ts'
import { listPartitionReassignments } from '../../broker/api/46-list-partition-reassignments.schema.ts'
import { describeTopicPartitions } from '../../broker/api/75-describe-topic-partitions.schema.ts'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { EmbeddedCluster } from '../../broker/runtime/types.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'

/** Partitions on their way from broker to broker, on real processes. */
const env = createRealEnv({ log: { write: () => undefined } })
const VALUE = 'x'.repeat(1_000)
let folder = ''
let cluster: EmbeddedCluster
let client: KafkaClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-reassign-'))
  cluster = await startCluster(env, { dataDirectory: folder, brokers: 3, port: 0 })
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers })
})
afterAll(async () => {
  await client?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function move(topic: string, replicas: readonly number[] | null): Promise<number> {
  const request = { topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas }] }], timeoutMs: 10_000 }
  const answer = await client.request('any', alterPartitionReassignments, request, { timeoutMs: 10_000 })
  return answer.responses[0]!.partitions[0]!.errorCode
}

async function moving(): Promise<readonly string[]> {
  const { topics } = await client.request('any', listPartitionReassignments, { topics: null, timeoutMs: 10_000 }, { timeoutMs: 10_000 })
  return topics.map(({ name }) => name)
}

async function partitionOf(topic: string) {
  const request = { topics: [{ name: topic }], responsePartitionLimit: 10, cursor: null }
  const { topics } = await client.request('any', describeTopicPartitions, request, { timeoutMs: 10_000 })
  const { leaderId, replicaNodes, isrNodes } = topics[0]!.partitions[0]!
  return { leaderId, replicaNodes, isrNodes: isrNodes.toSorted() }
}

async function fill(topic: string, replicas: readonly number[], count: number): Promise<void> {
  await client.admin.createTopics([{ name: topic, assignments: [replicas], configs: { 'min.insync.replicas': '1' } }])
  const sent = await client.producer({ acks: 'all' }).sendAll(Array.from({ length: count }, () => ({ topic, value: VALUE })))
  expect(sent.filter(({ error }) => error !== null)).toEqual([])
}

async function endOf(topic: string): Promise<number | null> {
  const [end] = await client.admin.listOffsets([{ topic, partition: 0, spec: 'latest' }])
  return end?.offset ?? null
}

test('a partition moved to other brokers under load arrives with every acknowledged record', async () => {
  await fill('moved', [1], 2_000)
  const producer = client.producer({ acks: 'all' })
  let acknowledged = 2_000
  let isOver = false
  const load = (async () => {
    while (!isOver) {
      const sent = await producer.sendAll(Array.from({ length: 20 }, () => ({ topic: 'moved', value: VALUE })))
      acknowledged += sent.filter(({ error }) => error === null).length
    }
  })()
  expect(await move('moved', [2, 3])).toBe(ErrorCode.NONE)
  await expect.poll(moving, { timeout: 30_000 }).toEqual([])
  isOver = true
  await load
  await expect.poll(() => partitionOf('moved')).toMatchObject({ replicaNodes: [2, 3], isrNodes: [2, 3], leaderId: 2 })
  expect(await endOf('moved')).toBe(acknowledged)
})

test('a throttled one takes its time, and goes back when it is cancelled', async () => {
  await fill('slow', [1], 3_000)
  const rate = { name: 'follower.replication.throttled.rate', operation: 'set', value: '1000' } as const
  const list = { name: 'follower.replication.throttled.replicas', operation: 'set', value: '*' } as const
  const results = await client.admin.incrementalAlterConfigs([
    { type: 'broker', name: '', changes: [rate] },
    { type: 'topic', name: 'slow', changes: [list] },
  ])
  expect(results.filter(({ error }) => error !== null)).toEqual([])
  expect(await move('slow', [3])).toBe(ErrorCode.NONE)
  await client.producer({ acks: 'all' }).sendAll(Array.from({ length: 2_000 }, () => ({ topic: 'slow', value: VALUE })))
  expect(await moving()).toEqual(['slow'])
  expect(await partitionOf('slow')).toMatchObject({ replicaNodes: [3, 1], isrNodes: [1], leaderId: 1 })
  expect(await move('slow', null)).toBe(ErrorCode.NONE)
  expect(await moving()).toEqual([])
  await expect.poll(() => partitionOf('slow')).toMatchObject({ replicaNodes: [1], isrNodes: [1], leaderId: 1 })
  expect(await endOf('slow')).toBe(5_000)
})
