/**
 * Shapes that several domains share.
 *
 * Units are part of a field's name (`Ms`, `Bytes`, `PerSecond`). `offset` is a place in a partition, `position` a place in
 * bytes, `count` a number of things. `null` means "not known or does not apply"; a field says which. Offsets and
 * timestamps are JS numbers: exact up to 2^53.
 */
import * as v from 'valibot'

/** Rows one call may return. */
export const pageRowsMax = 500
/** Points one series may hold. */
export const seriesPointsMax = 2_000

/** Part of every address: `/c/:clusterId/...`. Made by the host from the name; never changes. */
export const clusterId = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is not a cluster id'))
export const topicName = v.pipe(
  v.string(),
  v.minLength(1, 'is empty'),
  v.maxLength(249, 'is longer than 249 characters'),
  v.regex(/^[A-Za-z0-9._-]+$/, 'may hold only letters, digits, ".", "_" and "-"'),
)
/** Any text a broker accepts: group ids are not restricted as topic names are. */
export const groupId = v.pipe(v.string(), v.maxLength(32_767))
export const partitionIndex = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1))
export const offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** Milliseconds since 1970. */
export const timestampMs = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** What a person typed to find something; matched without case. */
export const filterText = v.pipe(v.string(), v.maxLength(300))

export const ofCluster = v.object({ clusterId })
export const ofTopic = v.object({ clusterId, topic: topicName })
export const ofGroup = v.object({ clusterId, groupId })

/** A window onto a list: rows `from` (0-based) to `from + count - 1`. */
export const pageWindow = v.object({
  from: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(pageRowsMax)), 100),
})

export const sortDirection = v.picklist(['ascending', 'descending'])
export type SortDirection = v.InferOutput<typeof sortDirection>

/** A chart's time span. The host picks the resolution that fits `pointsMax`. */
export const timeSpan = v.object({
  fromMs: timestampMs,
  toMs: timestampMs,
  pointsMax: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(seriesPointsMax)), 300),
})

/** One window of a list that pages, sorts and filters in the host. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Index of `rows[0]` in the filtered list. */
  readonly from: number
  /** Rows that match the filter. */
  readonly total: number
  /** Rows there are without the filter. */
  readonly totalUnfiltered: number
  /** When the host last read the newest part of this from the cluster; `null` before the first read has come back. */
  readonly asOfMs: number | null
  /** What could not be read: the rows are still right, some of their fields are `null`. Sentences for people. */
  readonly gaps: readonly string[]
}

/** Samples over time, oldest first. */
export interface Series {
  /** What is measured: `lag`, `records in`, ... and of what, when a chart holds several. */
  readonly label: string
  readonly unit: 'records' | 'records/s' | 'bytes' | 'bytes/s' | 'ms'
  /** `[timestampMs, value]`; a `null` value is a gap (nothing was sampled), never a zero. */
  readonly points: readonly (readonly [number, number | null])[]
  /** Width of one point after down-sampling. */
  readonly resolutionMs: number
}
