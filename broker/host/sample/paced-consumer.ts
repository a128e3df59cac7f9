/**
 * A consumer whose speed can be held back, so that lag appears. A member of its group like any other: it polls, and so
 * heartbeats and rebalances, while it waits, and commits what it has worked through.
 */
import type { GroupConsumer, KafkaClient, TopicPartition } from '../../client/types.ts'
import { sampleTopic, type SampleGroup } from '../../contract/sample.ts'
import type { Env } from '../../env/types.ts'
import { toHostError } from '../problem.ts'
import { pause } from '../rpc/waiting.ts'

/** Few, so that a slow pace moves in small steps. */
const recordsPerPoll = 50
/** Also how often the pace is looked at while nothing comes. */
const pollWaitMs = 100
const troublePauseMs = 1_000
/** What has been worked through is committed at least this often. */
const commitIntervalMs = 1_000
const closeDeadlineMs = 2_000
/** A commit that finds no coordinator must not hold up the end: what it would have said is read again. */
const commitDeadlineMs = 2_000
/** Joining takes a while and meets a coordinator that is not there yet; only what lasts longer is a problem. */
const patienceMs = 8_000

export interface PacedConsumer {
  readonly groupId: SampleGroup
  /** 0 holds it where it is; `null` lets it run free. */
  recordsPerSecondMax: number | null
  readonly consumedCount: number
  readonly problem: string | null
  /** Runs until `signal` aborts; then leaves the group. */
  run(signal: AbortSignal): Promise<void>
}

export interface PacedConsumerOptions {
  readonly env: Env
  readonly client: KafkaClient
  readonly groupId: SampleGroup
  readonly onRecord?: (key: Buffer | null, value: Buffer | null) => void
}

export function createPacedConsumer(options: PacedConsumerOptions): PacedConsumer {
  const { env, client, groupId } = options
  let consumedCount = 0
  let trouble: { readonly message: string; readonly sinceMs: number } | null = null
  const meet = (message: string): void => {
    trouble = { message, sinceMs: trouble?.sinceMs ?? env.clock.monotonicMs() }
  }

  const paced: PacedConsumer = {
    groupId,
    recordsPerSecondMax: null,
    get consumedCount() {
      return consumedCount
    },
    get problem() {
      return trouble !== null && env.clock.monotonicMs() - trouble.sinceMs >= patienceMs ? trouble.message : null
    },
    async run(signal) {
      while (!signal.aborted) {
        const work = new Work(env, (key, value) => {
          consumedCount += 1
          options.onRecord?.(key, value)
        })
        const consumer = client.consumer({
          groupId,
          topics: [sampleTopic],
          startWithoutCommit: 'earliest',
          autoCommitIntervalMs: null,
          pollRecordsMax: recordsPerPoll,
          maxWaitMs: pollWaitMs,
          onRevoked: async (partitions) => {
            await work.commit(consumer)
            work.drop(partitions)
          },
          onLost: (partitions) => work.drop(partitions),
          onWarning: (warning) => meet(warning.message),
        })
        try {
          while (!signal.aborted) {
            work.advance(paced.recordsPerSecondMax)
            await work.commitWhenDue(consumer)
            if (await work.fetch(consumer, signal)) trouble = null
          }
          await work.commit(consumer)
        } catch (error) {
          if (!signal.aborted) meet(toHostError(error, groupId).message)
        } finally {
          await consumer
            .close({ timeoutMs: closeDeadlineMs })
            .catch((error: unknown) => env.log.write('warn', 'a sample consumer did not close', { groupId, error }))
        }
        if (!signal.aborted) await pause(env, troublePauseMs, signal)
      }
    },
  }
  return paced
}

interface Waiting extends TopicPartition {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Records fetched and not yet worked through, at most one poll's more than `recordsPerPoll`, and how far each partition is. */
class Work {
  private readonly env: Env
  private readonly onRecord: (key: Buffer | null, value: Buffer | null) => void
  private waiting: Waiting[] = []
  private readonly done = new Map<number, number>()
  private allowance = 0
  private advancedAtMs: number
  private committedAtMs: number

  constructor(env: Env, onRecord: (key: Buffer | null, value: Buffer | null) => void) {
    this.env = env
    this.onRecord = onRecord
    this.advancedAtMs = this.committedAtMs = env.clock.monotonicMs()
  }

  /** Works through as many records as the pace has allowed since the last time. */
  advance(recordsPerSecondMax: number | null): void {
    const nowMs = this.env.clock.monotonicMs()
    const earned = recordsPerSecondMax === null ? this.waiting.length : (recordsPerSecondMax * (nowMs - this.advancedAtMs)) / 1_000
    this.advancedAtMs = nowMs
    // What is not used up within a second is forfeited: a pace is no saving.
    const most = recordsPerSecondMax === null ? this.waiting.length : Math.max(1, recordsPerSecondMax)
    this.allowance = recordsPerSecondMax === 0 ? 0 : Math.min(this.allowance + earned, most)
    const records = this.waiting.splice(0, Math.floor(this.allowance))
    this.allowance -= records.length
    for (const { partition, offset, key, value } of records) {
      this.onRecord(key, value)
      this.done.set(partition, offset + 1)
    }
  }

  /** Fetches when there is room, and polls in any case. Answers whether records came. */
  async fetch(consumer: GroupConsumer, signal: AbortSignal): Promise<boolean> {
    const assigned = consumer.assignment()
    if (this.waiting.length >= recordsPerPoll) consumer.pause(assigned)
    else consumer.resume(assigned)
    let hasCome = false
    for (const { topic, partition, records } of await consumer.poll({ signal })) {
      hasCome ||= records.length > 0
      // Views into what was fetched: copied, as they may wait for long.
      for (const { offset, key, value } of records) this.waiting.push({ topic, partition, offset, key: copyOf(key), value: copyOf(value) })
    }
    return hasCome
  }

  async commitWhenDue(consumer: GroupConsumer): Promise<void> {
    if (this.env.clock.monotonicMs() - this.committedAtMs >= commitIntervalMs) await this.commit(consumer)
  }

  async commit(consumer: GroupConsumer): Promise<void> {
    this.committedAtMs = this.env.clock.monotonicMs()
    if (this.done.size === 0) return
    const offsets = [...this.done].map(([partition, offset]) => ({ topic: sampleTopic, partition, offset }))
    this.done.clear()
    await consumer.commit(offsets, { timeoutMs: commitDeadlineMs })
  }

  drop(partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(({ partition }) => partition))
    this.waiting = this.waiting.filter(({ partition }) => !gone.has(partition))
    for (const partition of gone) this.done.delete(partition)
  }
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
