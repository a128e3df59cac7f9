import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { ClusterOptions, EmbeddedCluster } from '../../broker/runtime/types.ts'
import { kafkaJs } from '../compat/support/kafkajs.ts'
import { until } from '../support/until.ts'

/** Three real brokers, replication factor 3, min.insync.replicas 2: what dies, what goes on, and that nothing acknowledged is lost. */
const env = createRealEnv({ log: { write: () => undefined } })
const TOPIC = 'replicated'
let folder = ''
let cluster: EmbeddedCluster
let client: KafkaClient

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-failover-'))
})
afterEach(async () => {
  await client?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** `TOPIC` has one partition, led by broker 1. */
async function start(options: Partial<ClusterOptions> = {}): Promise<void> {
  await open(options)
  const [created] = await client.admin.createTopics([{ name: TOPIC, assignments: [[1, 2, 3]] }])
  if (created?.error != null) throw created.error
}

async function open(options: Partial<ClusterOptions> = {}): Promise<void> {
  cluster = await startCluster(env, { dataDirectory: folder, brokers: 3, port: 0, ...options })
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, clientId: 'failover-test' })
}

async function partition(topic = TOPIC, index = 0) {
  const { topics } = await client.metadata({ topics: [topic], refresh: true })
  return topics.get(topic)?.partitions[index] ?? null
}

const inSync = (count: number, topic = TOPIC) =>
  until(`${count} in-sync replicas`, async () => (await partition(topic))?.isr.length === count)

async function readAll(topic = TOPIC, index = 0): Promise<string[]> {
  const reader = client.reader({ partitions: [{ topic, partition: index, from: 'earliest', upTo: 'end' }] })
  const values: string[] = []
  for await (const chunk of reader) for (const { value } of chunk) values.push(String(value))
  await reader.close()
  return values
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))

/** Writes numbers, one after the other and each as soon as it may, until told to end. */
function load(send: (value: string) => Promise<unknown>) {
  let count = 0
  let acknowledged = 0
  let isEnding = false
  const sending: Promise<unknown>[] = []
  const done = (async () => {
    while (!isEnding) {
      for (let index = 0; index < 20; index++) sending.push(send(String(count++)).then(() => acknowledged++))
      await sending.at(-1)
    }
    await Promise.all(sending)
    return numbers(count)
  })()
  return {
    get acknowledged() {
      return acknowledged
    },
    async end(): Promise<string[]> {
      isEnding = true
      return done
    },
  }
}

describe('a leader that is killed under load', () => {
  /** Nothing but the supervisor's word makes another broker lead in time. */
  const noSessionEnds = { configOverrides: { 'broker.session.timeout.ms': '600000' } }

  async function survives(send: (value: string) => Promise<unknown>): Promise<void> {
    const writing = load(send)
    for (let round = 0; round < 3; round++) {
      const before = writing.acknowledged
      await until('acknowledged records', () => writing.acknowledged > before + 500)
      const { leader } = (await partition())!
      await cluster.kill(leader!)
      const atKill = writing.acknowledged
      await until('records acknowledged by another leader', () => writing.acknowledged > atKill + 100)
      await cluster.start(leader!)
      await inSync(3)
    }
    const sent = await writing.end()
    expect(await readAll()).toEqual(sent)
  }

  test('costs our own client nothing: every record is there once, in order', async () => {
    await start(noSessionEnds)
    const producer = client.producer({ acks: 'all', idempotent: true })
    await survives((value) => producer.send({ topic: TOPIC, partition: 0, value }))
    await producer.close()
  })

  test('costs kafkajs nothing: every record is there once, in order', async () => {
    await start(noSessionEnds)
    const producer = kafkaJs(cluster.bootstrapServers).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    let last: Promise<unknown> = Promise.resolve()
    // One at a time: two requests that kafkajs retries at once may change places.
    const inTurn = (value: string) =>
      (last = last.then(() => producer.send({ topic: TOPIC, acks: -1, messages: [{ value, partition: 0 }] })))
    await survives(inTurn)
    await producer.disconnect()
  })
})

