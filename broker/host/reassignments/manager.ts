/**
 * The reassignments of this host: plans that were shown and may be started, and one watch per cluster with at most one run. A run is
 * kept in the store until it is over, and goes on when the host is started again.
 */
import type { LimitChange, ReassignmentGoal, ReassignmentPreview, ReassignmentRun as RunView } from '../../contract/reassignments.ts'
import type { Env } from '../../env/types.ts'
import type { SettingStore } from '../../store/settings.ts'
import type { ClusterSession } from '../clusters/session.ts'
import type { Change, Journal } from '../journal.ts'
import { plural } from '../plural.ts'
import { HostError } from '../problem.ts'
import { callDeadlineMs } from './deadline.ts'
import { ReassignmentWatch } from './cluster-watch.ts'
import { makePlan, readPlanInput } from './make-plan.ts'
import { movesInWords, sameOrder, type Move } from './plan-types.ts'
import { previewOf } from './preview.ts'
import { ReassignmentRun, type KeptRun, type RunOptions } from './run.ts'
import { limitInWords, notUnderWay } from './run-words.ts'

/** Plans kept for `start`; the oldest go first. */
const plansMax = 50

interface KeptPlan {
  readonly clusterId: string
  readonly moves: readonly Move[]
  readonly title: string
  readonly confirmName: string
  readonly topic: string | null
}

export interface StartOptions {
  readonly title: string
  readonly topic: string | null
  readonly subject: string
  readonly moves: readonly Move[]
  readonly throttleBytesPerSecond: number | null
  readonly giveUpAfterMs: number
}

export interface ReassignmentManager {
  preview(session: ClusterSession, goal: ReassignmentGoal): Promise<ReassignmentPreview>
  /** The plan of a preview; rejects with `PLAN_OUTDATED` when it is not kept any more. */
  plan(clusterId: string, planId: string): KeptPlan
  start(session: ClusterSession, options: StartOptions): Promise<RunView>
  /** Rejects with `REASSIGNMENT_CONFLICT` unless this run is under way and moving. */
  setLimit(session: ClusterSession, runId: string, bytesPerSecond: number | null): Promise<LimitChange>
  cancelRun(session: ClusterSession): Promise<{ readonly cancelledCount: number; readonly activityId: number | null }>
  cancelElsewhere(session: ClusterSession): Promise<{ readonly cancelledCount: number; readonly activityId: number | null }>
  dismiss(session: ClusterSession): void
  watch(session: ClusterSession): ReassignmentWatch
  /** Goes on with the run that an earlier console left, if there is one. */
  resume(session: ClusterSession): void
}

