/**
 * How long writes and changes wait when a process is killed: SIGKILL, one at a time; the cluster is whole again before
 * the next one. Seen through our own client, and through kafkajs with its default settings but for the count of its tries.
 */
import { setTimeout as pause } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { describeQuorum } from '../../broker/api/55-describe-quorum.schema.ts'
import type { BenchTarget } from './cluster.ts'
import { median, type Chapter, type Figure } from './figure.ts'

const TOPIC = 'failover'
const PARTITION_COUNT = 6
const BROKER_COUNT = 3
const VOTER_COUNT = 3
const WITHIN = { relation: '<', value: 1000 } as const
const POLL_MS = 20
const WRITE_EVERY_MS = 2
const WHOLE_WITHIN_MS = 60_000

/** A cluster in which a killed process comes back by itself, or by `revive`. */
export interface MortalTarget extends BenchTarget {
  revive?(): Promise<void>
}

export interface Rounds {
  readonly own: number
  readonly kafkajs: number
}

/** Writes with acks=all, one at a time per partition, and tells when each was acknowledged. */
interface Writers {
  /** Resolves with the time of the first acknowledgement of a write that began after `sinceMs`, in every one of these partitions. */
  acknowledgedSince(partitions: readonly number[], sinceMs: number): Promise<number>
  /** The longest time without an acknowledgement in any partition that ended after `sinceMs`. */
  longestGapMs(sinceMs: number): number
  stop(): Promise<void>
}

export async function failoverChapter(target: MortalTarget, rounds: Rounds): Promise<Chapter> {
  await leaderTopic(target)
  const figures: Figure[] = []
  for (const [who, count, start] of [
    ['our client', rounds.own, () => ownWriters(target)],
    ['kafkajs', rounds.kafkajs, () => kafkaJsWriters(target)],
  ] as const) {
    const writers = await start()
    const leaderMs = await leaderKills(target, writers, count)
    const controllers = await controllerKills(target, writers, count)
    await writers.stop()
    const isBudgeted = who === 'our client'
    figures.push(
      ...waits(`leader killed, next write of ${who}`, leaderMs, isBudgeted),
      ...waits(
        `controller leader killed, next topic (${who} writing)`,
        controllers.map(({ changedMs }) => changedMs),
        isBudgeted,
      ),
      {
        name: `  longest time between two acknowledged writes of ${who}`,
        value: Math.max(...controllers.map(({ gapMs }) => gapMs)),
        unit: 'ms',
      },
    )
  }
  return { title: 'Failover', figures, notes: ['SIGKILL; six partitions on three brokers, three replicas, acks=all.'] }
}

function waits(what: string, values: readonly number[], isBudgeted: boolean): Figure[] {
  return [
    { name: `${what}, median of ${values.length}`, value: median(values), unit: 'ms', ...(isBudgeted ? { budget: WITHIN } : {}) },
    { name: `${what}, slowest`, value: Math.max(...values), unit: 'ms' },
  ]
}

/** The topic that is written to. */
export async function leaderTopic(target: MortalTarget): Promise<void> {
  await target.createTopic(TOPIC, PARTITION_COUNT, { 'min.insync.replicas': '2' })
  await untilWhole(target)
}

/** From the kill of a broker until all partitions it led have acknowledged a write begun after it. */
export async function leaderKills(target: MortalTarget, writers: Writers, count: number): Promise<number[]> {
  const tookMs: number[] = []
  for (let round = 0; round < count; round++) {
    const leaderOf = await leaders(target)
    const victim = leaderOf[round % PARTITION_COUNT]
    const { pid } = processOf(target, 'broker', victim)
    const led = leaderOf.flatMap((leader, partition) => (leader === victim ? [partition] : []))
    await writers.acknowledgedSince([...leaderOf.keys()], performance.now())
    const killedMs = performance.now()
    process.kill(pid, 'SIGKILL')
    tookMs.push((await writers.acknowledgedSince(led, killedMs)) - killedMs)
    await untilWhole(target)
  }
  return tookMs
}

async function controllerKills(target: MortalTarget, writers: Writers, count: number): Promise<{ changedMs: number; gapMs: number }[]> {
  const took: { changedMs: number; gapMs: number }[] = []
  for (let round = 0; round < count; round++) {
    const { leaderId } = await quorum(target)
    const { pid } = processOf(target, 'controller', leaderId)
    const killedMs = performance.now()
    process.kill(pid, 'SIGKILL')
    const topic = `after-${killedMs}`
    await untilCreated(target, topic)
    const changedMs = performance.now() - killedMs
    await untilWhole(target)
    took.push({ changedMs, gapMs: writers.longestGapMs(killedMs) })
    await target.client.admin.deleteTopics([topic])
  }
  return took
}

async function untilCreated({ client }: BenchTarget, topic: string): Promise<void> {
  const deadlineMs = performance.now() + WHOLE_WITHIN_MS
  for (;;) {
    const [created] = await client.admin.createTopics([{ name: topic, partitionCount: 1 }]).catch(() => [])
    // A try whose answer was lost with the controller may have been carried out.
    if (created !== undefined && (created.error === null || created.error.kafkaErrorName === 'TOPIC_ALREADY_EXISTS')) return
    if (performance.now() > deadlineMs) throw new Error(`${topic} could not be created: ${created?.error?.message ?? 'no answer'}`)
    await pause(POLL_MS)
  }
}

