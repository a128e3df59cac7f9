import { setTimeout as pause } from 'node:timers/promises'
import type { BenchTarget } from './cluster.ts'
import { percentile, type Chapter, type Figure } from './figure.ts'

const PER_SECOND = 1_000
const PARTITION_COUNT = 3
const RECORD_BYTES = 1024
const TICK_MS = 5
/** What runs often is compiled by then, beside the load, on the same cores. */
const WARM_UP_SECONDS = 10
/** Sent ahead of the load; shorter than what is measured. */
const FIRST_RECORD_BYTES = 1
const P99_BUDGET = { relation: '<', value: 5 } as const

export interface Latencies {
  /** From `send` until acknowledged. */
  readonly acknowledgedMs: readonly number[]
  /** From `send` until a reader has the record. */
  readonly arrivedMs: readonly number[]
}

/** At 1,000 records a second of 1 KiB with acks=all. */
export async function latencyChapter(target: BenchTarget, seconds: number): Promise<Chapter> {
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, seconds)
  const fresh = await latencies(target, 'latency-before', warmUpSeconds)
  const { acknowledgedMs, arrivedMs } = await latencies(target, 'latency', seconds)
  return {
    title: `Latency at ${PER_SECOND} records/s of 1 KiB, acks=all`,
    figures: [
      ...rows('acknowledged', acknowledgedMs),
      ...rows('end to end', arrivedMs, P99_BUDGET),
      { name: `end to end, p99, in the first ${warmUpSeconds} s of a cluster`, value: percentile(fresh.arrivedMs, 0.99), unit: 'ms' },
    ],
  }
}

/** `topic` is made for it, and has taken a record in each partition before: what a new topic costs is not the latency of a load. */
export async function latencies({ client, createTopic }: BenchTarget, topic: string, seconds: number): Promise<Latencies> {
  await createTopic(topic, PARTITION_COUNT)
  const partitions = Array.from({ length: PARTITION_COUNT }, (_, partition) => partition)
  const total = PER_SECOND * seconds
  const acknowledged = new Samples(total)
  const arrived = new Samples(total)
  const reader = client.reader({
    partitions: partitions.map((partition) => ({ topic, partition, from: 'earliest' as const })),
    maxWaitMs: 500,
  })
  const reading = (async () => {
    for await (const chunk of reader) {
      const nowMs = performance.now()
      for (const { value } of chunk) if (value?.length === RECORD_BYTES) arrived.add(nowMs - value.readDoubleBE(0))
      if (arrived.count >= total) return
    }
  })()
  const producer = client.producer({ acks: 'all' })
  await Promise.all(partitions.map((partition) => producer.send({ topic, partition, value: Buffer.alloc(FIRST_RECORD_BYTES) })))
  const startMs = performance.now()
  let sent = 0
  let problem: unknown = null
  const sendOne = async (partition: number): Promise<void> => {
    const value = Buffer.alloc(RECORD_BYTES)
    const sentMs = performance.now()
    value.writeDoubleBE(sentMs, 0)
    await producer.send({ topic, partition, value })
    acknowledged.add(performance.now() - sentMs)
  }
  while (sent < total && problem === null) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * PER_SECOND))
    for (; sent < due; sent++) sendOne(sent % PARTITION_COUNT).catch((error: unknown) => (problem = error))
    await pause(TICK_MS)
  }
  await producer.flush()
  if (problem !== null) throw problem
  await reading
  await reader.close()
  await producer.close()
  return { acknowledgedMs: acknowledged.values(), arrivedMs: arrived.values() }
}

/** Kept outside the heap: what the bench itself leaves to be collected would be measured with the rest. */
class Samples {
  readonly #values: Float64Array
  count = 0

  constructor(countMax: number) {
    this.#values = new Float64Array(countMax)
  }

  add(value: number): void {
    this.#values[this.count++] = value
  }

  values(): number[] {
    return [...this.#values.subarray(0, this.count)]
  }
}

function rows(what: string, values: readonly number[], p99Budget?: Figure['budget']): Figure[] {
  return [0.5, 0.95, 0.99, 0.999].map((share) => ({
    name: `${what}, p${share * 100}`,
    value: percentile(values, share),
    unit: 'ms',
    ...(share === 0.99 && p99Budget ? { budget: p99Budget } : {}),
  }))
}
