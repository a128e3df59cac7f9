/**
 * A consumer whose speed can be held back, so that lag appears. A member of its group like any other: it heartbeats while it
 * waits, and commits what it has worked through.
 */
import type { GroupConsumer, KafkaClient } from '../../client/types.ts'
import { sampleTopic, type SampleGroup } from '../../contract/sample.ts'
import type { Env } from '../../env/types.ts'
import { toHostError } from '../problem.ts'
import { pause } from '../rpc/waiting.ts'

/** Few, so that a slow pace moves in small steps. */
const recordsPerPoll = 50
const budgetTickMs = 100
const troublePauseMs = 1_000

export interface PacedConsumer {
  readonly groupId: SampleGroup
  recordsPerSecondMax: number | null
  readonly consumedCount: number
  /** Records behind, as of the partitions it reads; `null` before the first record. */
  readonly lag: number | null
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
  const behind = new Map<number, number>()
  let consumedCount = 0
  let problem: string | null = null

  async function work(consumer: GroupConsumer, paced: PacedConsumer, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const budget = budgetOf(paced.recordsPerSecondMax)
      if (budget === 0) {
        // Polling with everything paused keeps the membership, and rebalances still take part.
        consumer.pause(consumer.assignment())
        await consumer.poll({ signal })
        await pause(env, budgetTickMs, signal)
        continue
      }
      consumer.resume(consumer.assignment())
      const startMs = env.clock.monotonicMs()
      let count = 0
      for (const { partition, records, nextOffset, highWatermark } of await consumer.poll({ signal })) {
        for (const record of records) options.onRecord?.(record.key, record.value)
        count += records.length
        behind.set(partition, Math.max(0, highWatermark - nextOffset))
      }
      problem = null
      consumedCount += count
      const owedMs = paced.recordsPerSecondMax === null ? 0 : (count * 1_000) / paced.recordsPerSecondMax
      await pauseFor(paced, owedMs - (env.clock.monotonicMs() - startMs), signal)
    }
  }

  /** In short steps, so that a changed pace is felt at once. */
  async function pauseFor(paced: PacedConsumer, delayMs: number, signal: AbortSignal): Promise<void> {
    const pace = paced.recordsPerSecondMax
    for (let leftMs = delayMs; leftMs > 0 && !signal.aborted && paced.recordsPerSecondMax === pace; leftMs -= budgetTickMs) {
      await pause(env, Math.min(leftMs, budgetTickMs), signal)
    }
  }

  const paced: PacedConsumer = {
    groupId,
    recordsPerSecondMax: null,
    get consumedCount() {
      return consumedCount
    },
    get lag() {
      return behind.size === 0 ? null : [...behind.values()].reduce((total, lag) => total + lag, 0)
    },
    get problem() {
      return problem
    },
    async run(signal) {
      while (!signal.aborted) {
        const consumer = client.consumer({
          groupId,
          topics: [sampleTopic],
          startWithoutCommit: 'earliest',
          autoCommitIntervalMs: 1_000,
          pollRecordsMax: recordsPerPoll,
          onAssigned: () => behind.clear(),
          onWarning: (warning) => {
            problem = warning.message
          },
        })
        try {
          await work(consumer, paced, signal)
        } catch (error) {
          if (!signal.aborted) problem = toHostError(error, groupId).message
        } finally {
          await consumer.close({ timeoutMs: 5_000 }).catch((error: unknown) => env.log.write('warn', 'a sample consumer did not close', { groupId, error }))
        }
        if (!signal.aborted) await pause(env, troublePauseMs, signal)
      }
    },
  }
  return paced
}

function budgetOf(recordsPerSecondMax: number | null): number {
  return recordsPerSecondMax === null ? Number.POSITIVE_INFINITY : recordsPerSecondMax
}
