import type { BenchCluster } from './cluster.ts'
import type { Chapter, Figure } from './figure.ts'
import { runLoad } from './load.ts'

const PARTITION_COUNT = 6
const INFLIGHT = 8
const SIZES = [100, 1024]
const BATCHES = [1, 100, 1000]
const ACKS = [1, -1] as const

/** Produce throughput: acks by record size by batch, over six partitions on three brokers. */
export async function produceChapter({ client, createTopic }: BenchCluster, roundMs: number): Promise<Chapter> {
  const figures: Figure[] = []
  for (const acks of ACKS) {
    for (const recordBytes of SIZES) {
      for (const batchRecords of BATCHES) {
        const topic = `produce-${acks}-${recordBytes}-${batchRecords}`
        await createTopic(topic, PARTITION_COUNT, { 'retention.bytes': '67108864', 'segment.bytes': '16777216' })
        const load = { topic, partitionCount: PARTITION_COUNT, acks, recordBytes, batchRecords, inflight: INFLIGHT }
        await runLoad(client, load, (records) => records >= batchRecords * PARTITION_COUNT * INFLIGHT)
        const endMs = performance.now() + roundMs
        const { records, seconds } = await runLoad(client, load, () => performance.now() >= endMs)
        const name = `acks=${acks === -1 ? 'all' : acks}, ${recordBytes} B, batches of ${batchRecords}`
        figures.push({ name, value: records / seconds / 1000, unit: 'k records/s' })
        figures.push({ name: `  the same in bytes`, value: (records * recordBytes) / seconds / 1e6, unit: 'MB/s' })
        await client.admin.deleteTopics([topic])
      }
    }
  }
  return { title: 'Produce throughput', figures }
}
