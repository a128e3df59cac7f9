/** Moving replicas: previewed, started as shown, watched, cancelled, undone. What does the work is in `reassignments/`. */
import type { UndoPreview } from '../../contract/activity.ts'
import type { ClusterSession } from '../clusters/session.ts'
import type { Inverse } from '../journal.ts'
import { plural } from '../plural.ts'
import { HostError } from '../problem.ts'
import { sameOrder } from '../reassignments/plan-types.ts'
import { implementer } from '../rpc/implementer.ts'
import { adminDeadlineMs, type HostServices } from '../services.ts'
import { demandConfirmation } from './clusters.ts'

const watchIntervalMs = 500
const undoGiveUpAfterMs = 86_400_000
/** Partitions an undo lists one by one. */
const undoRowsMax = 200
const os = implementer.reassignments

export function reassignmentsRouter({ clusters, reassignments, streams }: HostServices) {
  return {
    preview: os.preview.handler(({ input }) => reassignments.preview(clusters.get(input.clusterId), input.goal)),
    start: os.start.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Reassigning partitions')
      const plan = reassignments.plan(session.id, input.planId)
      demandConfirmation(input.confirmName, plan.confirmName, plan.topic === null ? 'broker' : 'topic')
      return reassignments.start(session, { ...input, ...plan, subject: plan.confirmName })
    }),
    setLimit: os.setLimit.handler(({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Changing the limit of a reassignment')
      return reassignments.setLimit(session, input.runId, input.throttleBytesPerSecond)
    }),
    cancel: os.cancel.handler(({ input }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Cancelling a reassignment')
      return input.what === 'run' ? reassignments.cancelRun(session) : reassignments.cancelElsewhere(session)
    }),
    dismiss: os.dismiss.handler(({ input }) => {
      reassignments.dismiss(clusters.get(input.clusterId))
      return null
    }),
    watch: os.watch.handler(({ input, signal }) => {
      const watch = reassignments.watch(clusters.get(input.clusterId))
      return streams.state({ read: () => watch.read(input.topic), changes: watch, intervalMs: watchIntervalMs }, signal)
    }),
  }
}

type ReassignmentInverse = Extract<Inverse, { kind: 'reassignment' }>

/** The former replicas, for partitions that still have what the move left behind. */
export async function planReassignmentUndo(
  { reassignments }: Pick<HostServices, 'reassignments'>,
  id: number,
  session: ClusterSession,
  inverse: ReassignmentInverse,
): Promise<{ readonly preview: UndoPreview; carryOut(): Promise<number> }> {
  const names = [...new Set(inverse.moves.map(({ topic }) => topic))]
  const described = await session.client.admin.describeTopics(names, { timeoutMs: adminDeadlineMs })
  const topics = new Map(described.map((topic) => [topic.name, topic]))
  const rows = inverse.moves.map((move) => ({ ...move, present: topics.get(move.topic)?.partitions[move.partition]?.replicas ?? null }))
  const open = rows.filter(({ present, replicas }) => present === null || !sameOrder(present, replicas))
  const changed = open.filter(({ present, expected }) => present === null || !sameOrder(present, expected))
  const title = `Take back: ${inverse.title}`
  return {
    preview: {
      id,
      summary: `Moves ${plural(open.length, 'partition')} back to the replicas they had.`,
      changes: open.slice(0, undoRowsMax).map(({ topic, partition, present, replicas }) => ({
        what: `${topic}-${partition}`,
        before: present?.join(', ') ?? null,
        after: replicas.join(', '),
      })),
      blocker: blockerOf(open.length, changed),
    },
    async carryOut() {
      const moves = open.map(({ topic, partition, expected, replicas }) => ({ topic, partition, before: expected, after: replicas }))
      const run = await reassignments.start(session, {
        title,
        topic: inverse.topic,
        subject: inverse.subject,
        moves,
        throttleBytesPerSecond: null,
        giveUpAfterMs: undoGiveUpAfterMs,
      })
      if (run.activityId === null) throw new HostError('INTERNAL', 'The reassignment was not written down.', { subject: inverse.subject })
      return run.activityId
    },
  }
}

function blockerOf(openCount: number, changed: readonly { readonly topic: string; readonly partition: number }[]): string | null {
  if (openCount === 0) return 'All its partitions are where they were.'
  const [first] = changed
  if (first === undefined) return null
  return `${plural(changed.length, 'partition')} moved again since or ${changed.length === 1 ? 'is' : 'are'} still moving: ${first.topic}-${first.partition}.`
}
