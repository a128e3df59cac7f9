/** Writes what the samplers found into the store, so that charts have a past. In slices: SQLite writes are synchronous. */
import type { Env } from '../../env/types.ts'
import type { HistoryStore, Sample } from '../../store/history.ts'
import { totalLagOf, worstGroupOf, type GroupKnowledge } from '../clusters/knowledge.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { slicesOf } from './loop.ts'

export const historyIntervalMs = 5_000
export const pruneIntervalMs = 10 * 60_000
const samplesPerSlice = 1_000
/** Partitions of one group that get a series of their own. */
const groupPartitionSeriesMax = 200

export const metrics = {
  clusterRecordsIn: 'cluster.records-in',
  clusterBytesIn: 'cluster.bytes-in',
  clusterLag: 'cluster.lag',
  topicRecordsIn: 'topic.records-in',
  topicBytes: 'topic.bytes',
  topicLag: 'topic.lag',
  groupLag: 'group.lag',
  groupTopicLag: 'group.topic-lag',
  groupPartitionLag: 'group.partition-lag',
} as const

/** A series' subject of several parts, without ambiguity. */
export function subjectOf(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts)
}

export interface HistoryRecorder {
  recordOffsets(session: ClusterSession): void
  recordGroups(session: ClusterSession, groups: readonly GroupKnowledge[]): void
}

export function createHistoryRecorder(env: Env, history: HistoryStore): HistoryRecorder {
  const offsetsRecordedMs = new Map<string, number>()
  const running = new Set<string>()

  async function write(session: ClusterSession, kind: string, samples: readonly Sample[]): Promise<void> {
    const key = `${kind}\0${session.id}`
    if (running.has(key)) return
    running.add(key)
    const atMs = env.clock.nowMs()
    try {
      for (const slice of slicesOf(samples, samplesPerSlice)) {
        if (session.signal.aborted) return
        const leftOut = history.record(session.id, atMs, slice)
        if (leftOut > 0) session.knowledge.gaps.set('history', `The history of ${leftOut} series is not kept: there are too many.`)
        await env.scheduler.yieldTurn()
      }
    } catch (error) {
      session.knowledge.gaps.set('history', 'History could not be written: the database failed.')
      env.log.write('error', 'history could not be written', { cluster: session.id, error })
    } finally {
      running.delete(key)
    }
  }

  return {
    recordOffsets(session) {
      const nowMs = env.clock.monotonicMs()
      if (nowMs - (offsetsRecordedMs.get(session.id) ?? Number.NEGATIVE_INFINITY) < historyIntervalMs) return
      offsetsRecordedMs.set(session.id, nowMs)
      void write(session, 'offsets', offsetSamples(session))
    },
    recordGroups: (session, groups) => void write(session, 'groups', groupSamples(groups)),
  }
}

function offsetSamples({ knowledge }: ClusterSession): readonly Sample[] {
  const samples: Sample[] = []
  let recordsIn: number | null = null
  let bytesIn: number | null = null
  for (const topic of knowledge.topics.values()) {
    if (topic.recordsInPerSecond !== null) {
      if (!topic.isInternal) recordsIn = (recordsIn ?? 0) + topic.recordsInPerSecond
      samples.push({ metric: metrics.topicRecordsIn, subject: topic.name, value: round(topic.recordsInPerSecond) })
    }
    if (topic.bytesInPerSecond !== null && !topic.isInternal) bytesIn = (bytesIn ?? 0) + topic.bytesInPerSecond
    if (topic.bytes !== null) samples.push({ metric: metrics.topicBytes, subject: topic.name, value: topic.bytes })
    const worst = worstGroupOf(knowledge, topic.name)
    if (worst !== null) samples.push({ metric: metrics.topicLag, subject: topic.name, value: worst.lag })
  }
  const lag = totalLagOf(knowledge)
  if (recordsIn !== null) samples.unshift({ metric: metrics.clusterRecordsIn, subject: '', value: round(recordsIn) })
  if (bytesIn !== null) samples.unshift({ metric: metrics.clusterBytesIn, subject: '', value: round(bytesIn) })
  if (lag !== null) samples.unshift({ metric: metrics.clusterLag, subject: '', value: lag })
  return samples
}

function groupSamples(groups: readonly GroupKnowledge[]): readonly Sample[] {
  const samples: Sample[] = []
  for (const group of groups) {
    if (group.totalLag === null) continue
    samples.push({ metric: metrics.groupLag, subject: group.groupId, value: group.totalLag })
    for (const [topic, lag] of group.topicLags) {
      samples.push({ metric: metrics.groupTopicLag, subject: subjectOf(group.groupId, topic), value: lag })
    }
    let partitionCount = 0
    for (const [topic, partitions] of group.partitionLags) {
      for (const [partition, lag] of partitions) {
        if ((partitionCount += 1) > groupPartitionSeriesMax) continue
        samples.push({ metric: metrics.groupPartitionLag, subject: subjectOf(group.groupId, topic, partition), value: lag })
      }
    }
  }
  return samples
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
