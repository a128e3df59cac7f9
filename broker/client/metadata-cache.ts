/**
 * What the client knows of the cluster: brokers, controller, and the topics its users asked about.
 *
 * Knowledge is a hint, never a promise: requests go by it, and the errors that contradict it call `forget`. Concurrent
 * askers share one request: while one is on its way, further topics gather for the next.
 */
import { metadata } from '../api/03-metadata.schema.ts'
import type { Address, Env } from '../env/types.ts'
import { addressText } from '../net/request-channel.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { ZERO_UUID } from '../wire/schema.ts'
import type { BrokerEndpoint, PartitionMetadata, TopicMetadata } from './basic-types.ts'
import type { Call } from './call.ts'
import { ClientError } from './error.ts'

type MetadataResponse = Decoded<typeof metadata.response>
type TopicReply = MetadataResponse['topics'][number]

export interface MetadataQuery {
  /** `null`: all. */
  readonly topics: readonly string[] | null
  readonly allowAutoTopicCreation: boolean
}

export type MetadataFetcher = (query: MetadataQuery, call: Call) => Promise<MetadataResponse>

/** Topics kept; beyond, those asked for longest ago are forgotten. */
const CACHED_TOPICS_MAX = 50_000

interface CachedTopic {
  readonly topic: TopicMetadata
  readonly fetchedMs: number
}

interface Refresh {
  readonly topics: Set<string>
  readonly promise: Promise<void>
}

export class MetadataCache {
  readonly #env: Env
  readonly #maxAgeMs: number
  readonly #fetcher: MetadataFetcher
  readonly #newCall: () => Call
  #clusterId: string | null = null
  #controllerId: number | null = null
  #brokers = new Map<number, BrokerEndpoint>()
  #brokersFetchedMs = -Infinity
  #fetchedMs = 0
  readonly #topics = new Map<string, CachedTopic>()
  readonly #namesById = new Map<string, string>()
  #current: Promise<void> | null = null
  #gathering: Refresh | null = null

  /** `newCall` bounds a refresh, which is nobody's own: its askers' deadlines differ. */
  constructor(env: Env, options: { readonly maxAgeMs: number; readonly fetcher: MetadataFetcher; readonly newCall: () => Call }) {
    this.#env = env
    this.#maxAgeMs = options.maxAgeMs
    this.#fetcher = options.fetcher
    this.#newCall = options.newCall
  }