describe('brokers that die', () => {
  test('two of three: the survivor takes acks=1, shows nothing new, refuses acks=all, and loses nothing when they return', async () => {
    await start()
    const producer = client.producer({ acks: 'all', idempotent: true })
    await producer.sendAll(numbers(100).map((value) => ({ topic: TOPIC, partition: 0, value })))
    for (const id of [3, 2]) await cluster.kill(id)
    await inSync(1)
    const alone = client.producer({ acks: 1, idempotent: false })
    const results = await alone.sendAll(['alone 1', 'alone 2'].map((value) => ({ topic: TOPIC, partition: 0, value })))
    expect(results.map(({ error }) => error)).toEqual([null, null])
    const insisting = client.producer({ acks: 'all', idempotent: false, deliveryTimeoutMs: 1_000 })
    await expect(insisting.send({ topic: TOPIC, partition: 0, value: 'refused' })).rejects.toThrow(/NOT_ENOUGH_REPLICAS/)
    expect(await readAll()).toEqual(numbers(100))
    await cluster.start(2)
    await cluster.start(3)
    await inSync(3)
    expect(await readAll()).toEqual([...numbers(100), 'alone 1', 'alone 2'])
    for (const open of [producer, alone, insisting]) await open.close()
  })

  test('one whose disk fails: another leads with nothing lost, the disk is said to have failed, and a restart makes it whole', async () => {
    await open()
    const configs = { 'segment.bytes': String(1024 * 1024) }
    const [created] = await client.admin.createTopics([{ name: TOPIC, assignments: [[1, 2, 3]], configs }])
    expect(created?.error).toBeNull()
    const values = Array.from({ length: 12 }, (_, index) => `${index}`.padEnd(200_000))
    const producer = client.producer({ acks: 'all' })
    const write = async (some: readonly string[]) =>
      (await producer.sendAll(some.map((value) => ({ topic: TOPIC, value })))).filter(({ error }) => error !== null)
    expect(await write(values.slice(0, 2))).toEqual([])
    // The segment that is open goes on; no other can be made.
    await rm(join(folder, 'broker-1', `${TOPIC}-0`), { recursive: true })
    expect(await write(values.slice(2))).toEqual([])
    await until('another leader', async () => (await partition())?.leader === 2)
    expect(await partition()).toMatchObject({ isr: [2, 3], offlineReplicas: [1] })
    const directory = async () => (await client.admin.describeLogDirs({ nodeIds: [1] })).directories[0]
    expect((await directory())?.error?.kafkaErrorName).toBe('KAFKA_STORAGE_ERROR')
    await cluster.restart(1)
    await inSync(3)
    expect((await directory())?.error).toBeNull()
    expect(await readAll()).toEqual(values)
  })

  test('a paused one: fenced when its session ends, and back in sync when it goes on', async () => {
    await start({ configOverrides: { 'broker.session.timeout.ms': '1500', 'broker.heartbeat.interval.ms': '300' } })
    const producer = client.producer({ acks: 'all', idempotent: true, requestTimeoutMs: 2_000 })
    await producer.send({ topic: TOPIC, partition: 0, value: '0' })
    await cluster.pause(1)
    await producer.send({ topic: TOPIC, partition: 0, value: '1' })
    expect((await partition())?.leader).not.toBe(1)
    await cluster.resume(1)
    await inSync(3)
    await producer.send({ topic: TOPIC, partition: 0, value: '2' })
    expect(await readAll()).toEqual(numbers(3))
    await producer.close()
  })

  test("a group's coordinator: what was committed is still committed, and the group goes on", async () => {
    await start()
    const producer = client.producer()
    await producer.sendAll(numbers(50).map((value) => ({ topic: TOPIC, partition: 0, value })))
    const consumer = client.consumer({
      groupId: 'readers',
      topics: [TOPIC],
      startWithoutCommit: 'earliest',
      autoCommitIntervalMs: null,
    })
    const read: string[] = []
    while (read.length < 50) for (const { records } of await consumer.poll()) read.push(...records.map(({ value }) => String(value)))
    await consumer.commit()
    const committed = async () => (await client.admin.fetchOffsets([{ groupId: 'readers' }]))[0]!.offsets.map(({ offset }) => offset)
    expect(await committed()).toEqual([50])
    for (let round = 0; round < 2; round++) {
      const [described] = await client.admin.describeGroups(['readers'])
      const coordinator = described!.coordinatorId!
      await cluster.kill(coordinator)
      expect(await committed()).toEqual([50 + round])
      await producer.send({ topic: TOPIC, partition: 0, value: String(50 + round) })
      while (read.length < 51 + round)
        for (const { records } of await consumer.poll()) read.push(...records.map(({ value }) => String(value)))
      await consumer.commit()
      await cluster.start(coordinator)
      await inSync(3, '__consumer_offsets')
    }
    expect(read).toEqual(numbers(52))
    await consumer.close()
    await producer.close()
  })

  test.each([[[1, 2, 3]], [[3, 1, 2]], [[2, 3, 1]]])(
    'all of them, stopped in the order %j: the cluster starts again with everything',
    async (order) => {
      await start()
      const producer = client.producer({ acks: 'all', idempotent: true })
      for (const [index, id] of order.entries()) {
        if (index < 2) await producer.sendAll(numbers(20).map((value) => ({ topic: TOPIC, partition: 0, value: `${index}/${value}` })))
        await cluster.stop(id)
      }
      await producer.close()
      await client.close()
      await cluster.shutdown()
      await open()
      await inSync(3)
      const all = [0, 1].flatMap((index) => numbers(20).map((value) => `${index}/${value}`))
      expect(await readAll()).toEqual(all)
      const after = client.producer()
      await after.send({ topic: TOPIC, partition: 0, value: 'after' })
      expect(await readAll()).toEqual([...all, 'after'])
      await after.close()
    },
  )
})
