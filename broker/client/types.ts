/**
 * The Kafka client as everything inside Weir sees it: screens' host, mirror, monitor, sample workload, brokers' forwarding.
 *
 * One client serves one cluster. It holds a connection per broker (more where a request may wait at the broker), the
 * versions each broker speaks and a cache of metadata; producers, readers and group consumers borrow them. It assumes
 * nothing of whose brokers they are. Offsets and timestamps are numbers; times end in Ms, sizes in Bytes.
 */
import type { Decoded, Encodable } from '../wire/schema.ts'
import type { ApiDefinition } from '../net/request-channel.ts'
import type { Admin } from './admin-types.ts'
import type { BrokerEndpoint, CallOptions, TopicMetadata, TopicPartition } from './basic-types.ts'
import type { ClientError } from './error.ts'
import type { GroupConsumer, GroupConsumerOptions } from './group-types.ts'
import type { Producer, ProducerOptions } from './producer-types.ts'
import type { FetchedPartition, FetchRequest, ReaderOptions, RecordReader } from './reader-types.ts'

export type { ApiDefinition } from '../net/request-channel.ts'
export type * from './admin-types.ts'
export type * from './basic-types.ts'
export type * from './group-types.ts'
export type * from './producer-types.ts'
export type * from './reader-types.ts'
export type { ClientError, ClientErrorCode } from './error.ts'

export interface ClientOptions {
  /** "host:port" each, or one comma separated string; without a port 9092. IPv6 hosts in brackets. */
  readonly bootstrapServers: readonly string[] | string
  /** @default 'weir' */
  readonly clientId?: string
  /** Sent in ApiVersions v3+. @default 'weir' */
  readonly softwareName?: string
  readonly softwareVersion?: string
  /** For one TCP connection to come up and to agree on versions. @default 10_000 */
  readonly connectTimeoutMs?: number
  /** For one request, from written to answered, unless the call says otherwise. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** For one call with its retries, unless it says otherwise. @default 60_000 */
  readonly callTimeoutMs?: number
  /** Cached metadata older than this is asked for again when next needed. @default 300_000 */
  readonly metadataMaxAgeMs?: number
  /** After a failed attempt a broker is not tried again for this long, doubling up to the maximum. @default 50 */
  readonly reconnectBackoffMs?: number
  /** @default 1_000 */
  readonly reconnectBackoffMaxMs?: number
  /** Pause before a retriable error is tried again, doubling up to the maximum; the first time it is 10 ms at most. @default 50 */
  readonly retryBackoffMs?: number
  /** @default 1_000 */
  readonly retryBackoffMaxMs?: number
  /** Requests of one connection awaiting their reply; more wait in the client. @default 64 */
  readonly inflightRequestsMax?: number
  /** A larger reply closes the connection. @default 128 MiB */
  readonly frameBytesMax?: number
  /** Unused connections are closed after this long; below the broker's own bound. @default 540_000 */
  readonly connectionIdleMs?: number
  /** Runs on each new connection after version negotiation and before any other request: SASL's place. */
  readonly authenticate?: Authenticator
}

/** Sends raw requests on a connection that is not yet in use. Rejecting with a ClientError closes it. */
export type Authenticator = (connection: AuthenticatingConnection, options: CallOptions) => Promise<void>

export interface AuthenticatingConnection {
  readonly address: string
  request<A extends ApiDefinition>(api: A, body: Encodable<A['request']>, options: CallOptions): Promise<Decoded<A['response']>>
}

/**
 * Who is asked. A number is that broker; 'any' the one that answers soonest of those connected; 'controller' the one
 * that Metadata names (brokers forward controller requests, so any will do with KRaft).
 */
export type Target =
  | number
  | 'any'
  | 'controller'
  | { readonly leaderOf: TopicPartition }
  | { readonly coordinatorOf: string; readonly type?: 'group' | 'transaction' }

export interface RequestOptions extends CallOptions {
  /** Never a version above this one, for fields whose meaning a caller does not serve. */
  readonly maxVersion?: number
  /** Fails with UNSUPPORTED_VERSION rather than go below. */
  readonly minVersion?: number
  /**
   * Requests of different lanes travel on different connections. Replies of a connection come in order, so what may wait
   * at the broker (a long poll, a join) takes a lane of its own. @default 'calls'
   */
  readonly lane?: string
}

export interface ClusterMetadata {
  readonly clusterId: string | null
  readonly controllerId: number | null
  readonly brokers: readonly BrokerEndpoint[]
  /** Those asked for, in no order. */
  readonly topics: ReadonlyMap<string, TopicMetadata>
  /** Wall clock of the answer. */
  readonly fetchedMs: number
}

export interface MetadataOptions extends CallOptions {
  /** @default [] (brokers alone) */
  readonly topics?: readonly string[] | 'all'
  /** Asks the cluster even when the cache is young enough. @default false */
  readonly refresh?: boolean
  /** Lets the broker create topics that are missing, where it is configured to. @default false */
  readonly allowAutoTopicCreation?: boolean
}

/** One connection of the client, for diagnosis. */
export interface ConnectionView {
  readonly nodeId: number | null
  readonly address: string
  readonly lane: string
  readonly state: 'connecting' | 'ready' | 'waiting' | 'closed'
  readonly inflightCount: number
  readonly lastError: ClientError | null
}

/** The versions of one API that a broker serves. */
export interface ApiVersionRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export interface KafkaClient {
  readonly clientId: string
  /** Calls to the right broker for each administrative task. */
  readonly admin: Admin

  /** Asks each broker once until one answers; a topic's own failure is in its `error`. A cluster that cannot be reached is said at once. */
  metadata(options?: MetadataOptions): Promise<ClusterMetadata>
  /**
   * One request to one broker at the highest version both speak. `body` may be a function of that version. Retries
   * reaching the target, never the request once written: what the reply says is the caller's to judge.
   */
  request<A extends ApiDefinition>(
    target: Target,
    api: A,
    body: Encodable<A['request']> | ((version: number) => Encodable<A['request']>),
    options?: RequestOptions,
  ): Promise<Decoded<A['response']>>
  /** What a broker serves, as negotiated with it. */
  apiVersions(target: number | 'any', options?: CallOptions): Promise<readonly ApiVersionRange[]>

  producer(options?: ProducerOptions): Producer
  /** One Fetch per leader, in parallel: batches as stored, CRC unchecked. For replication and mirrors. */
  fetchBatches(request: FetchRequest, options?: CallOptions): Promise<FetchedPartition[]>
  /** Reads without a group. */
  reader(options: ReaderOptions): RecordReader
  /** Reads as a member of a group. */
  consumer(options: GroupConsumerOptions): GroupConsumer

  connections(): ConnectionView[]
  /** Closes producers (without waiting for what they hold), readers, consumers (leaving their groups) and connections. */
  close(): Promise<void>
}