  /** Wall clock of the last answer; 0 before the first. */
  get fetchedMs(): number {
    return this.#fetchedMs
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  get controllerId(): number | null {
    return this.#controllerId
  }

  get brokers(): ReadonlyMap<number, BrokerEndpoint> {
    return this.#brokers
  }

  /** As cached, however old; `undefined` when never asked for or forgotten. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)?.topic
  }

  nameOf(topicId: string): string | undefined {
    return this.#namesById.get(topicId)
  }

  nodeIdAt(address: string): number | null {
    for (const broker of this.#brokers.values()) {
      if (addressText(broker) === address) return broker.nodeId
    }
    return null
  }

  addressOf(nodeId: number): Address | undefined {
    return this.#brokers.get(nodeId)
  }

  partition(topic: string, partition: number): PartitionMetadata | undefined {
    // Partitions ascend without gaps, save for replies that are not whole.
    const partitions = this.topic(topic)?.partitions
    const direct = partitions?.[partition]
    return direct?.partition === partition ? direct : partitions?.find((candidate) => candidate.partition === partition)
  }

  /** Makes sure that brokers and these topics are known and young enough; asks only for what is not. */
  async ensure(topics: readonly string[], call: Call): Promise<void> {
    const oldestMs = this.#env.clock.monotonicMs() - this.#maxAgeMs
    const missing = topics.filter((name) => (this.#topics.get(name)?.fetchedMs ?? -Infinity) <= oldestMs)
    if (missing.length === 0 && this.#brokersFetchedMs > oldestMs) return
    await this.refresh(missing, call)
  }

  /** Asks the cluster about these topics, and its brokers. */
  refresh(topics: readonly string[], call: Call): Promise<void> {
    this.#gathering ??= this.#gather()
    for (const topic of topics) this.#gathering.topics.add(topic)
    return call.race(this.#gathering.promise)
  }

  /** Asks for every topic (`null`) or some, beside the shared refreshes, and returns the reply's own view. */
  async fetch(query: MetadataQuery, call: Call): Promise<TopicMetadata[]> {
    const reply = await this.#fetcher(query, call)
    return this.#adopt(reply, query.topics ?? [])
  }

  /** A broker was not where it was said to be: the next asker learns anew. */
  forgetBrokers(): void {
    this.#brokersFetchedMs = -Infinity
  }

  /** What is cached of the topic has proved wrong. */
  forget(topic: string): void {
    const cached = this.#topics.get(topic)
    if (cached === undefined) return
    this.#topics.delete(topic)
    if (cached.topic.topicId !== null) this.#namesById.delete(cached.topic.topicId)
  }

  /** A reply told the new leader along with its error (KIP-951). */
  noteLeader(
    topic: string,
    partition: number,
    leader: { readonly leaderId: number; readonly leaderEpoch: number },
    endpoints: readonly BrokerEndpoint[],
  ): boolean {
    const cached = this.#topics.get(topic)
    const known = this.partition(topic, partition)
    if (cached === undefined || known === undefined || leader.leaderId < 0 || leader.leaderEpoch <= known.leaderEpoch) return false
    for (const endpoint of endpoints) this.#brokers.set(endpoint.nodeId, endpoint)
    if (!this.#brokers.has(leader.leaderId)) return false
    const partitions = cached.topic.partitions.map((old) =>
      old.partition === partition ? { ...old, leader: leader.leaderId, leaderEpoch: leader.leaderEpoch, error: null } : old,
    )
    this.#topics.set(topic, { topic: { ...cached.topic, partitions }, fetchedMs: cached.fetchedMs })
    return true
  }

  #gather(): Refresh {
    const topics = new Set<string>()
    const start = async (): Promise<void> => {
      await this.#current?.catch(() => undefined)
      this.#gathering = null
      const names = [...topics]
      const run = this.#fetcher({ topics: names, allowAutoTopicCreation: false }, this.#newCall()).then((reply) => {
        this.#adopt(reply, names)
      })
      this.#current = run
      await run
    }
    const promise = start()
    promise.catch(() => undefined)
    return { topics, promise }
  }

  #adopt(reply: MetadataResponse, asked: readonly string[]): TopicMetadata[] {
    const nowMs = this.#env.clock.monotonicMs()
    if (reply.brokers.length > 0) {
      this.#brokers = new Map(reply.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { nodeId, host, port, rack }]))
    }
    this.#brokersFetchedMs = nowMs
    this.#fetchedMs = this.#env.clock.nowMs()
    this.#clusterId = reply.clusterId ?? this.#clusterId
    this.#controllerId = reply.controllerId >= 0 ? reply.controllerId : null
    const topics = reply.topics.map(topicFrom)
    const names = new Set(asked)
    for (const topic of topics) {
      if (!names.has(topic.name) && !this.#topics.has(topic.name)) continue
      this.forget(topic.name)
      // A failed lookup is an answer to its asker, not knowledge to go by.
      if (topic.error !== null) continue
      this.#topics.set(topic.name, { topic, fetchedMs: nowMs })
      if (topic.topicId !== null) this.#namesById.set(topic.topicId, topic.name)
    }
    while (this.#topics.size > CACHED_TOPICS_MAX) this.forget(this.#topics.keys().next().value as string)
    return topics
  }
}

function topicFrom(reply: TopicReply): TopicMetadata {
  const name = reply.name ?? ''
  const partitions = reply.partitions
    .map((partition) => partitionFrom(name, partition))
    .sort((left, right) => left.partition - right.partition)
  return {
    name,
    topicId: reply.topicId === ZERO_UUID ? null : reply.topicId,
    isInternal: reply.isInternal,
    partitions,
    error:
      reply.errorCode === ErrorCode.NONE
        ? null
        : ClientError.ofBroker(reply.errorCode, `Topic "${name}" cannot be described`, { api: metadata.name }),
  }
}

function partitionFrom(topic: string, reply: TopicReply['partitions'][number]): PartitionMetadata {
  return {
    partition: reply.partitionIndex,
    leader: reply.leaderId < 0 ? null : reply.leaderId,
    leaderEpoch: reply.leaderEpoch,
    replicas: reply.replicaNodes,
    isr: reply.isrNodes,
    offlineReplicas: reply.offlineReplicas,
    error:
      reply.errorCode === ErrorCode.NONE
        ? null
        : ClientError.ofBroker(reply.errorCode, `Partition ${partitionLabel(topic, reply.partitionIndex)} is not whole`, {
            api: metadata.name,
          }),
  }
}

function partitionLabel(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
