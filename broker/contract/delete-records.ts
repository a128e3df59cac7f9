/**
 * Deleting a topic's oldest records. A preview turns what was asked for into an offset for each partition; exactly those
 * offsets are then confirmed, so that nothing written meanwhile goes with them.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { ofTopic, offset, partitionIndex, timestampMs } from './common.ts'

/** Partitions one call may name. */
export const deleteRecordsPartitionsMax = 10_000

const beforeOffsets = v.pipe(
  v.array(v.object({ partition: partitionIndex, beforeOffset: offset })),
  v.maxLength(deleteRecordsPartitionsMax, `names more than ${deleteRecordsPartitionsMax} partitions`),
)

const target = v.variant('to', [
  /** All there are now. */
  v.object({ to: v.literal('end') }),
  /** Those before the first record at or after this time; all there are when there is none. */
  v.object({ to: v.literal('time'), timestampMs }),
  /** Those below (not including) `beforeOffset`; a partition that is not named keeps all of its records. */
  v.object({ to: v.literal('offsets'), offsets: beforeOffsets }),
])
export type DeleteRecordsTarget = v.InferInput<typeof target>

export interface DeleteRecordsRow {
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Where the log will start. */
  readonly newLogStartOffset: number
  /** `newLogStartOffset - logStartOffset`: an upper bound when compacted. */
  readonly deletedCount: number
  /** Why this is not what was asked for; `null` when it is. */
  readonly note: string | null
}

export interface DeleteRecordsPreview {
  readonly topic: string
  readonly rows: readonly DeleteRecordsRow[]
  /** Partitions that cannot be asked now, and why; their records stay. */
  readonly unavailable: readonly { readonly partition: number; readonly reason: string }[]
  readonly deletedCount: number
  /** Compaction leaves gaps in the offsets, so that there may be fewer records than offsets. */
  readonly isUpperBound: boolean
  /** Why the brokers would refuse (the topic is only compacted, or Kafka's own); `null` when they would not. */
  readonly blocker: string | null
  /** What else it means, each a sentence: groups that have not read what goes. */
  readonly consequences: readonly string[]
}

export interface DeleteRecordsOutcome {
  readonly partition: number
  /** Where the log starts now; `null` when the partition's leader refused or did not answer. */
  readonly logStartOffset: number | null
  readonly deletedCount: number
  /** Why it failed here; `null` when it did not. */
  readonly failure: string | null
}

export interface DeleteRecordsResult {
  readonly outcomes: readonly DeleteRecordsOutcome[]
  readonly deletedCount: number
  readonly activityId: number
}

export const deleteRecordsContract = {
  previewDeleteRecords: procedure
    .input(
      v.object({
        ...ofTopic.entries,
        /** `null`: all of the topic. */
        partitions: v.optional(v.nullable(v.pipe(v.array(partitionIndex), v.minLength(1), v.maxLength(deleteRecordsPartitionsMax))), null),
        target,
      }),
    )
    .output(type<DeleteRecordsPreview>()),
  /**
   * `confirmName`: the topic's name. Rejects when no partition did it; where some did, `outcomes` says which, and
   * Activity what failed.
   */
  deleteRecords: procedure
    .input(v.object({ ...ofTopic.entries, partitions: v.pipe(beforeOffsets, v.minLength(1)), confirmName: v.string() }))
    .output(type<DeleteRecordsResult>()),
}
