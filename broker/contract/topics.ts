/** Topics: the list, one topic's partitions as lanes, its consumers and its settings; and every change to them. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import {
  clusterId,
  filterText,
  ofCluster,
  ofTopic,
  pageWindow,
  sortDirection,
  timeSpan,
  topicName,
  type Page,
  type Series,
} from './common.ts'
import { deleteRecordsContract } from './delete-records.ts'
import { streamOf } from './stream.ts'
import type { FieldProblem, SettingChange, SettingView } from './topic-settings.ts'
import { settingChanges } from './topic-settings.ts'

/** Groups one lane carries; the most lagging ones. */
export const laneGroupsMax = 20

export interface TopicRow {
  readonly name: string
  /** Kafka's own bookkeeping: `__consumer_offsets`. */
  readonly isInternal: boolean
  readonly partitionCount: number
  /** The largest among its partitions. */
  readonly replicationFactor: number
  /** On disk, all replicas; `null` before the first sample. */
  readonly bytes: number | null
  /** Sum over partitions of high watermark - log start: an upper bound when compacted; `null` before the first sample. */
  readonly recordCount: number | null
  /** `null` until two samples exist. */
  readonly recordsInPerSecond: number | null
  readonly bytesInPerSecond: number | null
  /** Groups with a committed offset here; `null` before the first sample. */
  readonly groupCount: number | null
  /** Records behind, of the most lagging group; `null` when no group has committed, or before the first sample. */
  readonly worstLag: number | null
  readonly worstLagGroupId: string | null
  readonly underReplicatedCount: number
  /** Those of them with fewer in sync than min.insync.replicas: writes with acks=all are refused. */
  readonly belowMinIsrCount: number
  /** Partitions without a leader. */
  readonly offlineCount: number
}

export interface TopicDetail extends TopicRow {
  /** Kafka's id, 22 characters; `null` from brokers that have none. */
  readonly topicId: string | null
  readonly cleanupPolicy: string | null
  /** -1: unlimited. */
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  readonly asOfMs: number
}

/** A group's place on a lane. */
export interface LaneGroup {
  readonly groupId: string
  readonly committedOffset: number
  /** Records behind: high watermark - committed offset, never below 0; `null` when the high watermark is not known. */
  readonly lag: number | null
  /** The member reading this partition; `null` when nobody does. */
  readonly clientId: string | null
}

/** One partition, drawn from log start to high watermark with a tick for each group. */
export interface PartitionLane {
  readonly partition: number
  /** `offline`: no leader. `under-replicated`: fewer in sync than replicas. */
  readonly state: 'healthy' | 'under-replicated' | 'offline'
  readonly leader: number | null
  readonly leaderEpoch: number | null
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  /** The oldest offset that can be read; `null` when the leader does not answer. */
  readonly logStartOffset: number | null
  /** The next offset a reader has not seen; `null` when the leader does not answer. */
  readonly highWatermark: number | null
  /** Of the leader's copy on disk; `null` when it did not say. */
  readonly bytes: number | null
  readonly recordsInPerSecond: number | null
  /** Most lagging first, at most `laneGroupsMax`; `groupTotal` counts all. */
  readonly groups: readonly LaneGroup[]
  readonly groupTotal: number
}

export interface PartitionLanes {
  readonly asOfMs: number
  readonly topic: string
  /** A window of the lanes, by partition. */
  readonly lanes: readonly PartitionLane[]
  readonly total: number
  readonly gaps: readonly string[]
}

/** A group that reads the topic. */
export interface TopicConsumer {
  readonly groupId: string
  readonly state: string
  readonly memberCount: number
  /** Records behind on this topic; `null` when not known. */
  readonly lag: number | null
  readonly partitions: readonly {
    readonly partition: number
    readonly committedOffset: number | null
    readonly lag: number | null
    readonly memberId: string | null
    readonly clientId: string | null
    /** The member's address as the broker saw it. */
    readonly host: string | null
  }[]
}

export interface CreateTopicResult {
  readonly name: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** What hinders it; only when `validateOnly` was set, else the call rejects with `TOPIC_INVALID` or `TOPIC_EXISTS`. */
  readonly problems: readonly FieldProblem[]
  /** Null when only validated. */
  readonly activityId: number | null
}

