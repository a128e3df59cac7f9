import { beforeEach, describe, expect, it } from 'vitest'
import { fetch } from '../../../broker/api/01-fetch.schema.ts'
import { listOffsets } from '../../../broker/api/02-list-offsets.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import type { ConsumedRecord, KafkaClient, ReaderOptions, RecordReader } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'
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
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers })
})

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const fill = (partition: number, values: readonly string[], perBatch = 2): void => {
  for (let at = 0; at < values.length; at += perBatch) {
    const records = values
      .slice(at, at + perBatch)
      .map((value, index) => ({ timestampMs: 1000 * (at + index), key: null, value: Buffer.from(value) }))
    cluster.append('t', partition, encodeBatch({ records }))
  }
}
const wanted = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const from = (partition: number, position: ReaderOptions['partitions'][number]['from'], upTo?: number | 'end') => ({
  topic: 't',
  partition,
  from: position,
  ...(upTo !== undefined && { upTo }),
})

async function readAll(reader: RecordReader): Promise<string[]> {
  const found: string[] = []
  await run(
    (async () => {
      for await (const chunk of reader) {
        if (chunk.error !== null) throw chunk.error
        for (const { value } of chunk) found.push(String(value))
      }
    })(),
  )
  return found
}

/** The records of the next read that brings any; a fetch under way may have to come back first. */
async function nextOf(reader: RecordReader): Promise<ConsumedRecord[]> {
  for (;;) {
    const records = ((await run(reader.read())) ?? []).flatMap((chunk) => [...chunk])
    if (records.length > 0) return records
  }
}

