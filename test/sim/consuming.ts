/** A member of the load's consumer group: polls, notes what it got, commits, and says what was acknowledged. */
import { createClient } from '../../broker/client/client.ts'
import type { GroupConsumer, KafkaClient, PartitionRecords } from '../../broker/client/types.ts'
import type { SimulatedEnv } from '../../broker/env/simulated.ts'
import type { GroupLedger } from './group-ledger.ts'

const RETRY_MS = 100
const CALL_TIMEOUT_MS = 4_000

export interface ConsumingOptions {
  readonly bootstrapServers: string
  readonly groupId: string
  readonly topic: string
  readonly ledger: GroupLedger
}

export class Consuming {
  readonly #env: SimulatedEnv
  readonly #options: ConsumingOptions
  readonly #client: KafkaClient
  readonly #consumer: GroupConsumer
  readonly lastErrors: string[] = []
  #isStopped = false

  constructor(env: SimulatedEnv, options: ConsumingOptions) {
    this.#env = env
    this.#options = options
    const { bootstrapServers, groupId, topic, ledger } = options
    this.#client = createClient(env, {
      bootstrapServers,
      clientId: env.name,
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 3_000,
    })
    this.#consumer = this.#client.consumer({
      groupId,
      topics: [topic],
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 1_000,
      rebalanceTimeoutMs: 6_000,
      autoCommitIntervalMs: null,
      startWithoutCommit: 'earliest',
      onAssigned: (partitions) => ledger.assigned(env.name, partitions),
      onRevoked: (partitions) => ledger.revoked(env.name, partitions),
      onLost: (partitions) => ledger.revoked(env.name, partitions),
      onWarning: (error) => this.#note(error),
    })
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const polled = await this.#consumer.poll({ timeoutMs: CALL_TIMEOUT_MS })
        if (polled.length > 0) await this.#take(polled)
      } catch (error) {
        this.#note(error)
        await this.#pause()
      }
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  async #take(polled: readonly PartitionRecords[]): Promise<void> {
    const { ledger } = this.#options
    for (const records of polled) ledger.consumed(this.#env.name, records)
    const offsets = polled.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: nextOffset }))
    await this.#consumer.commit(offsets, { timeoutMs: CALL_TIMEOUT_MS })
    ledger.committed(offsets)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#env.timers.after(RETRY_MS, resolve))
  }

  #note(error: unknown): void {
    this.lastErrors.push(String(error))
    if (this.lastErrors.length > 5) this.lastErrors.shift()
  }
}
