/** A cluster at a glance: is it up, where, what flows, what hurts. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { ofCluster, timeSpan, type Series } from './common.ts'
import type { ClusterView } from './clusters.ts'
import type { NodeState } from './nodes.ts'
import { streamOf } from './stream.ts'

export interface BrokerSummary {
  readonly id: number
  /** As advertised. `null` for a broker that never registered with the cluster (embedded, not started yet). */
  readonly host: string | null
  readonly port: number | null
  readonly rack: string | null
  /** Whether the cluster's metadata lists it as alive (unfenced). */
  readonly isAlive: boolean
  /** What the process is doing; `null` on remote clusters. */
  readonly node: NodeState | null
  /** Process id; `null` on remote clusters and for a process that is not running. */
  readonly pid: number | null
  readonly leaderCount: number
  readonly replicaCount: number
  /** Replicas here that are in their partition's ISR. */
  readonly inSyncReplicaCount: number
  /** Of all replicas in its log directories; `null` when it did not say. */
  readonly bytes: number | null
  /** Records appended per second to the partitions it leads; `null` until two samples exist. */
  readonly recordsInPerSecond: number | null
  /** Growth of what it stores; `null` until two samples exist. */
  readonly bytesInPerSecond: number | null
  /** Client connections; `null` on remote clusters. */
  readonly connectionCount: number | null
  /** What is wrong with it, as a sentence; `null` when nothing is. */
  readonly problem: string | null
}

/** A voter of the metadata quorum. */
export interface ControllerSummary {
  readonly id: number
  readonly role: 'leader' | 'follower' | 'unknown'
  /** What the process is doing; `null` on remote clusters and where brokers and controllers share a process. */
  readonly node: NodeState | null
  readonly pid: number | null
  /** End of its copy of the metadata log; `null` when not known. */
  readonly logEndOffset: number | null
  /** Metadata records it is behind the leader. */
  readonly lag: number | null
}

export interface QuorumView {
  /** `null` when there is no leader, or the cluster does not say. */
  readonly leaderId: number | null
  readonly leaderEpoch: number | null
  readonly highWatermark: number | null
  readonly voters: readonly ControllerSummary[]
  /** Brokers following the metadata log. */
  readonly observers: readonly { readonly id: number; readonly logEndOffset: number; readonly lag: number | null }[]
}

export interface WorstLag {
  readonly groupId: string
  readonly topic: string
  /** The group's most lagging partition of that topic. */
  readonly partition: number
  /** Records behind on that partition. */
  readonly lag: number
  /** Records behind on the whole topic. */
  readonly topicLag: number
}

export interface OverviewCounts {
  readonly topics: number
  readonly partitions: number
  readonly groups: number
  /** `null` on remote clusters. */
  readonly connections: number | null
  /** Partitions with fewer in-sync replicas than replicas (and a leader): those of the next two are among them. */
  readonly underReplicated: number
  /** Partitions with fewer in-sync replicas than min.insync.replicas: writes with acks=all are refused. */
  readonly belowMinIsr: number
  /** Under-replicated partitions with just min.insync.replicas in sync: one more loss refuses writes with acks=all. */
  readonly atMinIsr: number
  /** Partitions without a leader. */
  readonly offline: number
  /** Records behind, over all groups; `null` before the first sample. */
  readonly totalLag: number | null
}

/** How a partition ails, worst first. `below-min-isr` and `at-min-isr` are known once the topic's min.insync.replicas is. */
export const partitionAilments = ['offline', 'below-min-isr', 'at-min-isr', 'under-replicated'] as const
export type PartitionAilment = (typeof partitionAilments)[number]

/** Topics and partitions an overview names. */
export const affectedTopicsMax = 20
export const affectedPartitionsMax = 12

export interface AffectedTopic {
  readonly topic: string
  /** Of its worst partition. */
  readonly ailment: PartitionAilment
  /** Its partitions by ailment, each counted once. */
  readonly counts: Readonly<Record<PartitionAilment, number>>
  /** Its worst partitions, at most `affectedPartitionsMax`. */
  readonly partitions: readonly { readonly partition: number; readonly ailment: PartitionAilment; readonly lastLeader: number | null }[]
  /** `null` until the cluster has said. */
  readonly minInSyncReplicas: number | null
}

export interface Overview {
  readonly asOfMs: number
  readonly cluster: ClusterView
  /** What a client is to be given, comma-joined it is a `bootstrap.servers`. First: reachable from this machine. */
  readonly bootstrapServers: readonly string[]
  readonly brokers: readonly BrokerSummary[]
  readonly quorum: QuorumView | null
  readonly counts: OverviewCounts
  /** Over all topics but internal ones; `null` until two samples exist. */
  readonly recordsInPerSecond: number | null
  readonly bytesInPerSecond: number | null
  /** At most 10, most lagging first. */
  readonly worstLags: readonly WorstLag[]
  /** Topics with partitions that ail, the worst first, at most `affectedTopicsMax`; internal ones too. */
  readonly affectedTopics: readonly AffectedTopic[]
  readonly affectedTopicCount: number
  /** Parts that could not be read, as sentences. */
  readonly gaps: readonly string[]
}

export const overviewContract = {
  get: procedure.input(ofCluster).output(type<Overview>()),
  /** At most twice a second; also while the cluster is unreachable (then with its state and what was last known). */
  watch: procedure.input(ofCluster).output(streamOf<Overview>()),
  /** `records in` (records/s), `bytes in` (bytes/s) and `total lag` (records). */
  history: procedure.input(v.object({ ...ofCluster.entries, ...timeSpan.entries })).output(type<readonly Series[]>()),
}
