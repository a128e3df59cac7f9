/**
 * How many records fall into each part of a time span, from the brokers' time indexes: nothing is read. Exact where
 * timestamps rise with offsets; close where producers' clocks disagree.
 */
import type { KafkaClient, ListedOffset, OffsetSpec } from '../../client/types.ts'
import type { Histogram } from '../../contract/messages.ts'
import type { MessageQuery } from './message-query.ts'

const histogramDeadlineMs = 10_000
/** Lookups (partitions times boundaries) one histogram may take; with more partitions there are fewer buckets. */
const lookupsMax = 6_000
const concurrentLookups = 8

export async function topicHistogram(client: KafkaClient, query: MessageQuery, wishedBuckets: number): Promise<Histogram> {
  const scans = query.topicScans.filter((scan) => scan.toOffset > scan.fromOffset)
  const topic = query.query.topic
  const ask = (spec: OffsetSpec): Promise<readonly ListedOffset[]> =>
    client.admin.listOffsets(
      scans.map(({ partition }) => ({ topic, partition, spec })),
      { timeoutMs: histogramDeadlineMs },
    )
  if (scans.length === 0) return { fromMs: 0, toMs: 0, buckets: [] }
  const span = await spanOf(query, ask)
  if (span === null) return { fromMs: 0, toMs: 0, buckets: [] }
  const { fromMs, toMs } = span
  const count = Math.max(1, Math.min(wishedBuckets, toMs - fromMs, Math.floor(lookupsMax / scans.length)))
  const edgeMs = (edge: number): number => Math.round(fromMs + ((toMs - fromMs) * edge) / count)

  const inner = Array.from({ length: count - 1 }, (_, index) => index + 1)
  const found = await inBatches(inner, concurrentLookups, async (edge) => ask({ timestampMs: edgeMs(edge) }).catch(() => null))
  /** Records of the query's range before each edge; `null` where an edge could not be looked up. */
  const before = [
    0,
    ...found.map((listed) => listed && sumBefore(scans, listed)),
    scans.reduce((sum, s) => sum + s.toOffset - s.fromOffset, 0),
  ]
  const matched = query.histogram.into(count, fromMs, toMs)
  return {
    fromMs,
    toMs,
    buckets: matched.map((matchedCount, index) => {
      const [low, high] = [before[index], before[index + 1]]
      const recordCount = low === null || low === undefined || high === null || high === undefined ? null : Math.max(0, high - low)
      return { fromMs: edgeMs(index), toMs: edgeMs(index + 1), recordCount, matchedCount }
    }),
  }
}

type Scans = MessageQuery['topicScans']

function sumBefore(scans: Scans, listed: readonly ListedOffset[]): number | null {
  let sum = 0
  for (const [index, scan] of scans.entries()) {
    const entry = listed[index]
    if (entry === undefined || entry.error !== null) return null
    const offset = entry.offset ?? scan.toOffset
    sum += Math.min(Math.max(offset, scan.fromOffset), scan.toOffset) - scan.fromOffset
  }
  return sum
}

/** From the first record's time to just after the last one's, within what the query asks for. */
async function spanOf(
  query: MessageQuery,
  ask: (spec: OffsetSpec) => Promise<readonly ListedOffset[]>,
): Promise<{ fromMs: number; toMs: number } | null> {
  const { start, order } = query.query
  if (start.at === 'range') return { fromMs: start.fromMs, toMs: start.toMs }
  const [firsts, lasts] = await Promise.all([ask({ timestampMs: 0 }), ask('max-timestamp')])
  const times = (listed: readonly ListedOffset[]): number[] =>
    listed.flatMap(({ timestampMs }) => (timestampMs === null || timestampMs < 0 ? [] : [timestampMs]))
  const first = Math.min(...times(firsts))
  const last = Math.max(...times(lasts)) + 1
  if (!Number.isFinite(first) || !Number.isFinite(last)) return null
  const fromMs = start.at === 'time' && order === 'oldest-first' ? Math.max(first, start.timestampMs) : first
  const toMs = start.at === 'time' && order === 'newest-first' ? Math.min(last, start.timestampMs + 1) : last
  return toMs > fromMs ? { fromMs, toMs } : { fromMs, toMs: fromMs + 1 }
}

async function inBatches<Item, Result>(items: readonly Item[], size: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let from = 0; from < items.length; from += size) results.push(...(await Promise.all(items.slice(from, from + size).map(work))))
  return results
}
