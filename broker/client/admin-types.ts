/**
 * Administration. Calls about many things answer for each: one dead broker or one bad name fails its own items, never
 * the others. A call rejects only when nothing at all could be learned (no broker reached, cancelled, bad argument).
 */
import type { ClientError } from './error.ts'
import type { BrokerEndpoint, CallOptions, TopicMetadata, TopicPartition } from './basic-types.ts'

export interface TopicListing {
  readonly name: string
  readonly topicId: string | null
  readonly isInternal: boolean
  readonly partitionCount: number
}

export interface NewTopic {
  readonly name: string
  /** -1: the broker's default. @default -1 */
  readonly partitionCount?: number
  /** -1: the broker's default. @default -1 */
  readonly replicationFactor?: number
  /** Replica ids by partition, instead of count and factor. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly name: string
  readonly topicId: string | null
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly error: ClientError | null
}

export interface NamedResult {
  readonly name: string
  readonly error: ClientError | null
}

export interface PartitionResult extends TopicPartition {
  readonly error: ClientError | null
}

export type ConfigResourceType = 'topic' | 'broker' | 'broker-logger' | 'client-metrics' | 'group'

export interface ConfigResource {
  readonly type: ConfigResourceType
  /** Topic or group name, or a broker's id; '' for the cluster-wide broker defaults. */
  readonly name: string
}

export type ConfigSource = 'unknown' | 'topic' | 'broker' | 'broker-default' | 'static' | 'default' | 'logger' | 'client-metrics' | 'group'

export interface ConfigEntry {
  readonly name: string
  /** `null` when sensitive or unset. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly type: string
  readonly documentation: string | null
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: ConfigSource }[]
}

export interface DescribedConfigs extends ConfigResource {
  readonly entries: readonly ConfigEntry[]
  readonly error: ClientError | null
}

export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value?: string
}

export interface ConfigResult extends ConfigResource {
  readonly error: ClientError | null
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** '' where the broker's version does not tell. */
  readonly state: string
  /** classic, consumer, share ...; '' where the broker's version does not tell. */
  readonly type: string
  readonly coordinatorId: number
}

export interface ListedGroups {
  readonly groups: readonly GroupListing[]
  /** Brokers that did not answer: their groups are missing above. */
  readonly failures: readonly { readonly nodeId: number; readonly error: ClientError }[]
}

export interface MemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** From the member's subscription; empty where it is not the consumer protocol's. */
  readonly subscribedTopics: readonly string[]
  readonly assignment: readonly TopicPartition[]
  /** Opaque bytes as the group keeps them. */
  readonly metadataBytes: Buffer
  readonly assignmentBytes: Buffer
  /** Whether both could be read as the consumer protocol's. */
  readonly isParsed: boolean
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  /** The chosen assignor. */
  readonly protocolName: string
  readonly coordinatorId: number | null
  readonly members: readonly MemberDescription[]
  readonly error: ClientError | null
}

export interface CommittedOffset extends TopicPartition {
  /** `null`: nothing committed. */
  readonly offset: number | null
  readonly leaderEpoch: number
  readonly metadata: string | null
  readonly error: ClientError | null
}

export interface GroupOffsets {
  readonly groupId: string
  readonly offsets: readonly CommittedOffset[]
  readonly error: ClientError | null
}

export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | { readonly timestampMs: number }

export interface OffsetQuery extends TopicPartition {
  readonly spec: OffsetSpec
}

export interface ListedOffset extends TopicPartition {
  /** The query's. */
  readonly spec: OffsetSpec
  /** `null`: no such record (no record at or after the timestamp), or an error. */
  readonly offset: number | null
  readonly timestampMs: number | null
  readonly leaderEpoch: number
  readonly error: ClientError | null
}

export interface DeletedRecords extends PartitionResult {
  /** The new start of the log. */
  readonly logStartOffset: number | null
}

export interface LogDirectoryReplica extends TopicPartition {
  readonly sizeBytes: number
  readonly offsetLag: number
  readonly isFuture: boolean
}

export interface LogDirectory {
  readonly nodeId: number
  readonly path: string
  /** -1 where the broker's version does not tell. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly LogDirectoryReplica[]
  readonly error: ClientError | null
}

export interface DescribedLogDirectories {
  readonly directories: readonly LogDirectory[]
  readonly failures: readonly { readonly nodeId: number; readonly error: ClientError }[]
}

export interface WishedReplicas extends TopicPartition {
  /** The first is preferred as leader; `null` cancels what is under way. */
  readonly replicas: readonly number[] | null
}