export interface DeleteTopicPreview {
  readonly topic: string
  readonly partitionCount: number
  /** `null` when not known. */
  readonly recordCount: number | null
  readonly bytes: number | null
  /** Groups with offsets here, those with members first. */
  readonly groups: readonly { readonly groupId: string; readonly state: string; readonly memberCount: number }[]
  /** What will happen, each a sentence. */
  readonly consequences: readonly string[]
}

export const topicSortKeys = [
  'name',
  'partitionCount',
  'replicationFactor',
  'bytes',
  'recordCount',
  'recordsInPerSecond',
  'bytesInPerSecond',
  'groupCount',
  'worstLag',
  'underReplicatedCount',
] as const

const topicListInput = v.object({
  clusterId,
  /** Part of the name, or several parts separated by blanks: all must occur. */
  filter: v.optional(filterText, ''),
  includeInternal: v.optional(v.boolean(), false),
  /** Only topics with a partition that is offline or under-replicated. */
  onlyAffected: v.optional(v.boolean(), false),
  sortBy: v.optional(v.picklist(topicSortKeys), 'name'),
  direction: v.optional(sortDirection, 'ascending'),
  ...pageWindow.entries,
})
export type TopicListInput = v.InferInput<typeof topicListInput>

const partitionCount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))

export const topicsContract = {
  list: procedure.input(topicListInput).output(type<Page<TopicRow>>()),
  /** The same page, again whenever it changes, at most once a second. */
  watchList: procedure.input(topicListInput).output(streamOf<Page<TopicRow>>()),
  describe: procedure.input(ofTopic).output(type<TopicDetail>()),
  watchPartitions: procedure.input(v.object({ ...ofTopic.entries, ...pageWindow.entries })).output(streamOf<PartitionLanes>()),
  /** At most 200 groups, most lagging first. */
  consumers: procedure.input(ofTopic).output(type<readonly TopicConsumer[]>()),
  /** `records in` (records/s), `bytes` (bytes), `lag` of the most lagging group (records). */
  history: procedure.input(v.object({ ...ofTopic.entries, ...timeSpan.entries })).output(type<readonly Series[]>()),

  create: procedure
    .input(
      v.object({
        clusterId,
        /** Checked by the brokers and answered in `problems` when only validating, so any text is taken here. */
        name: v.pipe(v.string(), v.maxLength(1_000)),
        /** `null`: the cluster's default. */
        partitionCount: v.optional(v.nullable(partitionCount), null),
        replicationFactor: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))), null),
        settings: v.optional(v.record(v.string(), v.string()), {}),
        validateOnly: v.optional(v.boolean(), false),
      }),
    )
    .output(type<CreateTopicResult>()),
  previewDelete: procedure.input(ofTopic).output(type<DeleteTopicPreview>()),
  /** `confirmName` must be the topic's name, else `CONFIRMATION_MISMATCH`. */
  delete: procedure.input(v.object({ ...ofTopic.entries, confirmName: v.string() })).output(type<{ activityId: number }>()),
  /** `partitionCount` is the new total; it can only grow. */
  addPartitions: procedure
    .input(v.object({ clusterId, topic: topicName, partitionCount, validateOnly: v.optional(v.boolean(), false) }))
    .output(type<{ problems: readonly FieldProblem[]; activityId: number | null }>()),

  settings: procedure.input(ofTopic).output(type<readonly SettingView[]>()),
  /**
   * Changes named settings only; `value: null` removes the topic's own value, so that the default applies again.
   * With `validateOnly` nothing changes and `problems` says what is wrong; without, the call rejects with
   * `SETTING_INVALID`. Can be undone from Activity.
   */
  changeSettings: procedure
    .input(v.object({ ...ofTopic.entries, changes: settingChanges, validateOnly: v.optional(v.boolean(), false) }))
    .output(type<{ changes: readonly SettingChange[]; problems: readonly FieldProblem[]; activityId: number | null }>()),

  ...deleteRecordsContract,

  /** Defaults for the create form. */
  defaults: procedure.input(ofCluster).output(type<{ partitionCount: number; replicationFactor: number; replicationFactorMax: number }>()),
}
