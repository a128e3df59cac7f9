/**
 * What happened to a cluster by itself: elections, in-sync sets, brokers and the quorum coming and going. Found by comparing what the
 * cluster says with what it said a moment before, so it is known of every cluster, remote ones too, to about a second. Many changes of one
 * cause are one event with a count: a broker that dies moves ten thousand leaders and is one line.
 */

/** Closed: the screen has a mark and a phrase for each. */
export const clusterEventKinds = [
  'leader-changed',
  'partition-offline',
  'partition-online',
  'isr-shrunk',
  'isr-expanded',
  'broker-registered',
  'broker-fenced',
  'broker-unfenced',
  'controller-elected',
  'quorum-lost',
  'quorum-returned',
] as const
export type ClusterEventKind = (typeof clusterEventKinds)[number]

/** Rows of the time axis, and what the list is filtered by. */
export const timelineLanes = ['quorum', 'broker', 'partition', 'leader', 'isr', 'event', 'change'] as const
export type TimelineLane = (typeof timelineLanes)[number]

export const laneOfKind: Readonly<Record<ClusterEventKind, TimelineLane>> = {
  'leader-changed': 'leader',
  'partition-offline': 'partition',
  'partition-online': 'partition',
  'isr-shrunk': 'isr',
  'isr-expanded': 'isr',
  'broker-registered': 'broker',
  'broker-fenced': 'broker',
  'broker-unfenced': 'broker',
  'controller-elected': 'quorum',
  'quorum-lost': 'quorum',
  'quorum-returned': 'quorum',
}

/**
 * Why a leader changed, as far as can be known from outside. `broker-ended`: the leader before is not among the live brokers any more.
 * `broker-stopping`: it hands its partitions over (embedded clusters). `preferred`: the first of the replicas took over from a live one.
 * `unclean`: the new leader was not in sync, so records may be lost.
 */
export const electionCauses = ['broker-ended', 'broker-stopping', 'preferred', 'unclean'] as const
export type ElectionCause = (typeof electionCauses)[number]

/** Partitions of one event that are kept by name. */
export const eventPartitionsMax = 500
/** Topics of one event that are kept by name. */
export const eventTopicsMax = 1_000
/** Topics of one event that a row carries. */
export const eventTopicsShown = 3

export interface ClusterEvent {
  readonly id: number
  readonly clusterId: string
  readonly kind: ClusterEventKind
  /** When the first and the last of its changes were seen. */
  readonly atMs: number
  readonly untilMs: number
  /** `null`: not known, or not an election. */
  readonly cause: ElectionCause | null
  /** What happened, to what, and why: one sentence. */
  readonly summary: string
  /** Brokers it speaks of, for controllers their ids; those it is about first. */
  readonly brokerIds: readonly number[]
  /** At most `eventTopicsShown`, by name. */
  readonly topics: readonly string[]
  readonly topicCount: number
  /** 0 where it speaks of no partition. */
  readonly partitionCount: number
  /** The partition, when there is one only. */
  readonly partition: number | null
}

/** One partition's part in an event. */
export interface EventPartition {
  readonly topic: string
  readonly partition: number
  /** The leader before and after; `null`: none. */
  readonly from: number | null
  readonly to: number | null
  /** After; -1 where the cluster does not say. */
  readonly leaderEpoch: number
  /** The in-sync set after. */
  readonly isr: readonly number[]
  readonly replicaCount: number
}

export interface ClusterEventPartitions {
  /** By topic and partition, at most `eventPartitionsMax`; empty once they were dropped for their age. */
  readonly partitions: readonly EventPartition[]
  readonly total: number
  /** True: they were kept once, and dropped to make room. */
  readonly isDropped: boolean
}

export interface TimelineMark {
  readonly lane: TimelineLane
  /** 0: the oldest slot. */
  readonly slot: number
  /** Lines of the list that lie in it. */
  readonly count: number
  /** A loss is among them: something went offline, was fenced, fell out of sync, or failed. */
  readonly isLoss: boolean
}

export interface TimelineMarks {
  readonly fromMs: number
  readonly toMs: number
  readonly slotMs: number
  readonly marks: readonly TimelineMark[]
}
