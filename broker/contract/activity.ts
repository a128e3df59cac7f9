/**
 * What was changed, by whom, from what to what; what happened to nodes and clusters; and, from what the clusters say of themselves, every
 * election and change of an in-sync set. Changes with an inverse can be undone.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, filterText, pageWindow, timestampMs, topicName, type Page } from './common.ts'
import { streamOf } from './stream.ts'
import { timelineLanes, type ClusterEvent, type ClusterEventPartitions, type TimelineMarks } from './timeline.ts'

/** Closed: the screen has an icon and a phrase for each. */
export const activityActions = [
  'topic.create',
  'topic.delete',
  'topic.settings',
  'topic.add-partitions',
  'topic.delete-records',
  'leader.elect',
  'reassignment.start',
  'reassignment.limit',
  'reassignment.cancel',
  'reassignment.end',
  'record.send',
  'group.reset',
  'group.delete',
  'node.start',
  'node.stop',
  'node.kill',
  'node.restart',
  'node.pause',
  'node.resume',
  'node.state',
  'cluster.add',
  'cluster.update',
  'cluster.remove',
  'cluster.connected',
  'cluster.unreachable',
  'sample.start',
  'sample.stop',
  'settings.change',
] as const
export type ActivityAction = (typeof activityActions)[number]

export interface ActivityRow {
  readonly id: number
  readonly atMs: number
  /** `null`: of the console itself. */
  readonly clusterId: string | null
  /** `change`: somebody did it. `event`: it happened. */
  readonly kind: 'change' | 'event'
  /** Who: the system user, `weir` for the console itself. */
  readonly actor: string
  readonly action: ActivityAction
  /** What it was done to: a topic, a group, `broker 2`. */
  readonly subject: string
  /** What was done: one sentence. */
  readonly summary: string
  /** JSON text of the state before and after; `null` where there is none. */
  readonly before: string | null
  readonly after: string | null
  /** Set when it failed: why. */
  readonly failure: string | null
  readonly undo: 'available' | 'undone' | 'none'
}

export interface UndoPreview {
  readonly id: number
  /** What undoing does: one sentence. */
  readonly summary: string
  readonly changes: readonly { readonly what: string; readonly before: string | null; readonly after: string | null }[]
  /** Why it cannot be undone now (somebody changed it since); `null` when it can. */
  readonly blocker: string | null
}

const listInput = v.object({
  /** `null`: of all clusters and the console. */
  clusterId: v.optional(v.nullable(clusterId), null),
  kind: v.optional(v.nullable(v.picklist(['change', 'event'])), null),
  /** Occurs in subject or summary. */
  filter: v.optional(filterText, ''),
  ...pageWindow.entries,
})
/** What somebody did or what happened, in the order of time: the journal and the clusters' own events as one. */
export type TimelineRow = ({ readonly source: 'journal' } & ActivityRow) | ({ readonly source: 'cluster' } & ClusterEvent)

const timelineFilter = {
  /** `null`: of all clusters and the console. */
  clusterId: v.optional(v.nullable(clusterId), null),
  /** Empty: all. */
  lanes: v.optional(v.array(v.picklist(timelineLanes)), []),
  /** What speaks of this topic; events over more topics than are kept by name count as speaking of every one. */
  topic: v.optional(v.nullable(topicName), null),
  brokerId: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), null),
  /** Occurs in subject, summary or a topic's name. */
  filter: v.optional(filterText, ''),
}
const timelineInput = v.object({
  ...timelineFilter,
  /** `null`: since the beginning, until now. */
  fromMs: v.optional(v.nullable(timestampMs), null),
  toMs: v.optional(v.nullable(timestampMs), null),
  ...pageWindow.entries,
})
export type TimelineInput = v.InferOutput<typeof timelineInput>
const marksInput = v.object({
  ...timelineFilter,
  /** How far back from now. */
  spanMs: v.pipe(v.number(), v.integer(), v.minValue(60_000), v.maxValue(31 * 24 * 3_600_000)),
  slots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(240)), 120),
})
export type TimelineMarksInput = v.InferOutput<typeof marksInput>
const ofActivity = v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) })

export const activityContract = {
  /** The journal alone, newest first. */
  list: procedure.input(listInput).output(type<Page<ActivityRow>>()),
  /** The journal and the clusters' events as one, newest first. */
  timeline: procedure.input(timelineInput).output(type<Page<TimelineRow>>()),
  watchTimeline: procedure.input(timelineInput).output(streamOf<Page<TimelineRow>>()),
  /** The same, counted for a time axis that ends now. */
  watchMarks: procedure.input(marksInput).output(streamOf<TimelineMarks>()),
  /** The partitions an event speaks of, as many as were kept by name. */
  eventPartitions: procedure
    .input(v.object({ eventId: v.pipe(v.number(), v.integer(), v.minValue(1)) }))
    .output(type<ClusterEventPartitions>()),
  previewUndo: procedure.input(ofActivity).output(type<UndoPreview>()),
  undo: procedure.input(ofActivity).output(type<{ activityId: number }>()),
}
