import { setTimeout as pause } from 'node:timers/promises'
import type { BenchCluster } from './cluster.ts'
import { percentile, type Chapter, type Figure } from './figure.ts'

const PER_SECOND = 1_000
const RECORD_BYTES = 1024
const TICK_MS = 5
const TIME_BYTES = 8

/** From `send` until acknowledged, and until a reader has the record, at 1,000 records a second of 1 KiB with acks=all. */
export async function latencyChapter({ client, createTopic }: BenchCluster, seconds: number): Promise<Chapter> {
  const topic = 'latency'
  await createTopic(topic, 3)
  const arrivedMs: number[] = []
  const acknowledgedMs: number[] = []
  const reader = client.reader({
    partitions: [0, 1, 2].map((partition) => ({ topic, partition, from: 'earliest' as const })),
    maxWaitMs: 500,
  })
  const total = PER_SECOND * seconds
  const reading = (async () => {
    for await (const chunk of reader) {
      const nowMs = performance.now()
      for (const { value } of chunk) arrivedMs.push(nowMs - value!.readDoubleBE(0))
      if (arrivedMs.length >= total) return
    }
  })()

  const producer = client.producer({ acks: 'all' })
  const sends: Promise<void>[] = []
  const startMs = performance.now()
  while (sends.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * PER_SECOND))
    while (sends.length < due) sends.push(sendOne())
    await pause(TICK_MS)
  }
  async function sendOne(): Promise<void> {
    const value = Buffer.alloc(RECORD_BYTES)
    const sentMs = performance.now()
    value.writeDoubleBE(sentMs, 0)
    await producer.send({ topic, partition: sends.length % 3, value: value.subarray(0, Math.max(RECORD_BYTES, TIME_BYTES)) })
    acknowledgedMs.push(performance.now() - sentMs)
  }
  await Promise.all(sends)
  await reading
  await reader.close()
  await producer.close()
  // The first second warms caches and connections up.
  const steady = (values: readonly number[]) => values.slice(PER_SECOND)
  return {
    title: `Latency at ${PER_SECOND} records/s of 1 KiB, acks=all`,
    figures: [...rows('acknowledged', steady(acknowledgedMs)), ...rows('end to end', steady(arrivedMs), 5)],
  }
}

function rows(what: string, values: readonly number[], budgetMs?: number): Figure[] {
  return [0.5, 0.95, 0.99, 0.999].map((share) => ({
    name: `${what}, p${share * 100}`,
    value: percentile(values, share),
    unit: 'ms',
    ...(share === 0.99 && budgetMs !== undefined ? { budget: { relation: '<' as const, value: budgetMs } } : {}),
  }))
}
