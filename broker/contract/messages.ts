/**
 * Reading records. A query lives in the host: `open` starts it and answers at once, `watch` tells how far it is, `rows`
 * gives any window of what was found, `detail` one record whole, `close` frees it. Rows only ever get appended: an index, once
 * given, stays that record's. The window never holds the data.
 *
 * Order is by timestamp across partitions and by offset within one: newest first is true for the topic, not only for each
 * partition. Text search reads everything in the range, without a cap, unless a limit is asked for.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, offset, pageRowsMax, partitionIndex, timestampMs, topicName } from './common.ts'
import type { Problem } from './errors.ts'
import { streamOf } from './stream.ts'

/** Queries open at a time, over all windows. The one left alone longest is closed to make room. */
export const openQueriesMax = 32
/** Characters of a key or value that a row carries. */
export const previewCharactersMax = 240
/** Bytes of a key, value or header that `detail` carries; `payload` reads on. */
export const detailBytesMax = 256 * 1024
/** Bytes one `payload` call returns. */
export const payloadBytesMax = 1024 * 1024
export const histogramBucketsMax = 240

const text = v.object({
  /** Matched against the bytes as they are stored (UTF-8). */
  contains: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)),
  in: v.optional(v.pipe(v.array(v.picklist(['key', 'value', 'headers'])), v.minLength(1)), ['key', 'value', 'headers']),
  caseSensitive: v.optional(v.boolean(), false),
})

const start = v.variant('at', [
  /** The whole log. With order `newest-first`: from its end backwards. */
  v.object({ at: v.literal('everything') }),
  /** From this offset on in each partition; backwards from it when order is `newest-first`. */
  v.object({ at: v.literal('offset'), offset }),
  /** From the first record with this timestamp or a later one; backwards from there when order is `newest-first`. */
  v.object({ at: v.literal('time'), timestampMs }),
  /** Records from `fromMs` to before `toMs`. */
  v.object({ at: v.literal('range'), fromMs: timestampMs, toMs: timestampMs }),
])

export const messageQuery = v.object({
  clusterId,
  topic: topicName,
  /** `null`: all. */
  partitions: v.optional(v.nullable(v.pipe(v.array(partitionIndex), v.minLength(1), v.maxLength(10_000))), null),
  start: v.optional(start, { at: 'everything' }),
  order: v.optional(v.picklist(['newest-first', 'oldest-first']), 'newest-first'),
  /** `null`: every record matches. */
  text: v.optional(v.nullable(text), null),
  /** The query pauses after this many more rows and goes on with `more`; `null`: reads the whole range. */
  rowsMax: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000_000))), 1_000),
  /** `read-committed` leaves out records of aborted and open transactions. */
  isolation: v.optional(v.picklist(['read-uncommitted', 'read-committed']), 'read-uncommitted'),
})
export type MessageQuery = v.InferInput<typeof messageQuery>
export type TextFilter = v.InferInput<typeof text>

export interface PartitionProgress {
  readonly partition: number
  /** First offset of the range (as it was when opened). */
  readonly fromOffset: number
  /** One past its last offset. */
  readonly toOffset: number
  /** Offsets of the range not read yet. */
  readonly remaining: number
  readonly scanned: number
  readonly matched: number
  /** Read from the broker, compressed as stored. */
  readonly bytes: number
  /** What stopped this partition (its leader is gone); the others go on. */
  readonly problem: string | null
}

export interface QueryProgress {
  readonly queryId: string
  /**
   * `paused`: `rowsMax` is reached and more is there. `done`: the whole range was read. `failed`: see `problem`; rows found
   * so far stay readable, as after `cancelled`.
   */
  readonly state: 'scanning' | 'paused' | 'done' | 'cancelled' | 'failed'
  readonly problem: Problem | null
  /** Records looked at. */
  readonly scanned: number
  /** Records that match. */
  readonly matched: number
  /** Offsets not read yet: an upper bound of the records left. */
  readonly remaining: number
  readonly bytes: number
  readonly elapsedMs: number
  readonly recordsPerSecond: number
  /** Rows `rows` can give now; indexes 0 to rowCount - 1. */
  readonly rowCount: number
  readonly partitions: readonly PartitionProgress[]
}

export interface Preview {
  /** At most `previewCharactersMax` characters; control characters replaced; hex pairs for `hex`. */
  readonly text: string
  /** `json`: text that looks like a JSON object or array. `hex`: not valid UTF-8. */
  readonly encoding: 'json' | 'text' | 'hex'
  readonly isTruncated: boolean
}

export interface MessageRow {
  /** Its place in the query's result. */
  readonly index: number
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  /** `append`: set by the broker. */
  readonly timestampType: 'create' | 'append'
  /** `null`: the record has no key. */
  readonly key: Preview | null
  /** `null`: a tombstone. */
  readonly value: Preview | null
  readonly keyBytes: number
  readonly valueBytes: number
  readonly headerCount: number
}

