import type { BenchTarget } from './cluster.ts'
import { median, type Chapter, type Figure } from './figure.ts'
import { lasting, runLoad } from './load.ts'
import { runUnansweredLoad } from './unanswered-load.ts'

const PARTITION_COUNT = 6
const INFLIGHT = 8
const SIZES = [100, 1024]
const BATCHES = [1, 100, 1000]
const ACKS = [0, 1, -1] as const
/** Little is kept: what is measured is the taking in, on a disk that need not hold it all. */
const SMALL_LOGS = { 'retention.bytes': '67108864', 'segment.bytes': '16777216' }

export interface ProduceLoad {
  readonly acks: 0 | 1 | -1
  readonly recordBytes: number
  readonly batchRecords: number
  /** @default the cluster's own, 3 */
  readonly replicationFactor?: number
  readonly hasOwnConnections?: boolean
}

/** Produce throughput: acks by record size by batch, over six partitions on three brokers, replicated three times. */
export async function produceChapter(target: BenchTarget, roundMs: number): Promise<Chapter> {
  const figures: Figure[] = []
  for (const acks of ACKS) {
    for (const recordBytes of SIZES) {
      for (const batchRecords of BATCHES) {
        const perSecond = await recordsPerSecond(target, { acks, recordBytes, batchRecords }, roundMs)
        const name = `acks=${acks === -1 ? 'all' : acks}, ${recordBytes} B, batches of ${batchRecords}`
        figures.push({ name, value: perSecond / 1000, unit: 'k records/s' })
        figures.push({ name: '  the same in bytes', value: (perSecond * recordBytes) / 1e6, unit: 'MB/s' })
      }
    }
  }
  const notes = ['With acks=0 nothing is answered: the time runs until a last write behind them all, with acks=1, has been.']
  return { title: 'Produce throughput', figures, notes }
}

/** What replication costs: the same load acknowledged by every replica of three, and by the only one there is; interleaved. */
export async function replicationChapter(target: BenchTarget, roundMs: number): Promise<Chapter> {
  const figures: Figure[] = []
  for (const batchRecords of BATCHES) {
    const [all, one]: [number[], number[]] = [[], []]
    for (let round = 0; round < 3; round++) {
      all.push(await recordsPerSecond(target, { acks: -1, recordBytes: 1024, batchRecords }, roundMs))
      one.push(await recordsPerSecond(target, { acks: 1, recordBytes: 1024, batchRecords, replicationFactor: 1 }, roundMs))
    }
    const name = `1 KiB, batches of ${batchRecords}`
    figures.push({ name: `${name}: acks=all, three replicas`, value: median(all) / 1000, unit: 'k records/s' })
    figures.push({ name: `${name}: acks=1, one replica`, value: median(one) / 1000, unit: 'k records/s' })
    figures.push({ name: `${name}: ratio`, value: median(all.map((value, round) => value / (one[round] ?? Number.NaN))), unit: 'times' })
  }
  return { title: 'What three replicas cost', figures }
}

/** On a topic of its own, deleted afterwards; after a first round that is not counted. */
export async function recordsPerSecond(target: BenchTarget, wanted: ProduceLoad, roundMs: number): Promise<number> {
  const { client } = target
  const { acks, recordBytes, batchRecords, replicationFactor, hasOwnConnections = false } = wanted
  const topic = `produce-${acks}-${recordBytes}-${batchRecords}-${topicCount++}`
  const [created] = await client.admin.createTopics([
    { name: topic, partitionCount: PARTITION_COUNT, replicationFactor, configs: SMALL_LOGS },
  ])
  if (created?.error) throw created.error
  const load = { topic, partitionCount: PARTITION_COUNT, acks, recordBytes, batchRecords, inflight: INFLIGHT, hasOwnConnections }
  // Acknowledged, so that every leader is known to be there: acks=0 would not say.
  await runLoad(client, { ...load, acks: acks === 0 ? 1 : acks }, (records) => records >= batchRecords * PARTITION_COUNT * INFLIGHT)
  const { records, seconds } = acks === 0 ? await runUnansweredLoad(client, load, roundMs) : await runLoad(client, load, lasting(roundMs))
  await client.admin.deleteTopics([topic])
  return records / seconds
}

let topicCount = 0
