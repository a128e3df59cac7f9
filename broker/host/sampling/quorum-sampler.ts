/** Keeps the controller quorum's leader, epoch and voters current, from DescribeQuorum. */
import { describeQuorum } from '../../api/55-describe-quorum.schema.ts'
import type { QuorumView } from '../../contract/overview.ts'
import type { Env } from '../../env/types.ts'
import type { Decoded } from '../../wire/schema.ts'
import type { ClusterSession } from '../clusters/session.ts'
import type { TimelineFollower } from '../timeline/timeline-recorder.ts'
import { attentivePace, runRounds, type AttentiveRound } from './loop.ts'

export const quorumIntervalMs = 2_000
const quorumDeadlineMs = 3_000
const metadataTopic = '__cluster_metadata'
/** A connection of its own: a broker that waits for a controller answers nothing else on it meanwhile. */
const quorumLane = 'quorum'

export function sampleQuorum(env: Env, session: ClusterSession, timeline: TimelineFollower): AttentiveRound {
  const pace = attentivePace(env, quorumIntervalMs)
  const rounds = runRounds(env, {
    intervalMs: quorumIntervalMs,
    signal: session.signal,
    async round() {
      if (session.state.status !== 'connected') return undefined
      const { knowledge } = session
      const [startMs, askedMs] = [env.clock.monotonicMs(), env.clock.nowMs()]
      const before = knowledge.quorum
      try {
        const body = { topics: [{ topicName: metadataTopic, partitions: [{ partitionIndex: 0 }] }] }
        const reply = await session.client.request('any', describeQuorum, body, {
          timeoutMs: quorumDeadlineMs,
          lane: quorumLane,
          signal: session.signal,
        })
        knowledge.quorum = quorumOf(reply) ?? withoutLeader(knowledge.quorum)
      } catch {
        // Clusters with ZooKeeper have no quorum and never show one; a quorum that once answered has voters, and no leader by now.
        knowledge.quorum = withoutLeader(knowledge.quorum)
      }
      if (session.signal.aborted) return undefined
      if (knowledge.quorum !== null && timeline.quorum(knowledge.quorum, askedMs)) pace.attend()
      if (isNews(before, knowledge.quorum)) knowledge.topicChanges.emit()
      return pace.pauseMs(env.clock.monotonicMs() - startMs)
    },
  })
  return {
    attend() {
      pace.attend()
      rounds.hurry()
    },
  }
}

/** The ends of the voters' logs move all the time; a screen hears of them with the next other change. */
function isNews(before: QuorumView | null, now: QuorumView | null): boolean {
  return before?.leaderId !== now?.leaderId || before?.leaderEpoch !== now?.leaderEpoch || before?.voters.length !== now?.voters.length
}

/** What is left to say of a quorum that does not answer: who votes, and how far each was known to have come. */
export function withoutLeader(before: QuorumView | null): QuorumView | null {
  if (before === null) return null
  const voters = before.voters.map((voter) => ({ ...voter, role: 'unknown' as const, lag: null }))
  return { ...before, leaderId: null, voters, observers: [] }
}

export function quorumOf(reply: Decoded<(typeof describeQuorum)['response']>): QuorumView | null {
  const partition = reply.topics[0]?.partitions[0]
  if (reply.errorCode !== 0 || partition === undefined || partition.errorCode !== 0) return null
  const end = partition.currentVoters.find((voter) => voter.replicaId === partition.leaderId)?.logEndOffset ?? null
  const lagOf = (logEndOffset: number): number | null => (end === null || logEndOffset < 0 ? null : Math.max(0, end - logEndOffset))
  return {
    leaderId: partition.leaderId < 0 ? null : partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    highWatermark: partition.highWatermark,
    voters: partition.currentVoters.map((voter) => ({
      id: voter.replicaId,
      role: voter.replicaId === partition.leaderId ? 'leader' : 'follower',
      node: null,
      pid: null,
      logEndOffset: voter.logEndOffset < 0 ? null : voter.logEndOffset,
      lag: lagOf(voter.logEndOffset),
    })),
    observers: partition.observers.map((observer) => ({
      id: observer.replicaId,
      logEndOffset: observer.logEndOffset,
      lag: lagOf(observer.logEndOffset),
    })),
  }
}
