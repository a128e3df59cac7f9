/**
 * Weir and Apache Kafka under the same loads of the same client, in one run and in turns, so that what disturbs one disturbs
 * the other. What counts is the ratio.
 */
import { KAFKA_VERSION, apacheKafka } from '../support/apache-kafka.ts'
import { startWeir } from '../support/weir-process.ts'
import { openCluster, type BenchTarget } from './cluster.ts'
import { leaderKills, leaderTopic, ownWriters } from './failover.ts'
import { median, percentile, type Chapter, type Figure } from './figure.ts'
import { startKafka, type KafkaCluster, type KafkaJars } from './kafka-cluster.ts'
import { latencies } from './latency.ts'
import { nodeMegabytes } from './memory.ts'
import { recordsPerSecond, type ProduceLoad } from './produce.ts'

const BATCHES = [1, 100, 1000]
const WARM_UP_MS = 4_000
const FASTER = { relation: '>', value: 1 } as const

interface Pair {
  readonly weir: BenchTarget
  readonly kafka: KafkaCluster
}

export async function* peerChapters(quick: boolean): AsyncGenerator<Chapter> {
  const jars = apacheKafka()
  const title = `Beside Apache Kafka ${KAFKA_VERSION}`
  if ('missing' in jars) {
    yield { title, figures: [], notes: [`Skipped: ${jars.missing}.`] }
    return
  }
  const { weirMs, kafkaMs } = await startTimes(jars, quick ? 1 : 2)
  await using weir = await openCluster(['--ephemeral', '--restart', 'on-failure'])
  await using kafka = await startKafka(jars)
  const pair = { weir, kafka }
  yield { title: `${title}: start and memory`, figures: [...starts(weirMs, [...kafkaMs, kafka.readyMs]), ...memory(pair)] }
  yield {
    title: `${title}: produce, acks=all, 1 KiB, three replicas`,
    figures: await throughput(pair, quick ? 1 : 3, quick ? 1_000 : 2_000),
  }
  yield {
    title: `${title}: latency at 1000 records/s of 1 KiB, acks=all`,
    figures: await latency(pair, quick ? 1 : 2, quick ? 3 : 8),
    notes: [LATENCY_NOTE],
  }
  yield { title: `${title}: failover`, figures: await failover(pair, quick ? 1 : 2), notes: [FAILOVER_NOTE] }
}

const LATENCY_NOTE =
  'One producer, one connection to each broker: Kafka begins with a request once it has answered the one before, so that some wait.'
const FAILOVER_NOTE =
  'SIGKILL of a leader, to the next acknowledged write. Kafka notices by the broker session of 9 s, its default; Weir sees the process end.'

/** One fewer of Kafka than of Weir: the last one goes on running, and its time is added by whoever starts it. */
async function startTimes(jars: KafkaJars, rounds: number): Promise<{ weirMs: readonly number[]; kafkaMs: readonly number[] }> {
  const [weirMs, kafkaMs]: [number[], number[]] = [[], []]
  for (let round = 1; round <= rounds; round++) {
    const weir = await startWeir(['--ephemeral'])
    weirMs.push(weir.readyMs)
    await weir.stop()
    if (round === rounds) break
    await using kafka = await startKafka(jars)
    kafkaMs.push(kafka.readyMs)
  }
  return { weirMs, kafkaMs }
}

function starts(weirMs: readonly number[], kafkaMs: readonly number[]): Figure[] {
  const [own, peer] = [median(weirMs), median(kafkaMs)]
  return [
    { name: 'ready, Weir, on an empty folder', value: own, unit: 'ms' },
    { name: 'ready, Kafka, on folders formatted before', value: peer, unit: 'ms' },
    { name: 'ready, Kafka / Weir', value: peer / own, unit: 'times', budget: FASTER },
  ]
}

function memory({ weir, kafka }: Pair): Figure[] {
  const [own, peer] = [nodeMegabytes(weir), nodeMegabytes(kafka)]
  return [
    { name: 'idle, six processes (PSS), Weir', value: own, unit: 'MB' },
    { name: 'idle, six processes (PSS), Kafka with 1 GiB of heap each', value: peer, unit: 'MB' },
    { name: 'idle, Kafka / Weir', value: peer / own, unit: 'times', budget: FASTER },
  ]
}

/** Kafka takes the next request of a connection once it has answered the one before, so each has one of its own. */
function loadOf(batchRecords: number): ProduceLoad {
  return { acks: -1, recordBytes: 1024, batchRecords, hasOwnConnections: true }
}

async function throughput({ weir, kafka }: Pair, rounds: number, roundMs: number): Promise<Figure[]> {
  const figures: Figure[] = []
  // A JVM just started interprets; neither is to be measured cold.
  for (const target of [weir, kafka]) {
    for (const batchRecords of [1, 100]) await recordsPerSecond(target, loadOf(batchRecords), WARM_UP_MS)
  }
  for (const batchRecords of BATCHES) {
    const load = loadOf(batchRecords)
    const [own, peer]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      own.push(await recordsPerSecond(weir, load, roundMs))
      peer.push(await recordsPerSecond(kafka, load, roundMs))
    }
    figures.push(
      { name: `batches of ${batchRecords}, Weir`, value: median(own) / 1000, unit: 'k records/s' },
      { name: `batches of ${batchRecords}, Kafka`, value: median(peer) / 1000, unit: 'k records/s' },
      { name: `batches of ${batchRecords}, Weir / Kafka`, value: ratio(own, peer), unit: 'times', budget: FASTER },
    )
  }
  return figures
}

async function latency({ weir, kafka }: Pair, rounds: number, seconds: number): Promise<Figure[]> {
  const [own, peer]: [number[][], number[][]] = [[], []]
  // The first of each warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [target, into] of [
      [weir, own],
      [kafka, peer],
    ] as const) {
      const { arrivedMs } = await latencies(target, `latency-${round}`, round === 0 ? 3 : seconds)
      if (round > 0) into.push([...arrivedMs])
    }
  }
  return [0.5, 0.99].flatMap((share) => {
    const [ownMs, peerMs] = [own.map((values) => percentile(values, share)), peer.map((values) => percentile(values, share))]
    const name = `end to end, p${share * 100}`
    return [
      { name: `${name}, Weir`, value: median(ownMs), unit: 'ms' },
      { name: `${name}, Kafka`, value: median(peerMs), unit: 'ms' },
      { name: `${name}, Kafka / Weir`, value: ratio(peerMs, ownMs), unit: 'times', budget: FASTER },
    ]
  })
}

async function failover({ weir, kafka }: Pair, rounds: number): Promise<Figure[]> {
  const medians: number[] = []
  for (const target of [weir, kafka]) {
    await leaderTopic(target)
    const writers = await ownWriters(target)
    medians.push(median(await leaderKills(target, writers, rounds)))
    await writers.stop()
  }
  const [own, peer] = medians as [number, number]
  return [
    { name: `Weir, median of ${rounds}`, value: own, unit: 'ms' },
    { name: `Kafka, median of ${rounds}`, value: peer, unit: 'ms' },
    { name: 'Kafka / Weir', value: peer / own, unit: 'times', budget: FASTER },
  ]
}

/** Of what was measured in turns. */
function ratio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((value, round) => value / (under[round] ?? Number.NaN)))
}