export function createReassignments(env: Env, store: SettingStore, journal: Journal): ReassignmentManager {
  const plans = new Map<string, KeptPlan>()
  const watches = new Map<string, { readonly session: ClusterSession; readonly watch: ReassignmentWatch }>()
  const storedName = (clusterId: string): string => `reassignment/${clusterId}`

  function watchOf(session: ClusterSession): ReassignmentWatch {
    const known = watches.get(session.id)
    if (known?.session === session) return known.watch
    const watch = new ReassignmentWatch(env, session, {
      onRunOver: (run) => runOver(session, run),
      async onOverdue(run) {
        const cancelledCount = await run.cancel()
        const { title } = run.view()
        const summary = `Cancelled "${title}": it was not done in the time given. ${plural(cancelledCount, 'partition')} not arrived yet.`
        journal.event({ clusterId: session.id, action: 'reassignment.cancel', subject: subjectOf(run), summary })
      },
    })
    watches.set(session.id, { session, watch })
    return watch
  }

  const hooksFor = (session: ClusterSession) => ({
    keep: (run: KeptRun) => store.set({ [storedName(session.id)]: run }),
    changed: () => watchOf(session).changed(),
  })

  function runOver(session: ClusterSession, run: ReassignmentRun): void {
    const { title, summary, problem } = run.view()
    store.set({ [storedName(session.id)]: null })
    journal.event({
      clusterId: session.id,
      action: 'reassignment.end',
      subject: subjectOf(run),
      summary: [`${run.isCancelled ? 'Cancelled' : 'Done'}: ${title}.`, summary, problem?.message].filter(Boolean).join(' '),
    })
  }

  function demandIdle(session: ClusterSession): void {
    const { run } = watchOf(session)
    if (run === null || !run.isActive) return
    throw new HostError('REASSIGNMENT_CONFLICT', `A reassignment is under way on ${session.name}: ${run.view().title}.`, {
      subject: session.name,
      advice: 'Wait until it is done, or cancel it first.',
    })
  }

  return {
    async preview(session, goal) {
      const input = readPlanInput(session)
      const ongoing = await watchOf(session).ongoing()
      const { plan, warnings } = await makePlan(session, input, goal, ongoing)
      const shown = previewOf(plan, input, goal, warnings)
      if (plan.moves.length === 0) return { ...shown, planId: null }
      const planId = env.random.uuid()
      const topic = goal.kind === 'empty-broker' ? null : goal.topic
      plans.set(planId, { clusterId: session.id, moves: plan.moves, title: shown.title, confirmName: shown.confirmName, topic })
      for (const oldest of plans.keys()) {
        if (plans.size <= plansMax) break
        plans.delete(oldest)
      }
      return { ...shown, planId }
    },

    plan(clusterId, planId) {
      const plan = plans.get(planId)
      if (plan?.clusterId === clusterId) return plan
      throw new HostError('PLAN_OUTDATED', 'This plan is not known any more.', { advice: 'Look at the preview again, then start it.' })
    },

    async start(session, { title, topic, subject, moves, throttleBytesPerSecond, giveUpAfterMs }) {
      demandIdle(session)
      const watch = watchOf(session)
      const options: RunOptions = { title, topic, moves, throttleBytesPerSecond, giveUpAtMs: env.clock.nowMs() + giveUpAfterMs }
      const run = ReassignmentRun.create(env, session, hooksFor(session), options)
      // From here on nobody else starts one: what follows waits for the cluster.
      const former = watch.run
      watch.run = run
      try {
        await demandUnchanged(session, moves)
        const change: Change = {
          clusterId: session.id,
          action: 'reassignment.start',
          subject,
          summary: `${title}: ${plural(moves.length, 'partition')}.`,
          before: movesInWords(moves, 'before'),
          after: movesInWords(moves, 'after'),
          inverse: {
            kind: 'reassignment',
            title,
            topic,
            subject,
            moves: moves.map(({ before, after, ...place }) => ({ ...place, replicas: before, expected: after })),
          },
        }
        const { activityId } = await journal.during(change, () => run.begin())
        run.noteActivity(activityId)
      } catch (error) {
        store.set({ [storedName(session.id)]: null })
        if (run.isActive) watch.run = former
        watch.changed()
        throw error
      }
      watch.hurry()
      return run.view()
    },

    async setLimit(session, runId, bytesPerSecond) {
      const { run } = watchOf(session)
      const view = run?.view()
      if (run === null || !run.isActive || view?.runId !== runId) throw notUnderWay(session.name)
      const [before, after] = [view.throttleBytesPerSecond, bytesPerSecond].map(limitInWords)
      const change: Change = {
        clusterId: session.id,
        action: 'reassignment.limit',
        subject: subjectOf(run),
        summary: `Changed the limit of "${view.title}" from ${before} to ${after}.`,
        before: { limit: before },
        after: { limit: after },
      }
      const { result: missedBrokers, activityId } = await journal.during(change, () => run.setLimit(bytesPerSecond))
      watchOf(session).hurry()
      return { missedBrokers, activityId }
    },

    async cancelRun(session) {
      const { run } = watchOf(session)
      if (run === null || !run.isActive) {
        throw new HostError('REASSIGNMENT_CONFLICT', 'No reassignment is under way: there is nothing to cancel.', { subject: session.name })
      }
      const { title, doneCount, partitionTotal } = run.view()
      const change: Change = {
        clusterId: session.id,
        action: 'reassignment.cancel',
        subject: subjectOf(run),
        summary: `Cancelled "${title}" when ${doneCount} of ${plural(partitionTotal, 'partition')} had arrived.`,
      }
      const { result: cancelledCount, activityId } = await journal.during(change, () => run.cancel())
      watchOf(session).hurry()
      return { cancelledCount, activityId }
    },

    async cancelElsewhere(session) {
      const watch = watchOf(session)
      await watch.ongoing()
      const others = watch.elsewhere()
      if (others.length === 0) return { cancelledCount: 0, activityId: null }
      const topics = [...new Set(others.map(({ topic }) => topic))]
      const change: Change = {
        clusterId: session.id,
        action: 'reassignment.cancel',
        subject: topics.length === 1 ? (topics[0] ?? '') : plural(topics.length, 'topic'),
        summary: `Cancelled what others were moving: ${plural(others.length, 'partition')}.`,
      }
      const { result, activityId } = await journal.during(change, async () => {
        const wished = others.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
        const results = await session.client.admin.alterPartitionReassignments(wished, { timeoutMs: callDeadlineMs })
        const failures = results.flatMap(({ error }) => (error === null ? [] : [error]))
        if (failures[0] !== undefined && failures.length === results.length) throw failures[0]
        return results.length - failures.length
      })
      watch.hurry()
      return { cancelledCount: result, activityId }
    },

    dismiss(session) {
      const watch = watchOf(session)
      if (watch.run?.isActive === true) return
      watch.run = null
      watch.changed()
    },

    watch: watchOf,

    resume(session) {
      const kept = store.all()[storedName(session.id)] as KeptRun | null | undefined
      if (kept === null || kept === undefined || watchOf(session).run !== null) return
      const watch = watchOf(session)
      watch.run = ReassignmentRun.resume(env, session, hooksFor(session), kept)
      watch.hurry()
    },
  }
}

function subjectOf(run: ReassignmentRun): string {
  const { topic, title } = run.view()
  return topic ?? title
}

/** The replicas the plan started from are still those there are. */
async function demandUnchanged(session: ClusterSession, moves: readonly Move[]): Promise<void> {
  const names = [...new Set(moves.map(({ topic }) => topic))]
  const topics = new Map(
    (await session.client.admin.describeTopics(names, { timeoutMs: callDeadlineMs })).map((topic) => [topic.name, topic]),
  )
  const changed = moves.filter(({ topic, partition, before }) => {
    const present = topics.get(topic)?.partitions[partition]
    return present === undefined || !sameOrder(present.replicas, before)
  })
  const [first] = changed
  if (first === undefined) return
  throw new HostError(
    'PLAN_OUTDATED',
    `${plural(changed.length, 'partition')} changed since this was shown, ${first.topic}-${first.partition} first.`,
    {
      subject: first.topic,
      advice: 'Look at the preview again, then start it.',
    },
  )
}