// ------------------------------------------------------------------------------------------------------------- the state

async function leaders({ client }: BenchTarget): Promise<number[]> {
  const { topics } = await client.metadata({ topics: [TOPIC], refresh: true })
  return (topics.get(TOPIC)?.partitions ?? []).map(({ leader }) => leader ?? -1)
}

/** Every process runs, every replica is in sync, every voter follows; then leaders are moved back to where they were. */
async function untilWhole(target: MortalTarget): Promise<void> {
  const deadlineMs = performance.now() + WHOLE_WITHIN_MS
  await target.revive?.()
  while (!(await isWhole(target).catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error('the cluster did not become whole again')
    await pause(POLL_MS)
  }
}

async function isWhole(target: MortalTarget): Promise<boolean> {
  const running = target.processes()
  if (running.filter(({ role }) => role === 'broker').length < BROKER_COUNT) return false
  if (running.filter(({ role }) => role === 'controller').length < VOTER_COUNT) return false
  const { topics } = await target.client.metadata({ topics: [TOPIC], refresh: true })
  const partitions = topics.get(TOPIC)?.partitions ?? []
  if (partitions.length === 0 || partitions.some(({ isr }) => isr.length < BROKER_COUNT)) return false
  const { leaderId, currentVoters, highWatermark } = await quorum(target)
  return leaderId >= 0 && currentVoters.every(({ logEndOffset }) => logEndOffset >= highWatermark - 1)
}

async function quorum({ client }: BenchTarget) {
  const asked = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
  const { topics } = await client.request('any', describeQuorum, asked, { timeoutMs: 5_000 })
  const found = topics[0]?.partitions[0]
  if (found === undefined || found.errorCode !== 0) throw new Error(`the quorum cannot be described: ${found?.errorCode ?? 'no answer'}`)
  return found
}

function processOf(target: BenchTarget, role: 'broker' | 'controller', nodeId: number | undefined) {
  const found = target.processes().find((process) => process.role === role && process.nodeId === nodeId)
  if (found === undefined) throw new Error(`there is no ${role} ${nodeId}`)
  return found
}

// ----------------------------------------------------------------------------------------------------------- the writers

export async function ownWriters({ client }: BenchTarget): Promise<Writers> {
  const producer = client.producer({ acks: 'all' })
  return writersWith(
    async (partition) => void (await producer.send({ topic: TOPIC, partition, value: 'written while others die' })),
    () => producer.close(),
  )
}

async function kafkaJsWriters({ bootstrapServers }: BenchTarget): Promise<Writers> {
  const { Kafka, Partitioners, logLevel } = kafkajs
  const kafka = new Kafka({
    clientId: 'bench-kafkajs',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 30 },
  })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  return writersWith(
    async (partition) =>
      void (await producer.send({ topic: TOPIC, acks: -1, messages: [{ value: 'written while others die', partition }] })),
    () => producer.disconnect(),
  )
}

function writersWith(write: (partition: number) => Promise<void>, close: () => Promise<void>): Writers {
  const partitions = Array.from({ length: PARTITION_COUNT }, (_, partition) => new Acknowledgements(partition))
  let isStopping = false
  let problem: unknown = null
  const writing = partitions.map(async (acknowledgements) => {
    while (!isStopping) {
      const sentMs = performance.now()
      await write(acknowledgements.partition)
      acknowledgements.add(sentMs)
      await pause(WRITE_EVERY_MS)
    }
  })
  const ended = Promise.all(writing).catch((error: unknown) => (problem = error))
  return {
    async acknowledgedSince(wanted, sinceMs) {
      const deadlineMs = performance.now() + WHOLE_WITHIN_MS
      for (;;) {
        if (problem !== null) throw problem
        const times = wanted.map((partition) => partitions[partition]?.firstSince(sinceMs) ?? null)
        if (times.every((time) => time !== null)) return Math.max(...times)
        if (performance.now() > deadlineMs) throw new Error(`no write was acknowledged within ${WHOLE_WITHIN_MS} ms`)
        await pause(1)
      }
    },
    longestGapMs: (sinceMs) => Math.max(...partitions.map((acknowledgements) => acknowledgements.longestGapMs(sinceMs))),
    async stop() {
      isStopping = true
      await ended
      await close()
      if (problem !== null) throw problem
    },
  }
}

/** Of one partition; the newest are kept. */
class Acknowledgements {
  readonly partition: number
  #newest: { readonly sentMs: number; readonly acknowledgedMs: number }[] = []

  constructor(partition: number) {
    this.partition = partition
  }

  add(sentMs: number): void {
    this.#newest.push({ sentMs, acknowledgedMs: performance.now() })
    if (this.#newest.length > 20_000) this.#newest = this.#newest.slice(10_000)
  }

  firstSince(sinceMs: number): number | null {
    return this.#newest.find(({ sentMs }) => sentMs > sinceMs)?.acknowledgedMs ?? null
  }

  longestGapMs(sinceMs: number): number {
    let longest = 0
    for (const [index, { acknowledgedMs }] of this.#newest.entries()) {
      const before = this.#newest[index - 1]
      if (before !== undefined && acknowledgedMs > sinceMs) longest = Math.max(longest, acknowledgedMs - before.acknowledgedMs)
    }
    return longest
  }
}
