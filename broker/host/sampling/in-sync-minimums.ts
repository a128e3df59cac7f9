/**
 * Keeps the topics' min.insync.replicas known, so that too few replicas in sync can be told from refused writes. Incremental: topics with
 * partitions that ail first, then those never asked about, at most `topicsPerRound` in a round.
 */
import type { Env } from '../../env/types.ts'
import type { ClusterKnowledge, TopicKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { toHostError } from '../problem.ts'
import { runRounds, slicesOf, type Round } from './loop.ts'
import { countAilments } from './metadata-sampler.ts'

export const minimumsIntervalMs = 2_000
const minimumsDeadlineMs = 8_000
const topicsPerRound = 2_000
const topicsPerCall = 500
/** It may have been changed by anybody: asked again after this long where it matters, and where nothing ails. */
const ailingAgeMs = 20_000
const calmAgeMs = 300_000
const settingName = 'min.insync.replicas'

export function sampleInSyncMinimums(env: Env, session: ClusterSession): Round {
  return runRounds(env, {
    intervalMs: minimumsIntervalMs,
    signal: session.signal,
    async round() {
      if (session.state.status !== 'connected') return undefined
      const { knowledge } = session
      try {
        let isChanged = false
        for (const slice of slicesOf(dueTopics(knowledge, env.clock.monotonicMs()), topicsPerCall)) {
          isChanged = (await ask(env, session, slice)) || isChanged
          await env.scheduler.yieldTurn()
        }
        knowledge.gaps.delete('minimums')
        if (isChanged) knowledge.topicChanges.emit()
      } catch (error) {
        if (!session.signal.aborted) knowledge.gaps.set('minimums', `${settingName} could not be read: ${toHostError(error).message}`)
      }
      return undefined
    },
  })
}

function dueTopics(knowledge: ClusterKnowledge, nowMs: number): readonly TopicKnowledge[] {
  const ailing: TopicKnowledge[] = []
  const calm: TopicKnowledge[] = []
  for (const topic of knowledge.topics.values()) {
    const isAiling = topic.underReplicatedCount > 0 || topic.offlineCount > 0
    const isDue = topic.minInSyncAtMs === 0 || nowMs - topic.minInSyncAtMs > (isAiling ? ailingAgeMs : calmAgeMs)
    if (isDue) (isAiling ? ailing : calm).push(topic)
  }
  return [...ailing, ...calm].slice(0, topicsPerRound)
}

/** True when what a screen shows has changed. */
async function ask(env: Env, session: ClusterSession, topics: readonly TopicKnowledge[]): Promise<boolean> {
  const described = await session.client.admin.describeConfigs(
    topics.map(({ name }) => ({ type: 'topic' as const, name, names: [settingName] })),
    { timeoutMs: minimumsDeadlineMs, signal: session.signal },
  )
  const byName = new Map(described.map((resource) => [resource.name, resource]))
  const nowMs = env.clock.monotonicMs()
  let isChanged = false
  for (const topic of topics) {
    // Also when it was not told: whoever cannot be asked must not be first in line for ever.
    topic.minInSyncAtMs = nowMs
    const value = Number(byName.get(topic.name)?.entries.find(({ name }) => name === settingName)?.value ?? Number.NaN)
    if (!Number.isInteger(value) || value === topic.minInSyncReplicas) continue
    topic.minInSyncReplicas = value
    countAilments(topic)
    isChanged ||= topic.underReplicatedCount > 0
  }
  return isChanged
}
