/**
 * What an API handler is given: a decoded request, the context it came in, and the services of the node it runs on.
 *
 * Handlers never see a socket, a header or the encoded bytes. They return the response as a value, `null` for no
 * response at all (Produce with acks=0), or a promise of either. An expected failure is an error code in the response;
 * what they throw is a bug, logged and answered with UNKNOWN_SERVER_ERROR.
 *
 * The services are declared here and implemented in node/. A handler names only those it uses, by taking a `Pick`, so a
 * test supplies just these. The services of a controller are in controller-context.ts.
 */
import type { GroupCoordinatorPort } from '../coordinator/coordinator-port.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { QuotaKind } from '../quota/quotas.ts'
import type { AclOperation, ResourceType } from '../security/authorizer.ts'
import type { Principal } from '../security/principal.ts'
import type { ErrorCode } from '../wire/errors.ts'
import type { Api, Decoded, Encodable } from '../wire/schema.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { Partitions } from './partitions.ts'

/** The listener that members of the cluster use among themselves; the only one that serves inter-node APIs. */
export const INTERNAL_LISTENER = 'INTERNAL'

export interface RequestContext {
  readonly apiKey: number
  readonly apiVersion: number
  /** '' when the client sent none. */
  readonly clientId: string
  readonly listener: string
  readonly principal: Principal
  /** The other end, "host:port"; for groups' client host and for log lines. */
  readonly peer: PeerAddress
  /** Aborted when the connection is gone: nobody will read the reply. */
  readonly signal: AbortSignal
  authorize(operation: AclOperation, resourceType: ResourceType, resourceName: string): boolean
  /** Charges usage and returns the throttleTimeMs to answer with. */
  quota(kind: QuotaKind, amount: number): number
  /**
   * Says that the effects of this request are ordered, so the connection's next request may start although this one has
   * not been answered. Called by handlers that wait after they appended; all others are ordered once they return.
   */
  ordered(): void
  /** Remembers what software the client says it is (ApiVersions v3+), for the list of connected clients. */
  describeClient(softwareName: string, softwareVersion: string): void
  /** Ends the connection once the reply, if any, is written. */
  closeConnection(reason: string): void
}

export interface PeerAddress {
  readonly host: string
  readonly port: number
}

/** A Kafka API as its schema file describes it. */
export type ApiSchema = Api<any, any>

export type Awaitable<T> = T | Promise<T>

export type ApiHandler<Schema extends ApiSchema, Services> = (
  request: Decoded<Schema['request']>,
  context: RequestContext,
  services: Services,
) => Awaitable<Encodable<Schema['response']> | null>

// ------------------------------------------------------------------------------------------------- services of a broker

export interface BrokerServices {
  readonly nodeId: number
  readonly clusterId: string
  /** The cluster as of the last metadata record this broker applied. Immutable; take it once per request. */
  image(): MetadataImage
  readonly time: Time
  readonly settings: BrokerSettings
  readonly partitions: Partitions
  readonly fetchSessions: FetchSessions
  readonly leaderThrottle: LeaderThrottle
  readonly groups: GroupCoordinatorPort
  readonly controller: ControllerLink
  readonly producerIds: ProducerIdSource
  readonly autoTopics: AutoTopicCreation
  /** What ApiVersions advertises on a listener, ascending by key. */
  advertisedApis(listener: string): readonly AdvertisedApi[]
}

export interface Time {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number
  /** Never goes back. */
  monotonicMs(): number
  /** Runs `callback` once after `delayMs`. */
  after(delayMs: number, callback: () => void): { cancel(): void }
}

/** Broker-wide settings that handlers consult; Kafka's names in the comments. */
export interface BrokerSettings {
  /** auto.create.topics.enable */
  readonly autoCreateTopics: boolean
  /** num.partitions */
  readonly defaultPartitions: number
  /** default.replication.factor */
  readonly defaultReplicationFactor: number
  /** fetch.max.bytes: the most one Fetch reply carries, whatever the client allows. */
  readonly fetchBytesMax: number
  /** offsets.topic.num.partitions */
  readonly offsetsTopicPartitions: number
  /** offsets.topic.replication.factor */
  readonly offsetsTopicReplicationFactor: number
  /** Settings given at start by Kafka's names, for DescribeConfigs (source STATIC_BROKER_CONFIG). */
  readonly overrides: Readonly<Record<string, string>>
}

/** The way to the active controller, from any broker. */
export interface ControllerLink {
  /**
   * Sends a request to the active controller on behalf of `principal`, following it when it moves. Rejects with a
   * `ControllerUnavailable` when none answered within `timeoutMs`.
   */
  send<Schema extends ApiSchema>(
    schema: Schema,
    apiVersion: number,
    request: Encodable<Schema['request']>,
    options: { readonly principal: Principal; readonly clientId: string; readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Decoded<Schema['response']>>
}

/** No controller answered in time; clients are told REQUEST_TIMED_OUT, which they retry. */
export class ControllerUnavailable extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ControllerUnavailable'
  }
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Holds back what followers that are not in sync are sent, where the topic's settings ask for it (KIP-73). */
export interface LeaderThrottle {
  /** Nothing of the partition is to be sent to that follower now. */
  isHeldBack(partition: TopicPartition, followerId: number): boolean
  sent(partition: TopicPartition, followerId: number, bytes: number): void
}

export interface ProducerIdSource {
  /** A producer id never handed out before in this cluster, or the error that says why there is none now. */
  next(): Promise<{ readonly producerId: number } | { readonly error: ErrorCode }>
}

export interface AutoTopicCreation {
  /**
   * Starts creating a topic that a client asked for by name (or one the broker itself needs), unless that is under way.
   * The client meanwhile hears a retriable error. Returns the error to answer now.
   */
  request(topic: string, principal: Principal, clientId: string): ErrorCode
}

export interface AdvertisedApi {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}
