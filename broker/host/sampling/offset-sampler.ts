/** Keeps the ends of all partitions and their rates current, in slices, so that forty thousand partitions stall nothing. */
import type { OffsetQuery } from '../../client/types.ts'
import type { Env } from '../../env/types.ts'
import type { TopicKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { toHostError } from '../problem.ts'
import { runRounds, slicesOf, type Round } from './loop.ts'

export const offsetIntervalMs = 2_000
const offsetDeadlineMs = 8_000
/** Partitions one ListOffsets call asks for. */
const partitionsPerCall = 2_000
/** Log starts move rarely: those known are asked for in every n-th round only. */
const roundsPerLogStart = 5

export function sampleOffsets(env: Env, session: ClusterSession, onRound: () => void): Round {
  let roundNumber = 0
  return runRounds(env, {
    intervalMs: offsetIntervalMs,
    signal: session.signal,
    async round() {
      if (session.state.status !== 'connected') return undefined
      const { knowledge } = session
      const withLogStart = roundNumber % roundsPerLogStart === 0
      roundNumber += 1
      try {
        await askAll(env, session, 'earliest', withLogStart)
        await askAll(env, session, 'latest', true)
        knowledge.gaps.delete('offsets')
        knowledge.offsetsAsOfMs = env.clock.nowMs()
        knowledge.topicChanges.emit()
        onRound()
      } catch (error) {
        if (!session.signal.aborted) knowledge.gaps.set('offsets', `Offsets could not be read: ${toHostError(error).message}`)
      }
      return undefined
    },
  })
}

/** Of all partitions, or only of those never asked about: a new topic's. */
async function askAll(env: Env, session: ClusterSession, spec: 'earliest' | 'latest', all: boolean): Promise<void> {
  const { knowledge } = session
  const queries: OffsetQuery[] = []
  for (const topic of knowledge.topics.values()) {
    for (const partition of topic.partitions) {
      const isWanted = all || Number.isNaN(topic.logStartOffsets[partition.partition])
      if (partition.leader !== null && isWanted) queries.push({ topic: topic.name, partition: partition.partition, spec })
    }
  }
  const sampledAtMs = new Map<TopicKnowledge, number>()
  for (const slice of slicesOf(queries, partitionsPerCall)) {
    const listed = await session.client.admin.listOffsets(slice, { timeoutMs: offsetDeadlineMs, signal: session.signal })
    const atMs = env.clock.monotonicMs()
    for (const { topic, partition, offset } of listed) {
      const known = knowledge.topics.get(topic)
      if (known === undefined || partition >= known.highWatermarks.length || offset === null) continue
      if (spec === 'earliest') known.logStartOffsets[partition] = offset
      else takeEnd(known, partition, offset, atMs)
      sampledAtMs.set(known, atMs)
    }
    await env.scheduler.yieldTurn()
  }
  // Only now: a topic's partitions may lie in two slices, and both measure from the round before.
  for (const [topic, atMs] of sampledAtMs) {
    if (spec === 'latest') topic.offsetsAtMs = atMs
    summarize(topic)
  }
}

function takeEnd(topic: TopicKnowledge, partition: number, offset: number, atMs: number): void {
  const seconds = (atMs - topic.offsetsAtMs) / 1_000
  const grown = offset - (topic.highWatermarks[partition] ?? Number.NaN)
  if (topic.offsetsAtMs > 0 && seconds > 0) topic.partitionRates[partition] = Math.max(0, grown / seconds)
  topic.highWatermarks[partition] = offset
}

function summarize(topic: TopicKnowledge): void {
  let recordCount: number | null = null
  let rate: number | null = null
  for (let partition = 0; partition < topic.highWatermarks.length; partition += 1) {
    const span = (topic.highWatermarks[partition] ?? Number.NaN) - (topic.logStartOffsets[partition] ?? Number.NaN)
    if (!Number.isNaN(span)) recordCount = (recordCount ?? 0) + Math.max(0, span)
    const partitionRate = topic.partitionRates[partition] ?? Number.NaN
    if (!Number.isNaN(partitionRate)) rate = (rate ?? 0) + partitionRate
  }
  topic.recordCount = recordCount
  topic.recordsInPerSecond = rate
}
