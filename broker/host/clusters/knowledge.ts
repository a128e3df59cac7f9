/**
 * What the host knows of one cluster, from samples. Invariant: only the samplers write it, each its own fields; everybody
 * else reads. Lists, the overview and the palette answer from here, so no page waits for a broker. Bounded by the cluster:
 * one entry per partition and per group.
 */
import type { BrokerEndpoint, PartitionMetadata } from '../../client/types.ts'
import type { GroupState } from '../../contract/groups.ts'
import type { QuorumView } from '../../contract/overview.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'

export interface TopicKnowledge {
  readonly name: string
  topicId: string | null
  isInternal: boolean
  partitions: readonly PartitionMetadata[]
  replicationFactor: number
  underReplicatedCount: number
  /** Of those: with fewer in sync than `minInSyncReplicas`, and with just as many. 0 while that is not known. */
  belowMinIsrCount: number
  atMinIsrCount: number
  offlineCount: number
  /** min.insync.replicas; `null` until the cluster has said. */
  minInSyncReplicas: number | null
  /** Monotonic time it was read or asked for; 0: never. */
  minInSyncAtMs: number
  /** By partition; NaN where not known. */
  logStartOffsets: Float64Array
  highWatermarks: Float64Array
  /** Records per second by partition; NaN until two samples exist. */
  partitionRates: Float64Array
  /** Of the leader's copy, by partition; NaN where not known. */
  leaderBytes: Float64Array
  /** Monotonic time of `highWatermarks`; 0: never sampled. */
  offsetsAtMs: number
  recordCount: number | null
  recordsInPerSecond: number | null
  /** All replicas. */
  bytes: number | null
  bytesInPerSecond: number | null
  bytesAtMs: number
}

export interface GroupKnowledge {
  readonly groupId: string
  state: GroupState
  protocolType: string
  groupType: 'classic' | 'consumer' | 'share' | 'unknown'
  coordinator: number | null
  memberCount: number | null
  /** Committed offset by topic and partition; `null` before the first sample. */
  committed: ReadonlyMap<string, ReadonlyMap<number, number>> | null
  /** Records behind by topic and partition; without partitions whose end is not known. */
  partitionLags: ReadonlyMap<string, ReadonlyMap<number, number>>
  /** Records behind by topic. */
  topicLags: ReadonlyMap<string, number>
  totalLag: number | null
  worst: { readonly topic: string; readonly partition: number; readonly lag: number } | null
  lagAsOfMs: number | null
}

export interface BrokerKnowledge {
  /** Of all its replicas; `null` until it has said. */
  bytes: number | null
  bytesInPerSecond: number | null
  bytesAtMs: number
  /** Why its log directories could not be read. */
  problem: string | null
}

export interface ClusterKnowledge {
  kafkaClusterId: string | null
  controllerId: number | null
  brokers: readonly BrokerEndpoint[]
  topics: Map<string, TopicKnowledge>
  /** Sorted as names are shown. */
  topicNames: readonly string[]
  groups: Map<string, GroupKnowledge>
  groupIds: readonly string[]
  /** Groups with a committed offset, by topic. */
  groupsByTopic: ReadonlyMap<string, readonly GroupKnowledge[]>
  brokerFacts: Map<number, BrokerKnowledge>
  quorum: QuorumView | null
  /** Wall clock of the newest sample of each kind; `null`: none yet. */
  metadataAsOfMs: number | null
  offsetsAsOfMs: number | null
  groupsAsOfMs: number | null
  /** What could not be sampled, by sampler, as sentences. */
  readonly gaps: Map<string, string>
  readonly topicChanges: Changes
  readonly groupChanges: Changes
}

export function createKnowledge(): ClusterKnowledge {
  return {
    kafkaClusterId: null,
    controllerId: null,
    brokers: [],
    topics: new Map(),
    topicNames: [],
    groups: new Map(),
    groupIds: [],
    groupsByTopic: new Map(),
    brokerFacts: new Map(),
    quorum: null,
    metadataAsOfMs: null,
    offsetsAsOfMs: null,
    groupsAsOfMs: null,
    gaps: new Map(),
    topicChanges: createChanges(),
    groupChanges: createChanges(),
  }
}

/** The group that is furthest behind on a topic; `null` when none has committed there. */
export function worstGroupOf(knowledge: ClusterKnowledge, topic: string): { groupId: string; lag: number } | null {
  let worst: { groupId: string; lag: number } | null = null
  for (const group of knowledge.groupsByTopic.get(topic) ?? []) {
    const lag = group.topicLags.get(topic)
    if (lag !== undefined && (worst === null || lag > worst.lag)) worst = { groupId: group.groupId, lag }
  }
  return worst
}

export function totalLagOf(knowledge: ClusterKnowledge): number | null {
  let total: number | null = null
  for (const group of knowledge.groups.values()) {
    if (group.totalLag !== null) total = (total ?? 0) + group.totalLag
  }
  return total
}
