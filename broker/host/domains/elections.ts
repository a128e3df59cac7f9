/** Giving leadership back to preferred replicas: previewed, then each partition for itself. */
import type { PartitionResult } from '../../client/types.ts'
import {
  electionRowsMax,
  type ElectionOutcome,
  type ElectionPreview,
  type ElectionResult,
  type LeaderChange,
} from '../../contract/elections.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { plural } from '../plural.ts'
import { HostError, toHostError } from '../problem.ts'
import { planElection } from '../reassignments/election-plan.ts'
import { readPlanInput } from '../reassignments/make-plan.ts'
import { slicesOf } from '../sampling/loop.ts'
import { implementer } from '../rpc/implementer.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { topicOf } from './topic-lanes.ts'

/** Partitions in one request to the controller. */
const partitionsPerCall = 1_000
const os = implementer.elections

export function electionsRouter({ env, clusters, journal }: HostServices) {
  return {
    preview: os.preview.handler(({ input }): ElectionPreview => {
      const { plan, partitionCount } = planOf(clusters.get(input.clusterId), input.topic)
      return {
        asOfMs: env.clock.nowMs(),
        topic: input.topic,
        partitionCount,
        changes: plan.changes.slice(0, electionRowsMax),
        changeTotal: plan.changes.length,
        blocked: plan.blocked.slice(0, electionRowsMax),
        blockedTotal: plan.blocked.length,
        brokers: plan.brokers,
      }
    }),
    run: os.run.handler(async ({ input, signal }): Promise<ElectionResult> => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Electing leaders')
      const { changes } = planOf(session, input.topic).plan
      if (changes.length === 0) return { outcomes: [], electedCount: 0, failedCount: 0, activityId: null }
      const outcomes: ElectionOutcome[] = []
      const subject = input.topic ?? session.name
      try {
        for (const slice of slicesOf(changes, partitionsPerCall)) outcomes.push(...(await elect(session, slice, signal)))
      } catch (error) {
        if (outcomes.length === 0) throw error
        const { message } = toHostError(error, subject)
        outcomes.push(...changes.slice(outcomes.length).map((change) => ({ ...change, failure: message })))
      } finally {
        clusters.refresh(session.id)
      }
      const failed = outcomes.filter(({ failure }) => failure !== null)
      const electedCount = outcomes.length - failed.length
      const change = {
        clusterId: session.id,
        action: 'leader.elect',
        subject,
        summary: summaryOf(electedCount, failed.length, input.topic),
        before: leadersOf(outcomes, ({ from }) => from),
        after: leadersOf(outcomes, ({ from, to, failure }) => (failure === null ? to : from)),
      } as const
      const [first] = failed
      const { activityId } =
        electedCount > 0 || first === undefined
          ? { activityId: journal.change(change) }
          : await journal.during(change, () => Promise.reject(new HostError('BROKER_ERROR', first.failure ?? '', { subject })))
      return {
        outcomes: [...failed, ...outcomes.filter(({ failure }) => failure === null)].slice(0, electionRowsMax),
        electedCount,
        failedCount: failed.length,
        activityId,
      }
    }),
  }
}

function planOf(session: ClusterSession, topic: string | null) {
  const { brokers, partitions } = readPlanInput(session)
  if (topic !== null) topicOf(session, topic)
  const own = topic === null ? partitions : partitions.filter((partition) => partition.topic === topic)
  const plan = planElection(
    own,
    brokers.map(({ id }) => id),
  )
  return { plan, partitionCount: own.length }
}

async function elect(
  session: ClusterSession,
  changes: readonly LeaderChange[],
  signal: AbortSignal | undefined,
): Promise<readonly ElectionOutcome[]> {
  const results = await session.client.admin.electLeaders(
    'preferred',
    changes.map(({ topic, partition }) => ({ topic, partition })),
    { timeoutMs: adminDeadlineMs, signal },
  )
  return changes.map((change, at) => ({ ...change, failure: failureOf(results[at]) }))
}

/** A partition that got its leader by itself meanwhile is no failure. */
function failureOf(result: PartitionResult | undefined): string | null {
  const error = result?.error ?? null
  return error === null || error.kafkaError === ErrorCode.ELECTION_NOT_NEEDED ? null : error.message
}

function summaryOf(electedCount: number, failedCount: number, topic: string | null): string {
  const where = topic === null ? '' : ` of ${topic}`
  const done = `Gave ${plural(electedCount, 'partition')}${where} back to the preferred leader.`
  return failedCount === 0 ? done : `${done} ${failedCount} could not be given back.`
}

/** Leaders by partition, as many as a journal entry lists one by one. */
function leadersOf(outcomes: readonly ElectionOutcome[], leaderOf: (outcome: ElectionOutcome) => number | null) {
  return Object.fromEntries(
    outcomes.slice(0, 200).map((outcome) => [`${outcome.topic}-${outcome.partition}`, String(leaderOf(outcome) ?? 'none')]),
  )
}
