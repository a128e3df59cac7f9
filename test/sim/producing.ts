/** A producer of the load: acks=all, idempotent, every value unique, every acknowledgement kept. */
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient, Producer, TopicPartition } from '../../broker/client/types.ts'
import type { SimulatedEnv } from '../../broker/env/simulated.ts'

/** What the producer knows of one value it sent. */
export interface SentRecord {
  readonly producer: string
  /** Of this producer in this partition, ascending. */
  readonly sequence: number
  readonly value: string
  readonly partition: number
  /** Null until acknowledged; a record given up keeps null and may be there or not. */
  offset: number | null
  error: string | null
}

/** Unacknowledged at a time; more wait. */
const PENDING_MAX = 12
const DELIVERY_TIMEOUT_MS = 60_000
const REQUEST_TIMEOUT_MS = 3_000

export interface ProducingOptions {
  readonly bootstrapServers: string
  readonly topic: string
  readonly partitions: number
  readonly intervalMs: number
  readonly onAcknowledged: (record: SentRecord) => void
}

export class Producing {
  readonly sent: SentRecord[] = []
  acknowledgedCount = 0
  readonly #env: SimulatedEnv
  readonly #options: ProducingOptions
  readonly #client: KafkaClient
  readonly #producer: Producer
  #pendingCount = 0
  #isStopped = false

  constructor(env: SimulatedEnv, options: ProducingOptions) {
    this.#env = env
    this.#options = options
    const { bootstrapServers } = options
    const timeouts = { connectTimeoutMs: 1_000, requestTimeoutMs: REQUEST_TIMEOUT_MS }
    this.#client = createClient(env, { bootstrapServers, clientId: env.name, ...timeouts })
    const limits = { deliveryTimeoutMs: DELIVERY_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS }
    this.#producer = this.#client.producer({ acks: 'all', idempotent: true, ...limits })
  }

  get pendingCount(): number {
    return this.#pendingCount
  }

  start(): void {
    if (this.#isStopped) return
    if (this.#pendingCount < PENDING_MAX) this.#send()
    const { intervalMs } = this.#options
    this.#env.timers.after(intervalMs / 2 + this.#env.random.below(intervalMs), () => this.start())
  }

  /** Sends nothing more; what is under way goes on. */
  stop(): void {
    this.#isStopped = true
  }

  /** One more record to a partition, resolving when it is acknowledged. */
  async probe(partition: number): Promise<boolean> {
    const record = this.#record(partition)
    await this.#deliver(record)
    return record.offset !== null
  }

  #send(): void {
    const count = 1 + (this.#env.random.below(4) === 0 ? this.#env.random.below(4) : 0)
    const partition = this.#env.random.below(this.#options.partitions)
    for (let index = 0; index < count; index++) void this.#deliver(this.#record(partition))
  }

  #record(partition: number): SentRecord {
    const sequence = this.sent.length
    const value = `${this.#env.name}-${sequence}-${this.#env.random.below(1_000_000)}`
    const record: SentRecord = { producer: this.#env.name, sequence, value, partition, offset: null, error: null }
    this.sent.push(record)
    return record
  }

  async #deliver(record: SentRecord): Promise<void> {
    const { topic, onAcknowledged } = this.#options
    const target: TopicPartition = { topic, partition: record.partition }
    this.#pendingCount++
    try {
      record.offset = (await this.#producer.send({ ...target, value: record.value })).offset
      this.acknowledgedCount++
      onAcknowledged(record)
    } catch (error) {
      record.error = String(error)
    } finally {
      this.#pendingCount--
    }
  }
}
