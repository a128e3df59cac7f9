/** A group of kafkajs consumers that commits as it reads, and whether what it committed ever went back. */
import type { KafkaClient } from '../../../broker/client/types.ts'
import { torturedKafkaJs } from './streams.ts'

const GROUP = 'torture-readers'
const MEMBERS = 2
const LOOK_EVERY_MS = 500

export interface Readers {
  /** By "topic-partition": behind the highest record some member was given. */
  readonly seen: ReadonlyMap<string, number>
  /** A sentence for each time a committed offset was lower than before. */
  readonly regressions: readonly string[]
  stop(): Promise<void>
}

export async function startReaders(client: KafkaClient, brokers: string, topics: readonly string[]): Promise<Readers> {
  const seen = new Map<string, number>()
  const consumers = Array.from({ length: MEMBERS }, () =>
    torturedKafkaJs(brokers).consumer({ groupId: GROUP, sessionTimeout: 10_000, heartbeatInterval: 1_000, maxWaitTimeInMs: 200 }),
  )
  for (const consumer of consumers) {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      autoCommitInterval: 500,
      eachMessage: async ({ topic, partition, message }) => {
        const key = `${topic}-${partition}`
        seen.set(key, Math.max(seen.get(key) ?? 0, Number(message.offset) + 1))
      },
    })
  }
  const commits = watchCommits(client)
  return {
    seen,
    regressions: commits.regressions,
    async stop() {
      await commits.stop()
      await Promise.all(consumers.map((consumer) => consumer.disconnect()))
    },
  }
}

function watchCommits(client: KafkaClient) {
  const committed = new Map<string, number>()
  const regressions: string[] = []
  let isStopping = false
  const look = async (): Promise<void> => {
    const [group] = await client.admin.fetchOffsets([{ groupId: GROUP }], { timeoutMs: 5_000 })
    for (const { topic, partition, offset } of group?.offsets ?? []) {
      const key = `${topic}-${partition}`
      const before = committed.get(key) ?? -1
      if (offset !== null && offset < before) regressions.push(`${key} went back from ${before} to ${offset}`)
      committed.set(key, Math.max(before, offset ?? -1))
    }
  }
  const watching = (async () => {
    while (!isStopping) {
      // No answer is no statement: the coordinator may be the one that was just killed.
      await look().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    await look()
  })()
  return {
    regressions,
    async stop() {
      isStopping = true
      await watching
    },
  }
}
