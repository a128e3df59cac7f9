/**
 * Real processes, replication factor 3, min.insync.replicas 2: nodes are killed, paused and restarted in rotation while
 * kcat and kafkajs write with acks=all and a group reads. At the end every acknowledged record must be there once and in
 * order, and no committed offset may have gone back.
 *
 *   npm run torture -- [--minutes M] [--controllers N]
 *
 * Prints a report; the exit code is 0 when nothing was lost, duplicated, out of order or went back.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import { until } from '../support/until.ts'
import { chaos, healed, type Action } from './torture/chaos.ts'
import { Gaps } from './torture/gaps.ts'
import { startReaders } from './torture/readers.ts'
import { kafkaJsStream, kcatStream, REQUEST_TIMEOUT_MS, type Stream } from './torture/streams.ts'

const PARTITIONS = 3
const STALLED_MS = 2_000
const END_WITHIN_MS = 130_000
const TOPICS = { kcat: 'torture-kcat', kafkajs: 'torture-kafkajs' } as const
const { values: given } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, controllers: { type: 'string' } } })
const minutes = Number(given.minutes)
if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, not ${given.minutes}`)

/** What happened, kept while it happens. */
const counts: Record<Action, number> = { kill: 0, pause: 0, restart: 0, 'long pause': 0 }
const actionsOn = { broker: 0, controller: 0 }
const gaps = new Gaps()

async function startStreams(brokers: string): Promise<Stream[]> {
  const streams: Stream[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const options = { brokers, partition, onAcknowledged: (stream: Stream) => gaps.acknowledged(stream) }
    streams.push(kcatStream({ ...options, topic: TOPICS.kcat }))
    streams.push(await kafkaJsStream({ ...options, topic: TOPICS.kafkajs }))
  }
  return streams
}

async function readNumbers(client: KafkaClient, { topic, partition }: Stream): Promise<number[]> {
  const reader = client.reader({ partitions: [{ topic, partition, from: 'earliest', upTo: 'end' }] })
  const numbers: number[] = []
  for await (const chunk of reader) for (const { value } of chunk) numbers.push(Number(value))
  await reader.close()
  return numbers
}

interface Verdict {
  readonly lost: number
  readonly duplicates: number
  readonly outOfOrder: number
}

async function judge(client: KafkaClient, stream: Stream): Promise<Verdict> {
  const numbers = await readNumbers(client, stream)
  const found = new Set(numbers)
  let lost = 0
  for (let number = 0; number < stream.acknowledged; number++) if (!stream.failed.has(number) && !found.has(number)) lost++
  const outOfOrder = numbers.filter((number, index) => index > 0 && number < numbers[index - 1]!).length
  return { lost, duplicates: numbers.length - found.size, outOfOrder }
}

async function electionsOf(client: KafkaClient): Promise<number> {
  const { topics } = await client.metadata({ topics: 'all', refresh: true })
  return [...topics.values()]
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { leaderEpoch }) => sum + Math.max(0, leaderEpoch ?? 0), 0)
}

async function run(folder: string): Promise<boolean> {
  const env = createRealEnv({ log: { write: () => undefined } })
  const configOverrides = { 'offsets.topic.num.partitions': '6' }
  const controllers = given.controllers === undefined ? {} : { controllers: Number(given.controllers) }
  const cluster = await startCluster(env, { dataDirectory: folder, brokers: 3, port: 0, configOverrides, ...controllers })
  const { bootstrapServers } = cluster
  const client = createClient(env, { bootstrapServers, clientId: 'torture' })
  try {
    for (const name of Object.values(TOPICS)) {
      const [created] = await client.admin.createTopics([{ name, partitionCount: PARTITIONS }])
      if (created?.error != null) throw created.error
    }
    await healed(cluster, client, Object.values(TOPICS))
    const readers = await startReaders(client, bootstrapServers, Object.values(TOPICS))
    const streams = await startStreams(bootstrapServers)
    await until('first acknowledgements', () => streams.every(({ acknowledged }) => acknowledged > 100))
    await chaos({
      cluster,
      client,
      topics: Object.values(TOPICS),
      untilMs: performance.now() + minutes * 60_000,
      onAction(action, nodeId, role) {
        counts[action]++
        actionsOn[role]++
        gaps.began(action, role)
        console.log(`${new Date().toISOString()} ${action} ${role} ${nodeId}; acknowledged ${total(streams)}${stalled(streams)}`)
      },
    })
    console.log(`${new Date().toISOString()} writers end`)
    await Promise.all(streams.map(ended))
    return await report(client, streams, readers)
  } finally {
    await client.close()
    await cluster.shutdown()
  }
}

/** Everything sent is answered within a client's own patience, or the client hangs. */
async function ended(stream: Stream): Promise<void> {
  let isEnded = false
  const ending = stream.end().then(() => (isEnded = true))
  await Promise.race([ending, until(`${stream.name} to end on partition ${stream.partition}`, () => isEnded, END_WITHIN_MS)])
}

function stalled(streams: readonly Stream[]): string {
  const nowMs = performance.now()
  const silent = streams.filter(({ lastAcknowledgedMs }) => nowMs - lastAcknowledgedMs > STALLED_MS)
  return silent.map(({ name, partition }) => `; ${name} ${partition} stalls`).join('')
}

const total = (streams: readonly Stream[]) => streams.reduce((sum, { acknowledged, failed }) => sum + acknowledged - failed.size, 0)

async function report(
  client: KafkaClient,
  streams: readonly Stream[],
  readers: Awaited<ReturnType<typeof startReaders>>,
): Promise<boolean> {
  const ends = await client.admin.listOffsets(streams.map(({ topic, partition }) => ({ topic, partition, spec: 'latest' as const })))
  const isRead = () => ends.every(({ topic, partition, offset }) => (readers.seen.get(`${topic}-${partition}`) ?? 0) >= (offset ?? 0))
  const groupReadAll = await until('the group to read everything', isRead, 60_000).catch(() => false)
  await readers.stop()
  const verdicts = await Promise.all(streams.map((stream) => judge(client, stream)))
  const sum = (key: keyof Verdict) => verdicts.reduce((all, verdict) => all + verdict[key], 0)
  const lost = sum('lost')
  const duplicates = sum('duplicates')
  const outOfOrder = sum('outOfOrder')
  const failed = streams.reduce((all, stream) => all + stream.failed.size, 0)
  const isGood = lost + duplicates + outOfOrder + readers.regressions.length === 0 && groupReadAll
  console.log(`
${minutes} minutes; clients give a request ${REQUEST_TIMEOUT_MS} ms
kills ${counts.kill}, pauses ${counts.pause} short and ${counts['long pause']} beyond the session, restarts ${counts.restart}; of brokers ${actionsOn.broker}, of controllers ${actionsOn.controller}
elections ${await electionsOf(client)}
acknowledged ${total(streams)} records (given up by clients: ${failed})
lost ${lost}, duplicates ${duplicates}, out of order ${outOfOrder}
committed offsets that went back ${readers.regressions.length}${readers.regressions.map((text) => `\n  ${text}`).join('')}
the group read everything: ${groupReadAll ? 'yes' : 'NO'}
${gaps.report()}
${isGood ? 'PASSED' : 'FAILED'}`)
  return isGood
}

const folder = await mkdtemp(join(tmpdir(), 'weir-torture-'))
const isGood = await run(folder).catch((error: unknown) => console.error(error))
if (isGood === true) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
else console.log(`The cluster's folder is kept: ${folder}`)
// Clients that hang would keep the process.
process.exit(isGood === true ? 0 : 1)
