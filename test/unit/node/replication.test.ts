import { afterEach, describe, expect, it } from 'vitest'
import { deleteRecords } from '../../../broker/api/21-delete-records.schema.ts'
import { alterPartitionReassignments } from '../../../broker/api/45-alter-partition-reassignments.schema.ts'
import type { KafkaClient, ProducerOptions } from '../../../broker/client/types.ts'
import type { SimulatedLogLine } from '../../../broker/env/simulated.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

let cluster: SimulatedCluster
let client: KafkaClient

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

const BROKERS = [1, 2, 3] as const

async function startAll(
  options: { readonly diskLatencyMsMax?: number; readonly networkLatencyMsMax?: number; readonly seed?: number } = {},
) {
  cluster = new SimulatedCluster({ seed: 1, voters: 1, diskLatencyMsMax: 3, networkLatencyMsMax: 2, ...options })
  await cluster.startController(1001)
  for (const id of BROKERS) await cluster.startBroker(id)
  client = cluster.client()
}

/** One partition, led by broker 1. */
async function createTopic(topic: string, configs: Record<string, string> = { 'min.insync.replicas': '2' }): Promise<void> {
  const [created] = await cluster.run(client.admin.createTopics([{ name: topic, assignments: [[1, 2, 3]], configs }]))
  expect(created!.error).toBeNull()
}

async function produce(topic: string, values: readonly string[], options: ProducerOptions = {}) {
  const producer = client.producer({ deliveryTimeoutMs: 20_000, ...options })
  const results = await cluster.run(producer.sendAll(values.map((value) => ({ topic, partition: 0, value }))))
  await cluster.run(producer.close())
  return results
}

async function partitionOf(topic: string) {
  for (;;) {
    const { topics } = await cluster.run(client.metadata({ topics: [topic], refresh: true }))
    const partition = topics.get(topic)?.partitions[0]
    if (partition !== undefined) return partition
    await cluster.advance(10)
  }
}

async function untilInSync(topic: string, count: number): Promise<void> {
  for (let waitedMs = 0; (await partitionOf(topic)).isr.length !== count; waitedMs += 10) {
    if (waitedMs > 60_000) throw new Error(`${count} replicas are not in sync: ${(await partitionOf(topic)).isr.join()}`)
    await cluster.advance(10)
  }
}

async function untilLedBy(topic: string, leader: number | null): Promise<void> {
  for (let waitedMs = 0; (await partitionOf(topic)).leader !== leader; waitedMs += 10) {
    if (waitedMs > 60_000) throw new Error(`broker ${leader} does not lead`)
    await cluster.advance(10)
  }
}

/** The controller has given it that many epochs; it need not have heard of the last. */
async function untilRegistered(broker: number, epochs: number): Promise<void> {
  const isOne = ({ message, fields }: SimulatedLogLine) => message === 'a broker registered' && fields?.['broker'] === broker
  for (let waitedMs = 0; cluster.world.logLines.filter(isOne).length < epochs; waitedMs += 5) {
    if (waitedMs > 60_000) throw new Error(`broker ${broker} was not registered`)
    await cluster.advance(5)
  }
}

const now = () => cluster.env('client').clock.monotonicMs()
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => String(from + index))
const failuresOf = (results: Awaited<ReturnType<typeof produce>>) => results.flatMap(({ error }) => (error === null ? [] : [error]))

