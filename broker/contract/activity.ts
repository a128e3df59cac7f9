/** What was changed, by whom, from what to what; and what happened to nodes and clusters. Changes with an inverse can be undone. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, filterText, pageWindow, type Page } from './common.ts'
import { streamOf } from './stream.ts'

/** Closed: the screen has an icon and a phrase for each. */
export const activityActions = [
  'topic.create',
  'topic.delete',
  'topic.settings',
  'topic.add-partitions',
  'topic.delete-records',
  'leader.elect',
  'reassignment.start',
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
const ofActivity = v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) })

export const activityContract = {
  /** Newest first. */
  list: procedure.input(listInput).output(type<Page<ActivityRow>>()),
  watchList: procedure.input(listInput).output(streamOf<Page<ActivityRow>>()),
  previewUndo: procedure.input(ofActivity).output(type<UndoPreview>()),
  undo: procedure.input(ofActivity).output(type<{ activityId: number }>()),
}
