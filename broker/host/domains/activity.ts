import type { ActivityRow, UndoPreview } from '../../contract/activity.ts'
import type { Page } from '../../contract/common.ts'
import type { JournalQuery } from '../../store/journal.ts'
import type { Inverse } from '../journal.ts'
import { plural } from '../plural.ts'
import { HostError } from '../problem.ts'
import { anyOf } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'
import { activityRow } from './activity-rows.ts'
import { committedOffsets, membersBlocker, moveOffsets } from './group-changes.ts'
import { everyInterval } from './ticking.ts'
import { eventPartitions, timelineMarks, timelinePage } from './timeline.ts'
import { planReassignmentUndo } from './reassignments.ts'
import { changeSettings, ownSettings } from './topic-changes.ts'

const watchIntervalMs = 250
/** The time axis moves on by itself. */
const axisIntervalMs = 5_000
const os = implementer.activity

export function activityRouter(services: HostServices) {
  const { store, streams, journal, timeline, env } = services
  const changes = anyOf(journal.changes, timeline.changes)
  return {
    list: os.list.handler(({ input }) => activityPage(services, input)),
    timeline: os.timeline.handler(({ input }) => timelinePage(services, input)),
    watchTimeline: os.watchTimeline.handler(({ input, signal }) =>
      streams.state({ read: () => timelinePage(services, input), changes, intervalMs: watchIntervalMs }, signal),
    ),
    watchMarks: os.watchMarks.handler(({ input, signal }) => {
      const news = anyOf(changes, everyInterval(env, axisIntervalMs))
      return streams.state({ read: () => timelineMarks(services, input), changes: news, intervalMs: watchIntervalMs }, signal)
    }),
    eventPartitions: os.eventPartitions.handler(({ input }) => eventPartitions(services, input.eventId)),
    previewUndo: os.previewUndo.handler(async ({ input }) => (await planUndo(services, input.id)).preview),
    undo: os.undo.handler(async ({ input }) => {
      const plan = await planUndo(services, input.id)
      if (plan.preview.blocker !== null) throw new HostError('NOT_UNDOABLE', plan.preview.blocker, { subject: String(input.id) })
      const activityId = await plan.carryOut()
      store.journal.markUndone(input.id, activityId)
      journal.changes.emit()
      return { activityId }
    }),
  }
}

function activityPage({ store }: HostServices, query: JournalQuery): Page<ActivityRow> {
  const { rows, total, totalUnfiltered } = store.journal.list(query)
  return { rows: rows.map(activityRow), from: query.from, total, totalUnfiltered, asOfMs: rows[0]?.atMs ?? null, gaps: [] }
}

interface UndoPlan {
  readonly preview: UndoPreview
  carryOut(): Promise<number>
}

async function planUndo(services: HostServices, id: number): Promise<UndoPlan> {
  const entry = services.store.journal.get(id)
  if (entry === null) throw new HostError('NOT_FOUND', `There is no activity ${id}.`, { subject: String(id) })
  if (entry.inverse === null || entry.clusterId === null)
    throw new HostError('NOT_UNDOABLE', 'Nothing undoes this.', { subject: entry.subject })
  if (entry.undoneBy !== null) throw new HostError('NOT_UNDOABLE', 'This was undone already.', { subject: entry.subject })
  const session = services.clusters.get(entry.clusterId)
  session.demandWritable('Undoing')
  const inverse = JSON.parse(entry.inverse) as Inverse
  if (inverse.kind === 'reassignment') return planReassignmentUndo(services, id, session, inverse)
  return inverse.kind === 'topic.settings' ? planSettings(services, id, session, inverse) : planOffsets(services, id, session, inverse)
}

type Session = ReturnType<HostServices['clusters']['get']>

async function planSettings(
  services: HostServices,
  id: number,
  session: Session,
  inverse: Extract<Inverse, { kind: 'topic.settings' }>,
): Promise<UndoPlan> {
  const { topic } = inverse
  const current = await ownSettings(
    session,
    topic,
    inverse.changes.map(({ name }) => name),
  )
  const changes = inverse.changes.map(({ name, value }) => ({ name, before: current.get(name) ?? null, after: value }))
  const moved = inverse.changes.filter(({ name, expected }) => (current.get(name) ?? null) !== expected).map(({ name }) => name)
  return {
    preview: {
      id,
      summary: `Sets ${changes.map(({ name }) => name).join(', ')} of ${topic} back.`,
      changes: changes.map(({ name, before, after }) => ({ what: name, before, after })),
      blocker: moved.length === 0 ? null : `${moved.join(', ')} of ${topic} was changed again since.`,
    },
    carryOut: () => changeSettings(services, session, topic, changes),
  }
}

async function planOffsets(
  services: HostServices,
  id: number,
  session: Session,
  inverse: Extract<Inverse, { kind: 'group.reset' }>,
): Promise<UndoPlan> {
  const { groupId } = inverse
  const [committed, { blocker }] = await Promise.all([committedOffsets(session, groupId), membersBlocker(session, groupId)])
  const current = new Map(committed.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
  const moved = inverse.offsets.filter(({ topic, partition, expected }) => (current.get(`${topic}-${partition}`) ?? null) !== expected)
  const kept = inverse.offsets.filter(({ offset }) => offset !== null)
  const added = inverse.offsets.filter(({ offset }) => offset === null)
  return {
    preview: {
      id,
      summary: `Moves ${groupId} back to where it was on ${plural(inverse.offsets.length, 'partition')}.`,
      changes: inverse.offsets.map(({ topic, partition, offset }) => ({
        what: `${topic}-${partition}`,
        before: textOf(current.get(`${topic}-${partition}`) ?? null),
        after: textOf(offset),
      })),
      blocker: blocker ?? (moved.length === 0 ? null : `${groupId} has moved on ${moved.length} of these partitions since.`),
    },
    async carryOut() {
      if (added.length > 0) {
        await session.client.admin.deleteOffsets(
          groupId,
          added.map(({ topic, partition }) => ({ topic, partition })),
        )
      }
      const rows = kept.map(({ topic, partition, offset, expected }) => ({ topic, partition, before: expected, after: offset ?? 0 }))
      return moveOffsets(services, session, groupId, rows, 'where it was')
    },
  }
}

function textOf(offset: number | null): string | null {
  return offset === null ? null : String(offset)
}
