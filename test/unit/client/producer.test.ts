import { beforeEach, describe, expect, it } from 'vitest'
import { produce } from '../../../broker/api/00-produce.schema.ts'
import { initProducerId } from '../../../broker/api/22-init-producer-id.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import type { ClientError, CompressionName, KafkaClient, ProducerRecord, SendResult } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { readBatchHeader } from '../../../broker/wire/record-batch.ts'
import { FakeCluster } from '../../support/fake-cluster.ts'
import type { FakeRequest } from '../../support/fake-broker.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let cluster: FakeCluster
let client: KafkaClient

const start = async (seed: number | string, networkLatencyMsMax = 0): Promise<void> => {
  world = new SimulatedWorld({ seed, networkLatencyMsMax })
  env = world.start('client')
  cluster = await FakeCluster.start(world, 2)
  cluster.addTopic('t', 3)
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers })
}
beforeEach(() => start(1))

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const valuesOf = (partition: number): string[] => cluster.recordsOf('t', partition).map(({ value }) => String(value))
const numbered = (count: number, rest: Partial<ProducerRecord> = {}): ProducerRecord[] =>
  Array.from({ length: count }, (_, index) => ({ topic: 't', partition: 0, value: `${index}`, ...rest }))
const codesOf = (results: readonly SendResult[]): (string | null)[] =>
  results.map(({ error }) => error?.kafkaErrorName ?? error?.code ?? null)
const producerIdsOf = (partition: number): Set<number> =>
  new Set(cluster.partition('t', partition).batches.map((batch) => readBatchHeader(batch, 0).producerId))
const wanted = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)

type Step = 'ok' | 'lost' | 'hang up' | number | { readonly appendsAndAnswers: number }
/** Answers produce requests of broker 1 as told, in order; then as usual. 'lost' hangs up after the append, 'hang up' without it. */
const scripted = (...script: Step[]): FakeRequest<typeof produce>[] => {
  const broker = cluster.broker(1)
  broker.on(produce, ({ body, connection }) => {
    const step = script.shift() ?? 'ok'
    const responses = body.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index, records }) => {
        if (typeof step === 'number') return { index, errorCode: step, baseOffset: -1 }
        if (step === 'hang up') return { index, errorCode: 0, baseOffset: -1 }
        const appended = cluster.produce(1, cluster.topics.get('t'), index, records as Buffer)
        return typeof step === 'object' ? { index, errorCode: step.appendsAndAnswers, baseOffset: -1 } : { index, ...appended }
      }),
    }))
    if (step === 'lost' || step === 'hang up') connection.close('told to')
    return { responses, throttleTimeMs: 0 }
  })
  return broker.requestsOf(produce)
}

