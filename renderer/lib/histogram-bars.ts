import type { Histogram, HistogramBucket } from '../../broker/contract/messages.ts'

/** The histogram above the messages as drawn: every record in grey, those that match in colour, and a brush that selects whole bars. */
export interface HistogramBar {
  x: number
  width: number
  /** Heights in pixels from the bottom. */
  all: number
  matched: number
  bucket: HistogramBucket
}

const GAP = 1
const VISIBLE_HEIGHT_MIN = 2

export function histogramBars(histogram: Histogram, size: { width: number; height: number }): HistogramBar[] {
  const { buckets } = histogram
  const largest = Math.max(1, ...buckets.map(recordsIn))
  const slot = size.width / Math.max(1, buckets.length)
  const heightOf = (count: number): number => (count === 0 ? 0 : Math.max(VISIBLE_HEIGHT_MIN, (count / largest) * size.height))
  return buckets.map((bucket, index) => ({
    x: index * slot,
    width: Math.max(1, slot - GAP),
    all: heightOf(recordsIn(bucket)),
    matched: heightOf(bucket.matchedCount),
    bucket,
  }))
}

/** Brokers tell how many records a span holds from a sparse index; what was found there is exact, and may be more. */
export function recordsIn(bucket: HistogramBucket): number {
  return Math.max(bucket.recordCount ?? 0, bucket.matchedCount)
}

/** The bar under a place, or null where there is none. */
export function barAt(bars: readonly HistogramBar[], x: number, width: number): HistogramBar | null {
  return bars[Math.min(bars.length - 1, Math.max(0, Math.floor((x / width) * bars.length)))] ?? null
}

/** The time from the first to the last bar touched, in whole milliseconds; the end is the first moment after it. */
export function brushedRange(
  bars: readonly HistogramBar[],
  fromX: number,
  toX: number,
  width: number,
): { fromMs: number; toMs: number } | null {
  const first = barAt(bars, Math.min(fromX, toX), width)
  const last = barAt(bars, Math.max(fromX, toX), width)
  if (first === null || last === null) return null
  const fromMs = Math.max(0, Math.floor(first.bucket.fromMs))
  return { fromMs, toMs: Math.max(fromMs + 1, Math.ceil(last.bucket.toMs)) }
}
