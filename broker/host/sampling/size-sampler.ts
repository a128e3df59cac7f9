/** Keeps the sizes on disk current: per partition leader, topic and broker, with how fast they grow. */
import type { LogDirectory } from '../../client/types.ts'
import type { Env } from '../../env/types.ts'
import type { BrokerKnowledge, ClusterKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { toHostError } from '../problem.ts'
import { runRounds, type Round } from './loop.ts'

export const sizeIntervalMs = 5_000
const sizeDeadlineMs = 8_000

export function sampleSizes(env: Env, session: ClusterSession): Round {
  return runRounds(env, {
    intervalMs: sizeIntervalMs,
    signal: session.signal,
    async round() {
      if (session.state.status !== 'connected') return undefined
      const { knowledge } = session
      try {
        const described = await session.client.admin.describeLogDirs({ timeoutMs: sizeDeadlineMs, signal: session.signal })
        applySizes(knowledge, described.directories, env.clock.monotonicMs())
        for (const { nodeId, error } of described.failures) factsOf(knowledge, nodeId).problem = error.message
        knowledge.gaps.delete('sizes')
        knowledge.topicChanges.emit()
      } catch (error) {
        if (!session.signal.aborted) knowledge.gaps.set('sizes', `Sizes could not be read: ${toHostError(error).message}`)
      }
      return undefined
    },
  })
}

export function applySizes(knowledge: ClusterKnowledge, directories: readonly LogDirectory[], atMs: number): void {
  const byTopic = new Map<string, number>()
  const byBroker = new Map<number, number>()
  const failed = new Map<number, string>()
  for (const directory of directories) {
    byBroker.set(directory.nodeId, byBroker.get(directory.nodeId) ?? 0)
    if (directory.error !== null) failed.set(directory.nodeId, `${directory.path}: ${directory.error.message}`)
    for (const replica of directory.replicas) {
      if (replica.isFuture) continue
      byTopic.set(replica.topic, (byTopic.get(replica.topic) ?? 0) + replica.sizeBytes)
      byBroker.set(directory.nodeId, (byBroker.get(directory.nodeId) ?? 0) + replica.sizeBytes)
      const topic = knowledge.topics.get(replica.topic)
      if (topic?.partitions[replica.partition]?.leader === directory.nodeId) topic.leaderBytes[replica.partition] = replica.sizeBytes
    }
  }
  for (const [name, bytes] of byTopic) {
    const topic = knowledge.topics.get(name)
    if (topic === undefined) continue
    topic.bytesInPerSecond = growth(topic.bytes, topic.bytesAtMs, bytes, atMs)
    topic.bytes = bytes
    topic.bytesAtMs = atMs
  }
  for (const [nodeId, bytes] of byBroker) {
    const facts = factsOf(knowledge, nodeId)
    facts.bytesInPerSecond = growth(facts.bytes, facts.bytesAtMs, bytes, atMs)
    facts.bytes = bytes
    facts.bytesAtMs = atMs
    facts.problem = failed.get(nodeId) ?? null
  }
}

function factsOf(knowledge: ClusterKnowledge, nodeId: number): BrokerKnowledge {
  let facts = knowledge.brokerFacts.get(nodeId)
  if (facts === undefined) {
    facts = { bytes: null, bytesInPerSecond: null, bytesAtMs: 0, problem: null }
    knowledge.brokerFacts.set(nodeId, facts)
  }
  return facts
}

/** Bytes per second; retention shrinking a log is no negative inflow. */
function growth(before: number | null, beforeMs: number, now: number, nowMs: number): number | null {
  if (before === null || nowMs <= beforeMs) return null
  return Math.max(0, ((now - before) * 1_000) / (nowMs - beforeMs))
}