describe('a producer', () => {
  it('acknowledges each record with its place', async () => {
    const [first, second] = await run(client.producer().sendAll(numbered(2, { timestampMs: 1234 })))
    expect(first?.acknowledgement).toEqual({ topic: 't', partition: 0, offset: 0, timestampMs: 1234 })
    expect(second?.acknowledgement?.offset).toBe(1)
  })

  it.each<CompressionName>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'writes what is read back, compressed with %s',
    async (compression) => {
      await run(client.producer({ compression }).sendAll(numbered(100, { key: 'k', headers: [{ key: 'h', value: 'v' }] })))
      expect(valuesOf(0)).toEqual(wanted(100))
      expect(cluster.recordsOf('t', 0)[99]).toMatchObject({ key: Buffer.from('k'), headers: [{ key: 'h', value: Buffer.from('v') }] })
    },
  )

  it('sends records with one key to one partition, and spreads those without', async () => {
    await run(client.producer().sendAll(Array.from({ length: 30 }, (_, index) => ({ topic: 't', key: 'truck_42', value: `${index}` }))))
    expect([0, 1, 2].map((partition) => valuesOf(partition).length).sort()).toEqual([0, 0, 30])
    const producer = client.producer()
    for (let index = 0; index < 60; index++) await run(producer.send({ topic: 't', value: 'x' }))
    for (const partition of [0, 1, 2]) expect(valuesOf(partition).length).toBeGreaterThan(5)
  })

  it('gathers what is sent in one turn into one batch, larger amounts into several', async () => {
    await run(client.producer().sendAll(numbered(50)))
    expect(cluster.partition('t', 0).batches).toHaveLength(1)
    await run(client.producer({ batchBytesMax: 1000 }).sendAll(numbered(50, { value: 'x'.repeat(100) })))
    expect(cluster.partition('t', 0).batches.length).toBeGreaterThanOrEqual(6)
  })

  it('waits for company as long as lingerMs says', async () => {
    const producer = client.producer({ lingerMs: 100 })
    const sends = [producer.send({ topic: 't', partition: 0, value: 'one' })]
    await world.loop.advance(50)
    sends.push(producer.send({ topic: 't', partition: 0, value: 'two' }))
    await run(Promise.all(sends))
    expect(cluster.partition('t', 0).batches).toHaveLength(1)
  })

  it('keeps its memory within the bound; who finds it full waits in line', async () => {
    const producer = client.producer({ bufferBytesMax: 5_000, batchBytesMax: 1_000 })
    let highest = 0
    const sending = producer.sendAll(numbered(200, { value: 'x'.repeat(200) }))
    const watch = (): void => {
      highest = Math.max(highest, producer.stats().bufferedBytes)
      env.timers.after(0.1, watch)
    }
    watch()
    expect(codesOf(await run(sending)).filter((code) => code !== null)).toEqual([])
    expect(highest).toBeLessThanOrEqual(5_000)
    expect(producer.stats().bufferedBytes).toBe(0)
  })

  it('says BUFFER_FULL to who waited in vain', async () => {
    cluster.broker(1).on(produce, () => new Promise(() => undefined))
    const producer = client.producer({ bufferBytesMax: 300, deliveryTimeoutMs: 1000, requestTimeoutMs: 900 })
    expect(codesOf(await run(producer.sendAll(numbered(2, { value: 'x'.repeat(200) }))))).toEqual(['DEADLINE_EXCEEDED', 'BUFFER_FULL'])
  })

  it('refuses a record that is too large, a partition that is not there and a topic that does not come', async () => {
    const producer = client.producer({ recordBytesMax: 1000, deliveryTimeoutMs: 1000 })
    const results = await run(
      producer.sendAll([
        { topic: 't', value: 'x'.repeat(1001) },
        { topic: 't', partition: 3, value: '' },
        { topic: 'missing', value: '' },
      ]),
    )
    expect(codesOf(results)).toEqual(['RECORD_TOO_LARGE', 'INVALID_ARGUMENT', 'UNKNOWN_TOPIC_OR_PARTITION'])
  })

  it('finds partitions that came after it first looked', async () => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: 'before' }))
    cluster.topics.get('t')?.partitions.push({ ...cluster.partition('t', 0), batches: [], nextOffset: 0, producers: new Map() })
    expect((await run(producer.send({ topic: 't', partition: 3, value: 'after' }))).offset).toBe(0)
  })

  it('sends without an answer with acks 0', async () => {
    const producer = client.producer({ acks: 0 })
    expect(codesOf(await run(producer.sendAll(numbered(10))))).toEqual(Array(10).fill(null))
    await world.loop.advance(1)
    expect(valuesOf(0)).toEqual(wanted(10))
    expect(cluster.broker(1).requestsOf(initProducerId)).toHaveLength(0)
  })

  it('flushes what it holds before it closes, and then refuses', async () => {
    const producer = client.producer({ lingerMs: 60_000 })
    const sent = producer.sendAll(numbered(5))
    await run(producer.close())
    expect(codesOf(await run(sent))).toEqual(Array(5).fill(null))
    expect(codesOf(await run(producer.sendAll(numbered(1))))).toEqual(['CLOSED'])
  })

  it('lets a caller stop waiting, by signal or deadline, without losing the record', async () => {
    const producer = client.producer({ lingerMs: 100 })
    const abort = new AbortController()
    const fates = [
      producer.send(numbered(1)[0] as ProducerRecord, { signal: abort.signal }),
      producer.send(numbered(1)[0] as ProducerRecord, { timeoutMs: 10 }),
    ].map((send) =>
      send.then(
        () => null,
        (error: ClientError) => error.code,
      ),
    )
    await world.loop.advance(50)
    abort.abort()
    expect(await run(Promise.all(fates))).toEqual(['CANCELLED', 'DEADLINE_EXCEEDED'])
    await world.loop.advance(100)
    expect(valuesOf(0)).toHaveLength(2)
  })
})