/** A partition on its way to other brokers. */
export interface OngoingReassignment extends TopicPartition {
  /** Those wished for, then those that go. */
  readonly replicas: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
}

export interface ClusterDescription {
  readonly clusterId: string | null
  readonly controllerId: number | null
  readonly brokers: readonly (BrokerEndpoint & { readonly isFenced: boolean })[]
}

export interface Admin {
  /** Every topic, internal ones included. */
  listTopics(options?: CallOptions): Promise<readonly TopicListing[]>
  /** A missing topic is an item with an error. 'all' as in `listTopics`. */
  describeTopics(names: readonly string[] | 'all', options?: CallOptions): Promise<readonly TopicMetadata[]>
  createTopics(topics: readonly NewTopic[], options?: CallOptions & { readonly validateOnly?: boolean }): Promise<readonly CreatedTopic[]>
  deleteTopics(names: readonly string[], options?: CallOptions): Promise<readonly NamedResult[]>
  /** To that total; brokers place the new ones unless told where. */
  createPartitions(
    topics: readonly { readonly name: string; readonly partitionCount: number; readonly assignments?: readonly (readonly number[])[] }[],
    options?: CallOptions & { readonly validateOnly?: boolean },
  ): Promise<readonly NamedResult[]>
  /** Brokers are asked themselves, everything else of any. `names` narrows to those settings. */
  describeConfigs(
    resources: readonly (ConfigResource & { readonly names?: readonly string[] })[],
    options?: CallOptions & { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean },
  ): Promise<readonly DescribedConfigs[]>
  incrementalAlterConfigs(
    resources: readonly (ConfigResource & { readonly changes: readonly ConfigChange[] })[],
    options?: CallOptions & { readonly validateOnly?: boolean },
  ): Promise<readonly ConfigResult[]>
  /** Asks every broker and merges. */
  listGroups(options?: CallOptions & { readonly states?: readonly string[]; readonly types?: readonly string[] }): Promise<ListedGroups>
  /** A group that does not exist is described with state 'Dead' or a GROUP_ID_NOT_FOUND error, as the broker's version has it. */
  describeGroups(groupIds: readonly string[], options?: CallOptions): Promise<readonly GroupDescription[]>
  deleteGroups(groupIds: readonly string[], options?: CallOptions): Promise<readonly NamedResult[]>
  /** Without partitions: everything the group committed. */
  fetchOffsets(
    groups: readonly { readonly groupId: string; readonly partitions?: readonly TopicPartition[] }[],
    options?: CallOptions & { readonly requireStable?: boolean },
  ): Promise<readonly GroupOffsets[]>
  /** Only while the group has no members (otherwise UNKNOWN_MEMBER_ID, said as such). */
  alterOffsets(
    groupId: string,
    offsets: readonly (TopicPartition & { readonly offset: number; readonly metadata?: string })[],
    options?: CallOptions,
  ): Promise<readonly PartitionResult[]>
  /** Refused per topic while a member subscribes to it. */
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[], options?: CallOptions): Promise<readonly PartitionResult[]>
  /** One request per leader. Results in the order of the queries. */
  listOffsets(
    queries: readonly OffsetQuery[],
    options?: CallOptions & { readonly isolation?: 'read_uncommitted' | 'read_committed' },
  ): Promise<readonly ListedOffset[]>
  /** Everything before `beforeOffset`; -1 means up to the high watermark. */
  deleteRecords(
    targets: readonly (TopicPartition & { readonly beforeOffset: number })[],
    options?: CallOptions,
  ): Promise<readonly DeletedRecords[]>
  /** Asks those brokers, or every one. */
  describeLogDirs(
    options?: CallOptions & { readonly nodeIds?: readonly number[]; readonly topics?: readonly string[] },
  ): Promise<DescribedLogDirectories>
  describeCluster(options?: CallOptions): Promise<ClusterDescription>
  /** 'all' partitions that need it, or those. */
  electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] | 'all',
    options?: CallOptions,
  ): Promise<readonly PartitionResult[]>
  /** Asks the controller to move partitions, or to take back a move; it answers once it has decided, not when replicas have arrived. */
  alterPartitionReassignments(wished: readonly WishedReplicas[], options?: CallOptions): Promise<readonly PartitionResult[]>
  /** What moves now, of those partitions or of all. */
  listPartitionReassignments(partitions: readonly TopicPartition[] | 'all', options?: CallOptions): Promise<readonly OngoingReassignment[]>
}