/** A key, value or header value. */
export interface Payload {
  /** Its whole size. */
  readonly bytes: number
  readonly encoding: 'json' | 'text' | 'hex'
  /**
   * The first `detailBytesMax` bytes, exactly as stored: JSON is passed through as text, so numbers keep every digit. For
   * `hex`: lower-case pairs without separators.
   */
  readonly text: string
  /** False when there is more: read on with `payload` from `nextPosition`. */
  readonly isComplete: boolean
  readonly nextPosition: number | null
  /** For `hex`: why it is not shown as text. */
  readonly reason: string | null
}

export interface MessageDetail {
  readonly index: number
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly timestampType: 'create' | 'append'
  readonly key: Payload | null
  readonly value: Payload | null
  readonly headers: readonly { readonly key: string; readonly value: Payload | null }[]
  /** The batch it was written in. */
  readonly batch: {
    readonly baseOffset: number
    readonly recordCount: number
    readonly bytes: number
    readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
    readonly leaderEpoch: number
    /** `null` when the producer is not idempotent. */
    readonly producerId: number | null
    readonly producerEpoch: number | null
    readonly sequence: number | null
    readonly isTransactional: boolean
  }
}

export interface PayloadSlice {
  /** Decoded as asked; text is cut between characters. */
  readonly text: string
  /** Where this slice starts, in bytes. */
  readonly position: number
  /** Where the next one starts; `null` at the end. */
  readonly nextPosition: number | null
  /** Size of the whole payload. */
  readonly bytes: number
}

export interface HistogramBucket {
  readonly fromMs: number
  readonly toMs: number
  /** Records of the query's partitions in that time, matching or not: from the brokers' time index; `null` when not known. */
  readonly recordCount: number | null
  /** Of those read so far, how many match. */
  readonly matchedCount: number
}

export interface Histogram {
  readonly fromMs: number
  readonly toMs: number
  /** Equal widths, oldest first; empty when the topic is. */
  readonly buckets: readonly HistogramBucket[]
}

/** New records, in the order they arrived. */
export interface TailBatch {
  /** Give it to `detail` and `rows` like any query's. Closed when the subscription ends and another is opened. */
  readonly queryId: string
  /** At most `pageRowsMax`. Indexes go on from batch to batch. */
  readonly rows: readonly MessageRow[]
  /** Looked at since the tail started. */
  readonly scanned: number
  readonly matched: number
  /** Records in the log that were not read yet: grows while the window is slow, nothing is lost. */
  readonly behind: number
  /** Records left out because the tail was more than `tailBehindMax` behind and jumped to the end. */
  readonly skipped: number
  /** What is wrong with some of its partitions; it goes on trying. */
  readonly gaps: readonly string[]
}

/** Records a tail may fall behind before it jumps to the end (counted in `skipped`). */
export const tailBehindMax = 100_000

const queryId = v.pipe(v.string(), v.maxLength(64))
const ofQuery = v.object({ queryId })
const rowIndex = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

export const messagesContract = {
  open: procedure.input(messageQuery).output(type<{ queryId: string }>()),
  /** Progress, at most ten times a second; ends after `done`, `cancelled` or `failed`. */
  watch: procedure.input(ofQuery).output(streamOf<QueryProgress>()),
  progress: procedure.input(ofQuery).output(type<QueryProgress>()),
  rows: procedure
    .input(
      v.object({
        queryId,
        from: rowIndex,
        count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(pageRowsMax)),
      }),
    )
    .output(type<{ rows: readonly MessageRow[]; rowCount: number }>()),
  detail: procedure.input(v.object({ queryId, index: rowIndex })).output(type<MessageDetail>()),
  /** The record at a place, without a query: a link, or what was just sent. */
  at: procedure.input(v.object({ clusterId, topic: topicName, partition: partitionIndex, offset })).output(type<MessageDetail>()),
  /** A slice of a large key, value or header value of the record at a place. `position` and `count` in bytes. */
  payload: procedure
    .input(
      v.object({
        clusterId,
        topic: topicName,
        partition: partitionIndex,
        offset,
        part: v.variant('of', [
          v.object({ of: v.literal('key') }),
          v.object({ of: v.literal('value') }),
          v.object({ of: v.literal('header'), index: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
        ]),
        as: v.picklist(['text', 'hex']),
        position: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
        count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(16), v.maxValue(payloadBytesMax)), payloadBytesMax),
      }),
    )
    .output(type<PayloadSlice>()),
  /** Reads on after `paused`, for this many more rows (`null`: to the end of the range). */
  more: procedure
    .input(v.object({ queryId, rows: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000_000))) }))
    .output(type<null>()),
  cancel: procedure.input(ofQuery).output(type<null>()),
  /** Frees it; closing twice is fine. */
  close: procedure.input(ofQuery).output(type<null>()),
  histogram: procedure
    .input(
      v.object({
        queryId,
        buckets: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(histogramBucketsMax)), 60),
      }),
    )
    .output(type<Histogram>()),
  /** New records from now on, as they come. Stops when the call's signal aborts. */
  tail: procedure
    .input(
      v.object({
        clusterId,
        topic: topicName,
        partitions: messageQuery.entries.partitions,
        text: messageQuery.entries.text,
        /** Start this many records before each partition's end. */
        backlog: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)), 0),
      }),
    )
    .output(streamOf<TailBatch>()),
}
