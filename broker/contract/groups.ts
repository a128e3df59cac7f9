/** Consumer groups: who reads what, how far behind, and moving or deleting their offsets. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import {
  clusterId,
  filterText,
  ofGroup,
  offset,
  pageWindow,
  partitionIndex,
  sortDirection,
  timeSpan,
  timestampMs,
  topicName,
  type Page,
  type Series,
} from './common.ts'
import { streamOf } from './stream.ts'

/** Partition rows one detail event carries. */
export const groupPartitionsMax = 2_000

export type GroupState =
  | 'Stable'
  | 'PreparingRebalance'
  | 'CompletingRebalance'
  | 'Assigning'
  | 'Reconciling'
  | 'Empty'
  | 'Dead'
  | 'Unknown'

export interface GroupRow {
  readonly groupId: string
  readonly state: GroupState
  /** `consumer`, `connect`, ...; empty when the group only commits offsets. */
  readonly protocolType: string
  /** `classic`, `consumer` (KIP-848), `share`. */
  readonly groupType: 'classic' | 'consumer' | 'share' | 'unknown'
  /** `null` until it was described. */
  readonly memberCount: number | null
  /** Topics it has committed offsets for; `null` before the first sample. */
  readonly topicCount: number | null
  /** Records behind, over all partitions; `null` before the first sample or when it has committed nothing. */
  readonly totalLag: number | null
  readonly worst: { readonly topic: string; readonly partition: number; readonly lag: number } | null
  /** Broker id; `null` when not known. */
  readonly coordinator: number | null
  readonly lagAsOfMs: number | null
}

export interface GroupMember {
  readonly memberId: string
  /** Static membership (`group.instance.id`); `null` for a dynamic member. */
  readonly instanceId: string | null
  readonly clientId: string
  /** Address as the coordinator saw it. */
  readonly host: string
  /** Partitions it reads; empty for an idle member. */
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

export interface GroupPartition {
  readonly topic: string
  readonly partition: number
  /** The next offset the group will read; `null`: nothing committed. */
  readonly committedOffset: number | null
  /** Text the consumer stored with the offset. */
  readonly metadata: string | null
  readonly logStartOffset: number | null
  readonly highWatermark: number | null
  /** Records behind; `null` when either end is not known. */
  readonly lag: number | null
  /** Records committed per second since the last look; `null` until two samples exist. */
  readonly consumedPerSecond: number | null
  /** The member that reads it; `null` when nobody does. */
  readonly memberId: string | null
}

export interface GroupDetail {
  readonly asOfMs: number
  readonly groupId: string
  readonly state: GroupState
  readonly protocolType: string
  /** The assignor in use: `range`, `cooperative-sticky`; `null` when there is none. */
  readonly protocol: string | null
  readonly groupType: GroupRow['groupType']
  readonly coordinator: number | null
  readonly members: readonly GroupMember[]
  /** By topic, then partition; at most `groupPartitionsMax`, `partitionTotal` counts all. */
  readonly partitions: readonly GroupPartition[]
  readonly partitionTotal: number
  readonly totalLag: number | null
  readonly gaps: readonly string[]
}

export interface ResetRow {
  readonly topic: string
  readonly partition: number
  /** `null`: nothing committed. */
  readonly before: number | null
  readonly after: number
  readonly lagBefore: number | null
  readonly lagAfter: number
  /** Why `after` is not what was asked for (clamped to what the log holds); `null` when it is. */
  readonly note: string | null
}

export interface ResetPreview {
  readonly groupId: string
  readonly rows: readonly ResetRow[]
  /** Why it cannot be done now (the group has members); `null` when it can. */
  readonly blocker: string | null
  /** Records that will be read again, and left out. */
  readonly reReadCount: number
  readonly skippedCount: number
}

export interface DeleteGroupPreview {
  readonly groupId: string
  readonly state: GroupState
  readonly offsets: readonly { readonly topic: string; readonly partitionCount: number; readonly lag: number | null }[]
  readonly blocker: string | null
  readonly consequences: readonly string[]
}

const resetTarget = v.variant('to', [
  v.object({ to: v.literal('earliest') }),
  v.object({ to: v.literal('latest') }),
  v.object({ to: v.literal('offset'), offset }),
  /** The first record at or after this time; the end when there is none. */
  v.object({ to: v.literal('time'), timestampMs }),
  /** Relative to the committed offset: negative goes back. */
  v.object({ to: v.literal('shift'), by: v.pipe(v.number(), v.safeInteger()) }),
])
export type ResetTarget = v.InferInput<typeof resetTarget>

const resetInput = v.object({
  clusterId,
  groupId: ofGroup.entries.groupId,
  /** `null`: every topic the group has committed offsets for. `partitions: null`: all of the topic. */
  topics: v.optional(
    v.nullable(
      v.pipe(
        v.array(v.object({ topic: topicName, partitions: v.nullable(v.pipe(v.array(partitionIndex), v.maxLength(100_000))) })),
        v.minLength(1),
        v.maxLength(1_000),
      ),
    ),
    null,
  ),
  target: resetTarget,
})
export type ResetInput = v.InferInput<typeof resetInput>

export const groupSortKeys = ['groupId', 'state', 'memberCount', 'topicCount', 'totalLag'] as const

const groupListInput = v.object({
  clusterId,
  filter: v.optional(filterText, ''),
  states: v.optional(v.nullable(v.array(v.string())), null),
  sortBy: v.optional(v.picklist(groupSortKeys), 'groupId'),
  direction: v.optional(sortDirection, 'ascending'),
  ...pageWindow.entries,
})
export type GroupListInput = v.InferInput<typeof groupListInput>

export const groupsContract = {
  list: procedure.input(groupListInput).output(type<Page<GroupRow>>()),
  /** The same page, again whenever it changes, at most once a second. */
  watchList: procedure.input(groupListInput).output(streamOf<Page<GroupRow>>()),
  describe: procedure.input(ofGroup).output(type<GroupDetail>()),
  /** Read anew every second while watched. */
  watch: procedure.input(ofGroup).output(streamOf<GroupDetail>()),
  /**
   * Lag over time in records. Without `topic`: one series for the whole group; with `topic`: one for that topic; with
   * `partition` too: one for that partition; with `perPartition`: one for each partition (the 20 most lagging).
   */
  lagHistory: procedure
    .input(
      v.object({
        ...ofGroup.entries,
        topic: v.optional(v.nullable(topicName), null),
        partition: v.optional(v.nullable(partitionIndex), null),
        perPartition: v.optional(v.boolean(), false),
        ...timeSpan.entries,
      }),
    )
    .output(type<readonly Series[]>()),
  previewReset: procedure.input(resetInput).output(type<ResetPreview>()),
  /** `confirmName`: the group id. `GROUP_NOT_EMPTY` while it has members. Can be undone from Activity. */
  reset: procedure
    .input(v.object({ ...resetInput.entries, confirmName: v.string() }))
    .output(type<{ rows: readonly ResetRow[]; activityId: number }>()),
  previewDelete: procedure.input(ofGroup).output(type<DeleteGroupPreview>()),
  delete: procedure.input(v.object({ ...ofGroup.entries, confirmName: v.string() })).output(type<{ activityId: number }>()),
}
