/** A member of the load's consumer group: polls, notes what it got, commits, and says what was acknowledged. */
import { createClient } from '../../broker/client/client.ts'
import type { GroupConsumer, KafkaClient, PartitionRecords, TopicPartition } from '../../broker/client/types.ts'
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
  readonly #lastErrors: string[] = []
  /** Read, and not known to be committed. */
  readonly #uncommitted = new Map<number, number>()
  #isStopped = false
  #doing = 'idle'

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
      onRevoked: (partitions) => this.#givenUp(partitions),
      onLost: (partitions) => this.#givenUp(partitions),
      onWarning: (error) => this.#note(error),
    })
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        this.#doing = `polls since ${this.#env.clock.monotonicMs().toFixed(0)} ms`
        const polled = await this.#consumer.poll({ timeoutMs: CALL_TIMEOUT_MS })
        for (const records of polled) this.#take(records)
        if (this.#uncommitted.size > 0) await this.#commit()
      } catch (error) {
        this.#note(error)
        await this.#pause()
      }
    }
  }

  /** For the report of a group that does not get on. */
  describe(): string {
    const { state, generationId } = this.#consumer
    const partitions = this.#consumer.assignment().map(({ partition }) => partition)
    return `${this.#env.name} ${state}, generation ${generationId}, has [${partitions.join()}]; ${this.#doing}; ${this.#lastErrors.join('; ')}`
  }

  stop(): void {
    this.#isStopped = true
  }

  /** The process dies; its group learns of it when the session has run out. */
  crash(): void {
    this.#env.end('kill')
  }

  #take(records: PartitionRecords): void {
    this.#options.ledger.consumed(this.#env.name, records)
    this.#uncommitted.set(records.partition, records.nextOffset)
  }

  /** What could not be committed is tried again after the next poll. */
  async #commit(): Promise<void> {
    const offsets = [...this.#uncommitted].map(([partition, offset]) => ({ topic: this.#options.topic, partition, offset }))
    this.#doing = `commits since ${this.#env.clock.monotonicMs().toFixed(0)} ms`
    await this.#consumer.commit(offsets, { timeoutMs: CALL_TIMEOUT_MS })
    this.#options.ledger.committed(offsets)
    for (const { partition, offset } of offsets) if (this.#uncommitted.get(partition) === offset) this.#uncommitted.delete(partition)
  }

  #givenUp(partitions: readonly TopicPartition[]): void {
    this.#options.ledger.revoked(this.#env.name, partitions)
    for (const { partition } of partitions) this.#uncommitted.delete(partition)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#env.timers.after(RETRY_MS, resolve))
  }

  #note(error: unknown): void {
    this.#lastErrors.push(String(error))
    if (this.#lastErrors.length > 5) this.#lastErrors.shift()
  }
}