describe('a reader', () => {
  it('reads every partition from its start to what was the end, and is then done', async () => {
    for (const partition of [0, 1, 2]) fill(partition, wanted(7, `${partition}/`))
    const found = await readAll(client.reader({ partitions: [0, 1, 2].map((partition) => from(partition, 'earliest', 'end')) }))
    for (const partition of [0, 1, 2])
      expect(found.filter((value) => value.startsWith(`${partition}/`))).toEqual(wanted(7, `${partition}/`))
    expect(found).toHaveLength(21)
  })

  it('goes on over many fetches when one brings only part', async () => {
    fill(0, wanted(100))
    expect(await readAll(client.reader({ partitions: [from(0, 'earliest', 'end')], partitionBytesMax: 200 }))).toEqual(wanted(100))
    expect(cluster.broker(1).requestsOf(fetch).length).toBeGreaterThan(10)
  })

  it.each([
    [{ offset: 3 }, ['3', '4', '5', '6']],
    [{ timestampMs: 4500 }, ['5', '6']],
    [{ timestampMs: 99_999 }, []],
    [{ tail: 2 }, ['5', '6']],
    [{ tail: 100 }, wanted(7)],
    ['latest' as const, []],
  ])('begins at %j', async (position, values) => {
    fill(0, wanted(7))
    expect(await readAll(client.reader({ partitions: [from(0, position, 'end')] }))).toEqual(values)
  })

  it('ends before the offset it was given, in the middle of a batch', async () => {
    fill(0, wanted(7), 4)
    expect(await readAll(client.reader({ partitions: [from(0, { offset: 1 }, 3)] }))).toEqual(['1', '2'])
  })

  it('is done at once where there is nothing', async () => {
    expect(await readAll(client.reader({ partitions: [from(0, 'earliest', 'end')] }))).toEqual([])
  })

  it('yields an empty list after maxWaitMs without news, and news when they come', async () => {
    const reader = client.reader({ partitions: [from(0, 'latest')], maxWaitMs: 100 })
    expect(await run(reader.read())).toEqual([])
    fill(0, ['news'])
    const [chunk] = (await run(reader.read())) ?? []
    expect([...(chunk ?? [])].map(({ value }) => String(value))).toEqual(['news'])
  })

  it('follows a leader that moves', async () => {
    fill(0, wanted(4))
    const reader = client.reader({ partitions: [from(0, 'earliest')], partitionBytesMax: 100, maxWaitMs: 50 })
    await run(reader.read())
    cluster.moveLeader('t', 0, 2)
    const found: string[] = []
    for (let round = 0; round < 10; round++)
      for (const chunk of (await run(reader.read())) ?? []) for (const { value } of chunk) found.push(String(value))
    expect(found.slice(-2)).toEqual(['2', '3'])
  })

  it('is not held up by a leader that does not answer', async () => {
    fill(0, wanted(4))
    fill(1, wanted(4, 'one/'))
    cluster.broker(1).on(fetch, () => new Promise(() => undefined))
    const reader = client.reader({ partitions: [from(0, 'earliest'), from(1, 'earliest')], maxWaitMs: 50 })
    const found: string[] = []
    for (let round = 0; round < 3; round++)
      for (const chunk of (await run(reader.read())) ?? []) for (const { value } of chunk) found.push(String(value))
    expect(found).toEqual(wanted(4, 'one/'))
    expect(env.clock.monotonicMs()).toBeLessThan(1000)
  })

  it('is not held up by a leader that does not say where its partition begins', async () => {
    fill(1, wanted(2))
    cluster.broker(1).on(listOffsets, () => new Promise(() => undefined))
    const reader = client.reader({ partitions: [from(0, 'earliest'), from(1, 'earliest')], maxWaitMs: 50 })
    const [chunk] = (await run(reader.read())) ?? []
    expect(chunk?.partition).toBe(1)
  })

  it.each([
    ['earliest' as const, wanted(7).slice(2)],
    ['latest' as const, []],
  ])('that stands where nothing is any more goes to the %s', async (onOutOfRange, values) => {
    fill(0, wanted(7), 1)
    cluster.partition('t', 0).logStartOffset = 2
    cluster.partition('t', 0).batches.splice(0, 2)
    const reader = client.reader({ partitions: [from(0, { offset: 0 }, 7)], onOutOfRange, maxWaitMs: 10 })
    expect(await readAll(reader)).toEqual(values)
  })

  it('says so in the chunk when it is told to fail there', async () => {
    const reader = client.reader({ partitions: [from(0, { offset: 99 }, 200)], onOutOfRange: 'fail' })
    const [chunk] = (await run(reader.read())) ?? []
    expect(chunk?.error?.kafkaErrorName).toBe('OFFSET_OUT_OF_RANGE')
    expect(await run(reader.read())).toBeNull()
  })

  it('asks a leader in the epoch it is known to lead in', async () => {
    cluster.moveLeader('t', 0, 2)
    fill(0, wanted(1))
    await readAll(client.reader({ partitions: [from(0, 'earliest', 'end')] }))
    const asked = cluster.broker(2).requestsOf(fetch)
    expect(asked.map(({ body }) => body.topics[0]?.partitions[0]?.currentLeaderEpoch)).toEqual([1])
  })

  it('does not take a leader at its word that was replaced before the position was written', async () => {
    fill(0, wanted(3))
    const partitions = [from(0, { offset: 5, leaderEpoch: 1 })]
    const reader = client.reader({ partitions, onOutOfRange: 'earliest', maxWaitMs: 20 })
    for (let round = 0; round < 5; round++) expect((await run(reader.read()))?.flatMap((chunk) => [...chunk])).toEqual([])
    fill(0, ['3', '4', '5'], 1)
    cluster.moveLeader('t', 0, 2)
    expect((await nextOf(reader)).map(({ value }) => String(value))).toEqual(['5'])
  })

  it('believes the leader of a topic that was made anew, whose epochs begin again', async () => {
    cluster.moveLeader('t', 0, 2)
    const records = wanted(3).map((value) => ({ timestampMs: 1, key: null, value: Buffer.from(value) }))
    cluster.append('t', 0, encodeBatch({ records, partitionLeaderEpoch: 1 }))
    const reader = client.reader({ partitions: [from(0, 'earliest')], maxWaitMs: 20 })
    expect(await nextOf(reader)).toHaveLength(3)
    cluster.topics.delete('t')
    cluster.addTopic('other', 1)
    cluster.addTopic('t', 3)
    fill(0, ['new'])
    expect((await nextOf(reader)).map(({ value }) => String(value))).toEqual(['new'])
  })

  it('goes where it is sent, and leaves out what is paused', async () => {
    fill(0, wanted(6))
    fill(1, wanted(6, 'one/'))
    const reader = client.reader({ partitions: [from(0, 'earliest'), from(1, 'earliest')], maxWaitMs: 20 })
    reader.pause([{ topic: 't', partition: 1 }])
    expect((await run(reader.read()))?.map(({ partition }) => partition)).toEqual([0])
    reader.seek({ topic: 't', partition: 0 }, { offset: 4 })
    const again = await nextOf(reader)
    expect(again.map(({ value }) => String(value))).toEqual(['4', '5'])
    reader.resume([{ topic: 't', partition: 1 }])
    const other = await nextOf(reader)
    expect(other.map(({ value }) => String(value))).toEqual(wanted(6, 'one/'))
  })

  it('asks by topic name where the broker has no ids', async () => {
    fill(0, wanted(2))
    cluster.broker(1).on(
      fetch,
      ({ body }) => {
        expect(body.topics[0]?.topic).toBe('t')
        return { throttleTimeMs: 0, responses: [] }
      },
      { min: 4, max: 12 },
    )
    await run(client.fetchBatches({ partitions: [{ topic: 't', partition: 0, fetchOffset: 0 }] }))
    expect(cluster.broker(1).requestsOf(fetch)[0]?.version).toBe(12)
  })

  it('ends a pending read when it is closed, or the client is', async () => {
    const reader = client.reader({ partitions: [from(0, 'latest')], maxWaitMs: 60_000 })
    const failure = reader.read().catch((error: Error) => error.message)
    env.timers.after(10, () => void client.close())
    expect(await run(failure)).toMatch(/closed/)
  })
})

describe('raw fetches', () => {
  it('bring batches as stored, one answer per partition, errors among them', async () => {
    fill(0, wanted(2))
    const [first, second, third] = await run(
      client.fetchBatches({
        partitions: [
          { topic: 't', partition: 0, fetchOffset: 0 },
          { topic: 't', partition: 1, fetchOffset: 50 },
          { topic: 't', partition: 9, fetchOffset: 0 },
        ],
      }),
    )
    expect(first?.records.equals(Buffer.concat(cluster.partition('t', 0).batches))).toBe(true)
    expect(second?.error?.kafkaErrorName).toBe('OFFSET_OUT_OF_RANGE')
    expect(third?.error?.kafkaErrorName).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})