describe('replicas', () => {
  it('are written to before acks=all is acknowledged, and go on without their leader', async () => {
    await startAll()
    await createTopic('orders')
    expect(failuresOf(await produce('orders', numbers(50)))).toEqual([])
    cluster.endBroker(1, 'powerLoss')
    expect(failuresOf(await produce('orders', numbers(50, 50)))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(100))
  })

  it('do not keep a first write waiting for their next long poll', async () => {
    await startAll({ diskLatencyMsMax: 0, networkLatencyMsMax: 0 })
    await createTopic('first')
    await produce('first', ['a'])
    await cluster.advance(100)
    await createTopic('second')
    const startMs = now()
    expect(failuresOf(await produce('second', ['a']))).toEqual([])
    expect(now() - startMs).toBeLessThan(150)
  })

  it('come back after a crash: out of the in-sync set, cut to what the leader has, caught up, in sync', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(20))
    cluster.endBroker(1, 'powerLoss')
    await produce('orders', numbers(20, 20))
    await cluster.startBroker(1)
    await untilInSync('orders', 3)
    for (const id of [2, 3]) cluster.endBroker(id, 'kill')
    await cluster.startBroker(2)
    await untilInSync('orders', 2)
    expect(failuresOf(await produce('orders', numbers(5, 40)))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(45))
  })

  it('catch up from an empty folder', async () => {
    await startAll()
    await createTopic('orders', { 'min.insync.replicas': '2', 'segment.bytes': '1048576' })
    await produce('orders', numbers(500))
    cluster.endBroker(3, 'kill')
    await cluster.run(cluster.env('broker 3').disk.removeTree('/data'))
    await cluster.startBroker(3)
    await untilInSync('orders', 3)
    await cluster.run(cluster.brokers.get(1)!.stop())
    cluster.endBroker(1, 'kill')
    await cluster.run(cluster.brokers.get(2)!.stop())
    cluster.endBroker(2, 'kill')
    await untilLedBy('orders', 3)
    const last = await cluster.run(client.admin.listOffsets([{ topic: 'orders', partition: 0, spec: 'earliest' }]))
    expect(last[0]!.error).toBeNull()
    await cluster.startBroker(2)
    expect(failuresOf(await produce('orders', ['after']))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual([...numbers(500), 'after'])
  })

  it('are cut back to what a new leader has, and lose what nobody acknowledged', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(10))
    for (const id of [2, 3]) cluster.endBroker(id, 'kill')
    await untilInSync('orders', 1)
    expect(failuresOf(await produce('orders', ['alone'], { acks: 1, idempotent: false }))).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(10))
    const [refused] = failuresOf(await produce('orders', ['refused'], { acks: 'all', deliveryTimeoutMs: 1_500 }))
    expect(refused!.message).toMatch(/NOT_ENOUGH_REPLICAS/)
    await cluster.startBroker(2)
    await cluster.startBroker(3)
    await untilInSync('orders', 3)
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual([...numbers(10), 'alone'])
  })

  it('that only lost their process lead before one that lost power, whichever comes back last', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(50))
    for (const id of BROKERS) cluster.endBroker(id, id === 2 ? 'powerLoss' : 'kill')
    for (const id of [1, 3]) await cluster.openBroker(id)
    await cluster.advance(2_000)
    await cluster.startBroker(2)
    await untilInSync('orders', 3)
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(50))
  })

  it('that ended before they heard their new epoch still lead before one that lost power', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(50))
    for (const id of BROKERS) cluster.endBroker(id, id === 1 ? 'powerLoss' : 'kill')
    for (const id of [2, 3]) {
      cluster.world.network.delay('controller 1001', `broker ${id}`, 500)
      await cluster.openBroker(id)
      await untilRegistered(id, 2)
      cluster.endBroker(id, 'kill')
      cluster.world.network.delay('controller 1001', `broker ${id}`, 0)
    }
    for (const id of BROKERS) await cluster.startBroker(id)
    expect((await partitionOf('orders')).leader).toBe(3)
    await untilInSync('orders', 3)
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(50))
  })

  it('stay where they are on a broker that is stopped before any controller has answered it', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(20))
    cluster.endController(1001, 'kill')
    cluster.endBroker(3, 'kill')
    const broker = await cluster.openBroker(3)
    await cluster.advance(500)
    await cluster.run(broker.stop())
    cluster.endBroker(3, 'kill')
    const folders = await cluster.run(cluster.env('broker 3').disk.list('/data'))
    expect(folders?.filter((name) => name.startsWith('orders'))).toEqual(['orders-0'])
  })

  it('follow the log start of their leader', async () => {
    await startAll()
    await createTopic('orders')
    for (let batch = 0; batch < 5; batch++) await produce('orders', numbers(10, batch * 10))
    const startMs = now()
    const [deleted] = await cluster.run(client.admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 25 }]))
    expect(deleted).toMatchObject({ error: null, logStartOffset: 25 })
    // Well before the followers' next long poll.
    expect(now() - startMs).toBeLessThan(200)
    cluster.endBroker(1, 'kill')
    await untilLedBy('orders', 2)
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(25, 25))
  })

  it.each(['leader', 'follower'] as const)('that are moved are copied no faster than the rate of the %s', async (side) => {
    await startAll({ diskLatencyMsMax: 0, networkLatencyMsMax: 0 })
    const [created] = await cluster.run(client.admin.createTopics([{ name: 'moved', assignments: [[1]] }]))
    expect(created!.error).toBeNull()
    for (let batch = 0; batch < 5; batch++) await produce('moved', ['x'.repeat(900_000)])
    const set = (name: string, value: string) => ({ name: `${side}.replication.throttled.${name}`, operation: 'set', value }) as const
    await cluster.run(
      client.admin.incrementalAlterConfigs([
        { type: 'broker', name: '', changes: [set('rate', '500000')] },
        { type: 'topic', name: 'moved', changes: [set('replicas', '*')] },
      ]),
    )
    const topics = [{ name: 'moved', partitions: [{ partitionIndex: 0, replicas: [1, 3] }] }]
    const startMs = now()
    await cluster.run(client.request(1, alterPartitionReassignments, { timeoutMs: 5_000, topics }))
    await untilInSync('moved', 2)
    // Five answers of 900,000 bytes; of the first four, all but the burst of one second is waited for.
    const copiedMs = now() - startMs
    expect(copiedMs).toBeGreaterThan(6_000)
    expect(copiedMs).toBeLessThan(9_000)
  })

  it('are waited for with a deletion while they are alive, and no longer than the request allows', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(10))
    for (const [from, to] of [
      ['broker 1', 'broker 3'],
      ['broker 3', 'broker 1'],
    ] as const)
      cluster.world.network.cut(from, to)
    const remove = async (offset: number) => {
      const request = { topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset }] }], timeoutMs: 1_000 }
      return (await cluster.run(client.request(1, deleteRecords, request))).topics[0]!.partitions[0]!
    }
    expect(await remove(4)).toMatchObject({ errorCode: ErrorCode.REQUEST_TIMED_OUT })
    cluster.endBroker(3, 'kill')
    await cluster.advance(12_000)
    expect(await remove(5)).toMatchObject({ errorCode: ErrorCode.NONE, lowWatermark: 5 })
  })

  it('begin where the leader begins, even within a batch', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(10))
    await cluster.run(client.admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 4 }]))
    cluster.endBroker(3, 'kill')
    await cluster.run(cluster.env('broker 3').disk.removeTree('/data'))
    await cluster.startBroker(3)
    await untilInSync('orders', 3)
    await cluster.advance(1_000)
    for (const id of [1, 2]) {
      await cluster.run(cluster.brokers.get(id)!.stop())
      cluster.endBroker(id, 'kill')
    }
    await untilLedBy('orders', 3)
    expect((await cluster.run(client.admin.listOffsets([{ topic: 'orders', partition: 0, spec: 'earliest' }])))[0]!.offset).toBe(4)
  })

  it('leave the in-sync set when they lag, and acks=all goes on without them', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(5))
    cluster.world.network.cut('broker 1', 'broker 3')
    cluster.world.network.cut('broker 3', 'broker 1')
    expect(failuresOf(await produce('orders', ['slow'], { deliveryTimeoutMs: 90_000, requestTimeoutMs: 60_000 }))).toEqual([])
    await untilInSync('orders', 2)
    expect((await partitionOf('orders')).isr.toSorted()).toEqual([1, 2])
  })

  it('are led by another one within seconds of a disk failing, with nothing acknowledged lost, and are whole after a restart', async () => {
    await startAll()
    await createTopic('orders')
    await createTopic('others')
    expect(failuresOf(await produce('orders', numbers(20)))).toEqual([])
    cluster
      .env('broker 1')
      .diskControl.failNext({ operations: ['write'], code: 'EIO', count: 1, path: (path) => path.includes('/orders-0/') })
    const startMs = now()
    expect(failuresOf(await produce('orders', numbers(20, 20)))).toEqual([])
    expect(now() - startMs).toBeLessThan(2_000)
    expect(await partitionOf('orders')).toMatchObject({ leader: 2, isr: [2, 3], offlineReplicas: [1] })
    // A disk that failed once is trusted with nothing it holds.
    expect(await partitionOf('others')).toMatchObject({ leader: 2, isr: [2, 3], offlineReplicas: [1] })
    await cluster.run(cluster.brokers.get(1)!.stop())
    cluster.endBroker(1, 'kill')
    await cluster.startBroker(1)
    await untilInSync('orders', 3)
    for (const id of [2, 3]) cluster.endBroker(id, 'kill')
    await untilLedBy('orders', 1)
    await cluster.startBroker(2)
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(40))
  })

  it('whose disk fails on the follower leave the in-sync set at once', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(5))
    cluster
      .env('broker 3')
      .diskControl.failNext({ operations: ['write'], code: 'EIO', count: 1, path: (path) => path.includes('/orders-0/') })
    const startMs = now()
    expect(failuresOf(await produce('orders', ['on two']))).toEqual([])
    await untilInSync('orders', 2)
    expect(now() - startMs).toBeLessThan(2_000)
  })

  it('are handed over by a broker that stops, without a failed write', async () => {
    await startAll()
    await createTopic('orders')
    await produce('orders', numbers(5))
    const producer = client.producer({ deliveryTimeoutMs: 20_000 })
    const writing = producer.sendAll(numbers(50, 5).map((value) => ({ topic: 'orders', partition: 0, value })))
    const [results] = await cluster.run(Promise.all([writing, cluster.brokers.get(1)!.stop()]))
    expect(failuresOf(results)).toEqual([])
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(55))
  })

  it('keep an idempotent producer going through every change of leader', async () => {
    await startAll()
    await createTopic('orders')
    const producer = client.producer({ idempotent: true, deliveryTimeoutMs: 60_000 })
    const sent: Promise<unknown>[] = []
    for (let round = 0; round < 3; round++) {
      for (const value of numbers(20, round * 20)) sent.push(producer.send({ topic: 'orders', partition: 0, value }))
      const leader = (await partitionOf('orders')).leader!
      cluster.endBroker(leader, 'kill')
      await cluster.run(Promise.all(sent))
      await cluster.startBroker(leader)
      await untilInSync('orders', 3)
    }
    expect(await cluster.valuesOf(client, 'orders', 0)).toEqual(numbers(60))
  })
})
