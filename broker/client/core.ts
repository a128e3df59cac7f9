/**
 * What producers, readers, groups and admin calls share: connections, metadata, coordinators, and the way to each.
 *
 * A request is sent once. Only reaching its target is tried again here, and requests marked `isRepeatable` (reads, which
 * change nothing when done twice) move on to another broker when one fails them.
 */
import { findCoordinator } from '../api/10-find-coordinator.schema.ts'
import { metadata } from '../api/03-metadata.schema.ts'
import type { Address, Env } from '../env/types.ts'
import { addressText } from '../net/request-channel.ts'
import type { ApiDefinition } from '../net/request-channel.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import type { CallOptions } from './basic-types.ts'
import { parseBootstrapServers } from './bootstrap.ts'
import type { BrokerConnection, RequestBody, VersionBounds } from './broker-connection.ts'
import { Call } from './call.ts'
import { ConnectionPool } from './connection-pool.ts'
import { CoordinatorCache } from './coordinator-cache.ts'
import { ClientError } from './error.ts'
import { MetadataCache } from './metadata-cache.ts'
import type { MetadataQuery } from './metadata-cache.ts'
import { resolveOptions } from './options.ts'
import type { ResolvedOptions } from './options.ts'
import type { ClientOptions, ConnectionView } from './types.ts'

export interface SendOptions extends VersionBounds {
  /** @default 'calls' */
  readonly lane?: string
  /** One attempt. @default the client's requestTimeoutMs */
  readonly attemptMs?: number
  /** May be sent again to another broker when one fails it. @default false */
  readonly isRepeatable?: boolean
}

const CALLS_LANE = 'calls'
/** One broker gets this long to answer about metadata before another is asked. */
const METADATA_ATTEMPT_MS = 5_000
/** What a broker gets that has not answered in time lately. */
const SUSPECT_ATTEMPT_MS = 1_000
/** Before the second attempt. */
const FIRST_RETRY_MS = 10

export class ClientCore {
  readonly env: Env
  readonly options: ResolvedOptions
  readonly cache: MetadataCache
  readonly coordinators: CoordinatorCache
  readonly #bootstrap: readonly Address[]
  readonly #pool: ConnectionPool
  readonly #onClose = new Set<() => void | Promise<void>>()
  #nextLane = 1
  #isClosed = false

