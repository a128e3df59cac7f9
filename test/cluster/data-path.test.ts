import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { CompressionName, KafkaClient, ProducerRecord } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { EmbeddedCluster } from '../../broker/runtime/types.ts'
import { until } from '../support/until.ts'

/** Records through real brokers: in, out, and still there after every way a broker can end. */
const silent = { write: () => undefined }
const env = createRealEnv({ log: silent })
let folder = ''
let cluster: EmbeddedCluster
let client: KafkaClient
let topic = ''
let topicCount = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-data-'))
  cluster = await startCluster(env, { dataDirectory: folder, brokers: 3, port: 0 })
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, clientId: 'data-path-test' })
})

afterAll(async () => {
  await client?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** Every test has a topic of its own, with one partition led by each broker: partition n by broker n + 1. */
beforeEach(async () => {
  topic = `data-path-${topicCount++}`
  const [created] = await client.admin.createTopics([{ name: topic, assignments: [[1], [2], [3]] }])
  if (created?.error != null) throw created.error
})

const records = (count: number, prefix = 'value'): ProducerRecord[] =>
  Array.from({ length: count }, (_, index) => ({ topic, partition: index % 3, key: `key-${index}`, value: `${prefix}-${index}` }))

async function readAll(name = topic): Promise<{ key: string; value: string; partition: number; offset: number }[]> {
  const reader = client.reader({ partitions: [0, 1, 2].map((partition) => ({ topic: name, partition, from: 'earliest', upTo: 'end' })) })
  const found: { key: string; value: string; partition: number; offset: number }[] = []
  // A leader that is not there yet after a restart is told in a chunk's error, and asked again.
  for await (const chunk of reader) {
    for (const { key, value, offset } of chunk) found.push({ key: String(key), value: String(value), partition: chunk.partition, offset })
  }
  await reader.close()
  return found
}

async function produce(sent: readonly ProducerRecord[], options: Parameters<KafkaClient['producer']>[0] = {}): Promise<void> {
  const producer = client.producer(options)
  const results = await producer.sendAll(sent)
  await producer.close()
  expect(results.filter(({ error }) => error !== null)).toEqual([])
}

const valuesOf = (found: readonly { value: string }[]) => found.map(({ value }) => value).toSorted()
const sentValues = (sent: readonly ProducerRecord[]) => sent.map(({ value }) => String(value)).toSorted()

describe('records through the cluster', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies CompressionName[])(
    'come back as they went in, compressed with %s',
    async (compression) => {
      const sent = records(3000)
      await produce(sent, { compression })
      const found = await readAll()
      expect(valuesOf(found)).toEqual(sentValues(sent))
      for (const partition of [0, 1, 2]) {
        const ofPartition = found.filter((record) => record.partition === partition)
        expect(ofPartition.map(({ offset }) => offset)).toEqual(ofPartition.map((_, index) => index))
        expect(ofPartition.map(({ key }) => key)).toEqual(sent.filter((record) => record.partition === partition).map(({ key }) => key))
      }
    },
  )

  it.each([0, 1, 'all'] as const)('are written with acks=%s', async (acks) => {
    // Without acknowledgement nothing tells that a leader has not taken up a topic just made, nor when a record has arrived.
    await produce(records(3))
    await produce(records(30), { acks, idempotent: false })
    await until('all records', async () => (await readAll()).length === 33)
  })

  it('survive a clean restart of a broker, at the same offsets', async () => {
    const sent = records(600)
    await produce(sent)
    const before = await readAll()
    await cluster.restart(2)
    await produce(records(30, 'later'))
    const after = await readAll()
    const known = new Set(before.map(({ partition, offset, value }) => `${partition}/${offset}/${value}`))
    expect(after.filter(({ partition, offset, value }) => known.has(`${partition}/${offset}/${value}`))).toHaveLength(600)
    expect(after).toHaveLength(630)
  })

  it('of an idempotent producer that lives through a restart come once each and in order', async () => {
    const producer = client.producer({ idempotent: true })
    const sending: Promise<unknown>[] = []
    let isRestarted = false
    const restarted = cluster.restart(1).then(() => (isRestarted = true))
    let count = 0
    while (!isRestarted) {
      sending.push(producer.send({ topic, partition: 0, key: 'k', value: String(count++) }))
      await new Promise((resolve) => setImmediate(resolve))
      if (sending.length % 50 === 0) await Promise.race([sending.at(-1), restarted])
    }
    await restarted
    sending.push(producer.send({ topic, partition: 0, key: 'k', value: String(count++) }))
    await Promise.all(sending)
    await producer.close()
    const found = await readAll()
    expect(found.map(({ value }) => Number(value))).toEqual(Array.from({ length: count }, (_, index) => index))
  })

  it.each([1, 'all'] as const)('acknowledged with acks=%s are all there after SIGKILL under load', async (acks) => {
    const producer = client.producer({ acks, idempotent: false, deliveryTimeoutMs: 2_000 })
    const acknowledged = new Set<string>()
    let isKilled = false
    const load = (async () => {
      for (let batch = 0; !isKilled; batch++) {
        const sent = Array.from({ length: 100 }, (_, index) => ({ topic, partition: 1, value: `${batch}-${index}` }))
        const results = await producer.sendAll(sent)
        results.forEach(({ error }, index) => error === null && acknowledged.add(sent[index]!.value))
      }
    })()
    await until('acknowledged records', () => acknowledged.size > 2_000)
    await cluster.kill(2)
    isKilled = true
    await load
    await cluster.start(2)
    const found = new Set(valuesOf(await readAll()))
    expect([...acknowledged].filter((value) => !found.has(value))).toEqual([])
  })

  it('can be deleted up to an offset, and by time looked up', async () => {
    const producer = client.producer()
    const startMs = env.clock.nowMs() - 60_000
    for (let index = 0; index < 10; index++)
      await producer.send({ topic, partition: 0, value: String(index), timestampMs: startMs + index * 1000 })
    await producer.close()
    const at = async (spec: 'earliest' | 'latest' | { timestampMs: number }) =>
      (await client.admin.listOffsets([{ topic, partition: 0, spec }]))[0]!.offset
    expect(await at({ timestampMs: startMs + 4_500 })).toBe(5)
    await client.admin.deleteRecords([{ topic, partition: 0, beforeOffset: 4 }])
    expect([await at('earliest'), await at('latest')]).toEqual([4, 10])
    expect((await readAll()).map(({ value }) => value)).toEqual(['4', '5', '6', '7', '8', '9'])
  })

  it('are read by a waiting consumer as soon as they are written', async () => {
    const reader = client.reader({ partitions: [{ topic, partition: 2, from: 'latest' }], maxWaitMs: 30_000 })
    const reading = (async () => {
      for (;;) {
        const chunks = await reader.read()
        const found = (chunks ?? []).flatMap((chunk) => [...chunk].map(({ value }) => String(value)))
        if (found.length > 0) return found
      }
    })()
    await until('the reader to know its position', () => reader.positions().length > 0)
    await produce([{ topic, partition: 2, value: 'news' }])
    expect(await reading).toEqual(['news'])
    await reader.close()
  })
})