describe('retries', () => {
  it('write a record once, though the answer to its first writing was lost', async () => {
    scripted('lost', 'lost')
    expect(codesOf(await run(client.producer().sendAll(numbered(10))))).toEqual(Array(10).fill(null))
    expect(valuesOf(0)).toEqual(wanted(10))
  })

  it('follow the leader, by the hint of the reply or by metadata', async () => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: '0' }))
    cluster.moveLeader('t', 0, 2)
    expect(await run(producer.send({ topic: 't', partition: 0, value: '1' }))).toMatchObject({ offset: 1 })
    expect(valuesOf(0)).toEqual(['0', '1'])
  })

  it('keep the order of batches that follow one that failed', async () => {
    const producer = client.producer({ batchBytesMax: 300 })
    await run(producer.send({ topic: 't', partition: 0, value: 'x' }))
    scripted(ErrorCode.NOT_ENOUGH_REPLICAS, 'ok', 'ok')
    await run(producer.sendAll(numbered(60)))
    expect(valuesOf(0).slice(1)).toEqual(wanted(60))
  })

  it('end with the delivery timeout, saying what held it up', async () => {
    scripted(...Array<number>(100).fill(ErrorCode.NOT_ENOUGH_REPLICAS))
    const [result] = await run(client.producer({ deliveryTimeoutMs: 1000 }).sendAll(numbered(1)))
    expect(result?.error?.message).toMatch(/NOT_ENOUGH_REPLICAS/)
  })

  it('are not made for what cannot be helped, and those behind go on', async () => {
    const producer = client.producer({ batchBytesMax: 300 })
    await run(producer.send({ topic: 't', partition: 0, value: 'x' }))
    scripted(ErrorCode.INVALID_RECORD)
    const codes = codesOf(await run(producer.sendAll(numbered(60))))
    const refused = codes.filter((code) => code === 'INVALID_RECORD').length
    expect(refused).toBeGreaterThan(0)
    expect(codes.slice(refused)).toEqual(Array(60 - refused).fill(null))
    expect(valuesOf(0).slice(1)).toEqual(wanted(60).slice(refused))
    expect(producerIdsOf(0).size).toBe(1)
  })

  it('split a batch that the broker finds too large', async () => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: 'x' }))
    scripted(ErrorCode.MESSAGE_TOO_LARGE, 'ok', ErrorCode.MESSAGE_TOO_LARGE)
    expect(codesOf(await run(producer.sendAll(numbered(8))))).toEqual(Array(8).fill(null))
    expect(valuesOf(0).slice(1)).toEqual(wanted(8))
    expect(cluster.partition('t', 0).batches).toHaveLength(4)
  })

  it('go on under a new id when the broker has lost track, without writing twice', async () => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: 'first' }))
    scripted(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    await run(producer.send({ topic: 't', partition: 0, value: 'second' }))
    expect(valuesOf(0)).toEqual(['first', 'second'])
    expect(producerIdsOf(0).size).toBe(2)
  })

  it('go on when an id was asked for in vain for a while', async () => {
    let askedCount = 0
    for (const id of [1, 2]) {
      cluster.broker(id).on(initProducerId, () => {
        if (askedCount++ < 2) return new Promise<never>(() => undefined)
        return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: 7, producerEpoch: 0 }
      })
    }
    const sent = client.producer({ requestTimeoutMs: 500, deliveryTimeoutMs: 60_000 }).sendAll(numbered(1))
    await world.loop.advance(10_000)
    expect(codesOf(await run(sent))).toEqual([null])
    expect(valuesOf(0)).toEqual(wanted(1))
  })

  it('fail rather than write twice what may have been written under an id that is lost', async () => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: 'first' }))
    scripted('lost', ErrorCode.UNKNOWN_PRODUCER_ID)
    expect(codesOf(await run(producer.sendAll([{ topic: 't', partition: 0, value: 'second' }])))).toEqual(['PRODUCER_FENCED'])
    await run(producer.send({ topic: 't', partition: 0, value: 'third' }))
    expect(valuesOf(0)).toEqual(['first', 'second', 'third'])
  })

  it.each<Step>([
    'lost',
    { appendsAndAnswers: ErrorCode.NOT_LEADER_OR_FOLLOWER },
    { appendsAndAnswers: ErrorCode.KAFKA_STORAGE_ERROR },
    { appendsAndAnswers: ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND },
  ])('do not reuse the sequence of a batch that was refused when it may have been written before (%j)', async (before) => {
    const producer = client.producer()
    await run(producer.send({ topic: 't', partition: 0, value: 'first' }))
    scripted(before, ErrorCode.INVALID_RECORD)
    const [refused] = await run(producer.sendAll([{ topic: 't', partition: 0, value: 'second' }]))
    expect(refused?.error).toMatchObject({ kafkaErrorName: 'INVALID_RECORD', message: expect.stringContaining('may be in the log') })
    await run(producer.send({ topic: 't', partition: 0, value: 'third' }))
    expect(valuesOf(0)).toEqual(['first', 'second', 'third'])
  })

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'never lose, double or reorder what was acknowledged, through random failures (seed %i)',
    async (seed) => {
      await start(seed, 5)
      const producer = client.producer({ batchBytesMax: 400, lingerMs: seed % 3, deliveryTimeoutMs: 600_000 })
      const random = world.start('chaos').random
      const chaos = (): void => {
        const what = random.below(6)
        if (what === 0) cluster.broker(1 + random.below(2)).cutConnections()
        if (what === 1) cluster.moveLeader('t', random.below(3), 1 + random.below(2))
        if (what === 2) scripted('lost')
        if (what === 3) scripted('hang up', 'hang up')
        if (what === 4) scripted(ErrorCode.NOT_ENOUGH_REPLICAS, 'ok', ErrorCode.NOT_LEADER_OR_FOLLOWER)
        chaosCount++
        if (chaosCount < 60) env.timers.after(random.below(40), chaos)
      }
      let chaosCount = 0
      chaos()
      const sends: Promise<unknown>[] = []
      for (let index = 0; index < 300; index++) {
        sends.push(producer.send({ topic: 't', partition: index % 3, value: `${index}` }))
        if (index % 10 === 0) await world.loop.advance(random.below(20))
      }
      await run(Promise.all(sends))
      for (const partition of [0, 1, 2]) {
        expect(valuesOf(partition)).toEqual(Array.from({ length: 100 }, (_, index) => `${index * 3 + partition}`))
      }
    },
  )
})