  constructor(env: Env, options: ClientOptions) {
    this.env = env
    this.options = resolveOptions(options)
    this.#bootstrap = parseBootstrapServers(options.bootstrapServers)
    this.#pool = new ConnectionPool(env, this.options)
    this.coordinators = new CoordinatorCache((body, call, options) => this.requestAny(findCoordinator, body, call, options))
    this.cache = new MetadataCache(env, {
      maxAgeMs: this.options.metadataMaxAgeMs,
      fetcher: (query, call) => this.#fetchMetadata(query, call),
      newCall: () => this.call('Asking for metadata', {}),
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  call(what: string, options: CallOptions): Call {
    return new Call(this.env, what, options, this.options.callTimeoutMs)
  }

  /** A lane nobody else uses, for requests that wait at the broker. Give it back with `closeLane`. */
  openLane(name: string): string {
    return `${name}-${this.#nextLane++}`
  }

  closeLane(lane: string): void {
    this.#pool.closeLane(lane)
  }

  /** Runs, and is awaited, before the connections are closed; the returned function takes it back. */
  onClose(listener: () => void | Promise<void>): () => void {
    this.#onClose.add(listener)
    return () => this.#onClose.delete(listener)
  }

  connections(): ConnectionView[] {
    return this.#pool.views((address) => this.cache.nodeIdAt(address))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all(Array.from(this.#onClose, async (listener) => listener()))
    this.#onClose.clear()
    this.#pool.close()
  }

  // --------------------------------------------------------------------------------------------------------------- nodes

  /** Asks that broker. Its address comes from metadata; BROKER_UNKNOWN when it is in none. */
  async requestNode<A extends ApiDefinition>(
    nodeId: number,
    api: A,
    body: RequestBody<A>,
    call: Call,
    options: SendOptions = {},
  ): Promise<Decoded<A['response']>> {
    return this.#requestAt(await this.#addressOf(nodeId, call), api, body, call, options)
  }

  /** The connection to a broker, for requests without an answer and for versions. */
  async connectionTo(nodeId: number, call: Call, lane = CALLS_LANE): Promise<BrokerConnection> {
    return this.#pool.get(await this.#addressOf(nodeId, call), lane, call)
  }

  /** The best connection at hand. */
  async anyConnection(call: Call): Promise<BrokerConnection> {
    return this.#tryEach(call, (address) => this.#pool.get(address, CALLS_LANE, call))
  }

  /** Asks the most promising broker, and the next where one cannot be reached. Rejects when none can be. */
  async requestAny<A extends ApiDefinition>(
    api: A,
    body: RequestBody<A>,
    call: Call,
    options: SendOptions = {},
  ): Promise<Decoded<A['response']>> {
    if (options.isRepeatable) return this.#tryEach(call, (address) => this.#requestAt(address, api, body, call, options))
    const reached = await this.#tryEach(call, async (address) => {
      await this.#pool.get(address, options.lane ?? CALLS_LANE, call)
      return address
    })
    return this.#requestAt(reached, api, body, call, options)
  }

  /** Asks the broker that metadata calls the controller; any other while that one cannot be reached, since brokers forward. */
  async requestController<A extends ApiDefinition>(
    api: A,
    body: RequestBody<A>,
    call: Call,
    options: SendOptions = {},
  ): Promise<Decoded<A['response']>> {
    await this.cache.ensure([], call)
    const address = this.cache.controllerId === null ? undefined : this.cache.addressOf(this.cache.controllerId)
    if (address !== undefined && this.#pool.rank(address, CALLS_LANE) < 3) {
      const reached = await this.#pool.get(address, options.lane ?? CALLS_LANE, call).catch((error: unknown) => {
        call.check(error)
        this.cache.forgetBrokers()
        return null
      })
      if (reached !== null) return this.#requestAt(address, api, body, call, options)
    }
    return this.requestAny(api, body, call, options)
  }

  async #addressOf(nodeId: number, call: Call): Promise<Address> {
    await this.cache.ensure([], call)
    let address = this.cache.addressOf(nodeId)
    if (address === undefined) {
      await this.cache.refresh([], call)
      address = this.cache.addressOf(nodeId)
    }
    if (address !== undefined) return address
    const known = [...this.cache.brokers.keys()].join(', ')
    throw new ClientError('BROKER_UNKNOWN', `Broker ${nodeId} is not up, or not of this cluster. Known brokers: ${known || 'none'}.`, {
      nodeId,
    })
  }

  async #requestAt<A extends ApiDefinition>(
    address: Address,
    api: A,
    body: RequestBody<A>,
    call: Call,
    options: SendOptions,
  ): Promise<Decoded<A['response']>> {
    const lane = options.lane ?? CALLS_LANE
    const own = options.isRepeatable && lane === CALLS_LANE ? this.#shortened(call, address) : call
    for (let attempt = 0; ; attempt++) {
      const connection = await this.#connect(address, lane, own)
      try {
        const { timeoutMs, signal } = own.attempt(options.attemptMs ?? this.options.requestTimeoutMs)
        const reply = await connection.request(api, body, { ...options, timeoutMs, ...(signal && { signal }) })
        this.#pool.trust(address, lane)
        return reply
      } catch (error) {
        const failure = ClientError.from(error)
        if (failure.code === 'DEADLINE_EXCEEDED') this.#pool.suspect(address, lane)
        // The pool tells a listener that demands SASL from a broker that just went away by asking again.
        const isWorthAsking = failure.code === 'CONNECTION_LOST' && connection.wasRefusedUnanswered && options.isRepeatable
        if (!isWorthAsking || attempt >= 2) throw failure
      }
    }
  }

  /** A broker that let the last deadline pass gets little time, or every look at a cluster would wait for it. */
  #shortened(call: Call, address: Address): Call {
    if (!this.#pool.isSuspect(address, CALLS_LANE)) return call
    const { timeoutMs, signal } = call.attempt(SUSPECT_ATTEMPT_MS)
    return this.call(`Asking ${addressText(address)}, which did not answer lately,`, { timeoutMs, ...(signal && { signal }) })
  }

  async #connect(address: Address, lane: string, call: Call): Promise<BrokerConnection> {
    try {
      return await this.#pool.get(address, lane, call)
    } catch (error) {
      // It may have moved.
      this.cache.forgetBrokers()
      throw error
    }
  }

  /** The first success among all addresses, most promising first. */
  async #tryEach<T>(call: Call, attempt: (address: Address) => Promise<T>): Promise<T> {
    const failures: ClientError[] = []
    for (const address of this.#candidates()) {
      try {
        return await attempt(address)
      } catch (error) {
        const failure = ClientError.from(error)
        if (!movesOn.has(failure.code)) throw failure
        call.check(failure)
        failures.push(failure)
      }
    }
    if (this.#isClosed) throw new ClientError('CLOSED', 'The client was closed.')
    if (failures.length === 1) throw failures[0] as ClientError
    const reasons = failures.map((failure) => failure.message).join(' ')
    throw new ClientError('CLUSTER_UNREACHABLE', `None of the cluster's brokers can be reached. ${reasons}`, { failures })
  }

  #candidates(): Address[] {
    const byText = new Map<string, Address>()
    for (const address of [...this.cache.brokers.values(), ...this.#bootstrap]) byText.set(addressText(address), address)
    const ranked = Array.from(byText.values(), (address) => ({
      address,
      rank: this.#pool.rank(address, CALLS_LANE) + this.env.random.below(1000) / 1000,
    }))
    return ranked.sort((left, right) => left.rank - right.rank).map(({ address }) => address)
  }

  // ------------------------------------------------------------------------------------------------------------ metadata

  async #fetchMetadata(query: MetadataQuery, call: Call): Promise<Decoded<typeof metadata.response>> {
    const reply = await this.requestAny(
      metadata,
      (version) => ({
        topics: topicsFor(query.topics, version),
        allowAutoTopicCreation: query.allowAutoTopicCreation,
      }),
      call,
      { isRepeatable: true, attemptMs: Math.min(METADATA_ATTEMPT_MS, this.options.requestTimeoutMs) },
    )
    if (reply.errorCode !== ErrorCode.NONE) {
      throw ClientError.ofBroker(reply.errorCode, 'The cluster cannot be described', { api: metadata.name })
    }
    return reply
  }

  /** The leader of a partition as far as is known. Rejects with a retriable error while there is none. */
  async leaderOf(topic: string, partition: number, call: Call): Promise<number> {
    return (await this.leadershipOf(topic, partition, call)).leader
  }

  /** The leader, and the epoch it was said to lead in. Rejects as `leaderOf` does. */
  async leadershipOf(topic: string, partition: number, call: Call): Promise<{ readonly leader: number; readonly leaderEpoch: number }> {
    await this.cache.ensure([topic], call)
    const known = this.cache.partition(topic, partition)
    if (known === undefined) {
      this.cache.forget(topic)
      throw ClientError.ofBroker(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Partition ${topic}-${partition} is not known to the cluster`)
    }
    if (known.leader !== null) return { leader: known.leader, leaderEpoch: known.leaderEpoch }
    this.cache.forget(topic)
    throw ClientError.ofBroker(ErrorCode.LEADER_NOT_AVAILABLE, `Partition ${topic}-${partition} has no leader at the moment`)
  }

  /** Tries until it succeeds, fails for good, or the call is over; pauses between, longer each time. */
  async retrying<T>(
    call: Call,
    attempt: () => Promise<T>,
    mayRetry: (failure: ClientError) => boolean = ({ retriable }) => retriable,
  ): Promise<T> {
    for (let failureCount = 0; ; failureCount++) {
      try {
        return await attempt()
      } catch (error) {
        const failure = ClientError.from(error)
        if (!mayRetry(failure) || this.#isClosed) throw failure
        await call.pause(this.retryDelayMs(failureCount), failure)
      }
    }
  }

  /**
   * Short after the first failure, which most often has passed by then: a leader that has just moved, a topic that a broker is about
   * to hear of. From then on it doubles, with up to a fifth more by chance so that clients do not come back together.
   */
  retryDelayMs(failureCount: number): number {
    const { retryBackoffMs, retryBackoffMaxMs } = this.options
    const doublings = Math.min(failureCount - 1, 16)
    const delayMs =
      failureCount === 0 ? Math.min(FIRST_RETRY_MS, retryBackoffMs) : Math.min(retryBackoffMaxMs, retryBackoffMs * 2 ** doublings)
    return delayMs + this.env.random.below(Math.ceil(delayMs / 5) + 1)
  }
}

/** Failures of one broker that say nothing of another. */
const movesOn: ReadonlySet<string> = new Set([
  'CONNECTION_REFUSED',
  'HOST_NOT_FOUND',
  'CONNECT_TIMED_OUT',
  'CONNECT_FAILED',
  'CONNECTION_LOST',
  'DEADLINE_EXCEEDED',
  'TLS_EXPECTED',
  'NOT_KAFKA',
  'AUTHENTICATION_REQUIRED',
  'AUTHENTICATION_FAILED',
  'MALFORMED_REPLY',
  'TOO_MANY_REQUESTS',
])

function topicsFor(topics: readonly string[] | null, version: number): { name: string }[] | null {
  // v0 has no null: an empty list means all, so that asking for none is asking for all.
  if (topics === null) return version === 0 ? [] : null
  return topics.map((name) => ({ name }))
}
