/** Keeps brokers, topics and partition states current, and decides whether the cluster answers. */
import type { ClusterMetadata, TopicMetadata } from '../../client/types.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import type { ClusterKnowledge, TopicKnowledge } from '../clusters/knowledge.ts'
import type { TimelineFollower } from '../timeline/timeline-recorder.ts'
import { attentivePace, runRounds, type AttentiveRound } from './loop.ts'
import { ailmentOf } from './partition-ailments.ts'

export const metadataIntervalMs = 1_000
const metadataDeadlineMs = 5_000

/** `onNews`: connected, or topics came or went. */
export function sampleMetadata(env: Env, session: ClusterSession, timeline: TimelineFollower, onNews: () => void): AttentiveRound {
  const pace = attentivePace(env, metadataIntervalMs)
  const rounds = runRounds(env, {
    intervalMs: metadataIntervalMs,
    signal: session.signal,
    async round() {
      const startMs = env.clock.monotonicMs()
      try {
        const wasConnected = session.state.status === 'connected'
        const metadata = await session.client.metadata({
          topics: 'all',
          refresh: true,
          timeoutMs: metadataDeadlineMs,
          signal: session.signal,
        })
        const isListChanged = applyMetadata(session.knowledge, metadata)
        if (timeline.metadata({ brokers: metadata.brokers, topics: readableTopics(metadata) })) pace.attend()
        session.succeeded()
        if (!wasConnected || isListChanged) onNews()
        return pace.pauseMs(env.clock.monotonicMs() - startMs)
      } catch (error) {
        return session.signal.aborted ? 0 : session.failed(error)
      }
    },
  })
  return {
    attend() {
      pace.attend()
      rounds.hurry()
    },
  }
}

/** Those that could not be described tell nothing of their partitions. */
function readableTopics({ topics }: ClusterMetadata): ReadonlyMap<string, TopicMetadata> {
  const hasFailed = [...topics.values()].some(({ error }) => error !== null)
  return hasFailed ? new Map([...topics].filter(([, { error }]) => error === null)) : topics
}

/** Takes over what a metadata answer says; emits only when something a screen shows has changed. True when topics came or went. */
export function applyMetadata(knowledge: ClusterKnowledge, metadata: ClusterMetadata): boolean {
  let isChanged = knowledge.metadataAsOfMs === null || !sameBrokers(knowledge, metadata)
  knowledge.kafkaClusterId = metadata.clusterId
  knowledge.controllerId = metadata.controllerId
  knowledge.brokers = [...metadata.brokers].sort((a, b) => a.nodeId - b.nodeId)
  knowledge.metadataAsOfMs = metadata.fetchedMs

  let isListChanged = false
  for (const topic of metadata.topics.values()) {
    if (topic.error !== null) continue
    const known = knowledge.topics.get(topic.name)
    // Deleted and made again: nothing known of the old one holds for the new one.
    const isSame = known !== undefined && (known.topicId === topic.topicId || topic.topicId === null)
    if (!isSame) isListChanged = true
    const entry = isSame ? known : newTopic(topic)
    if (!isSame) knowledge.topics.set(topic.name, entry)
    if (applyTopic(entry, topic)) isChanged = true
  }
  for (const name of knowledge.topics.keys()) {
    const topic = metadata.topics.get(name)
    if (topic !== undefined && topic.error === null) continue
    knowledge.topics.delete(name)
    isListChanged = true
  }
  if (isListChanged) knowledge.topicNames = [...knowledge.topics.keys()].sort()
  if (isChanged || isListChanged) knowledge.topicChanges.emit()
  return isListChanged
}

function newTopic(topic: TopicMetadata): TopicKnowledge {
  return {
    name: topic.name,
    topicId: topic.topicId,
    isInternal: topic.isInternal,
    partitions: [],
    replicationFactor: 0,
    underReplicatedCount: 0,
    belowMinIsrCount: 0,
    atMinIsrCount: 0,
    offlineCount: 0,
    minInSyncReplicas: null,
    minInSyncAtMs: 0,
    logStartOffsets: new Float64Array(0),
    highWatermarks: new Float64Array(0),
    partitionRates: new Float64Array(0),
    leaderBytes: new Float64Array(0),
    offsetsAtMs: 0,
    recordCount: null,
    recordsInPerSecond: null,
    bytes: null,
    bytesInPerSecond: null,
    bytesAtMs: 0,
  }
}

function applyTopic(known: TopicKnowledge, topic: TopicMetadata): boolean {
  const before = fingerprint(known.partitions)
  known.partitions = topic.partitions
  known.isInternal = topic.isInternal
  known.replicationFactor = topic.partitions.reduce((most, { replicas }) => Math.max(most, replicas.length), 0)
  countAilments(known)
  const count = topic.partitions.length
  if (known.highWatermarks.length !== count) {
    known.logStartOffsets = resized(known.logStartOffsets, count)
    known.highWatermarks = resized(known.highWatermarks, count)
    known.partitionRates = resized(known.partitionRates, count)
    known.leaderBytes = resized(known.leaderBytes, count)
  }
  return before !== fingerprint(topic.partitions)
}

/** Counts anew how the partitions are: after they or min.insync.replicas changed. */
export function countAilments(topic: TopicKnowledge): void {
  topic.underReplicatedCount = 0
  topic.belowMinIsrCount = 0
  topic.atMinIsrCount = 0
  topic.offlineCount = 0
  for (const partition of topic.partitions) {
    const ailment = ailmentOf(partition, topic.minInSyncReplicas)
    if (ailment === null) continue
    if (ailment === 'offline') topic.offlineCount += 1
    else topic.underReplicatedCount += 1
    if (ailment === 'below-min-isr') topic.belowMinIsrCount += 1
    if (ailment === 'at-min-isr') topic.atMinIsrCount += 1
  }
}

/** Leaders, their epochs and in-sync sets in few bytes: what a screen draws. */
function fingerprint(partitions: TopicMetadata['partitions']): number {
  let hash = partitions.length
  for (const partition of partitions) {
    hash = (Math.imul(hash, 31) + (partition.leader ?? -1)) | 0
    hash = (Math.imul(hash, 41) + partition.leaderEpoch) | 0
    for (const replica of partition.isr) hash = (Math.imul(hash, 31) + replica) | 0
    for (const replica of partition.replicas) hash = (Math.imul(hash, 37) + replica) | 0
  }
  return hash
}

function resized(values: Float64Array, count: number): Float64Array {
  const next = new Float64Array(count).fill(Number.NaN)
  next.set(values.subarray(0, count))
  return next
}

function sameBrokers(knowledge: ClusterKnowledge, metadata: ClusterMetadata): boolean {
  if (knowledge.controllerId !== metadata.controllerId || knowledge.brokers.length !== metadata.brokers.length) return false
  return metadata.brokers.every((broker) =>
    knowledge.brokers.some((known) => known.nodeId === broker.nodeId && known.host === broker.host && known.port === broker.port),
  )
}
