/**
 * Sampled history: numbers over time, by cluster, metric and subject, at three resolutions.
 *
 * Invariant: level n+1 holds one sample per `resolutionMs` of its own, written when a sample falls into a slot not yet
 * taken or replaces it with the newest of the slot. Lag and totals are states, not sums: the last value of a slot stands for it.
 * A value equal to the one before is written again only after `repeatAfterMs`, so a quiet series costs almost nothing;
 * readers treat it as holding until then.
 */
import type { StoreDatabase } from './database.ts'

export interface HistoryLevel {
  readonly resolutionMs: number
  readonly keptMs: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** 5 s for two hours, 1 minute for two days, 15 minutes for thirty days. */
export const historyLevels: readonly HistoryLevel[] = [
  { resolutionMs: 5_000, keptMs: 2 * hourMs },
  { resolutionMs: minuteMs, keptMs: 48 * hourMs },
  { resolutionMs: 15 * minuteMs, keptMs: 30 * 24 * hourMs },
]
/** An unchanged value is written again after this long. */
export const repeatAfterMs = 30_000
/** Series one cluster may have; beyond it new ones are not recorded. */
export const seriesPerClusterMax = 50_000
/** Last values remembered in memory, over all clusters. */
const rememberedSeriesMax = 200_000

export interface Sample {
  readonly metric: string
  readonly subject: string
  readonly value: number
}

export interface HistoryQuery {
  readonly clusterId: string
  readonly metric: string
  readonly subject: string
  readonly fromMs: number
  readonly toMs: number
  readonly pointsMax: number
}

export interface HistoryResult {
  /** `[slotMs, value]`, oldest first; `null` where nothing was sampled. */
  readonly points: readonly (readonly [number, number | null])[]
  readonly resolutionMs: number
}

export interface HistoryStore {
  /** One transaction for all of a round's samples. Answers how many series were left out for want of room. */
  record(clusterId: string, atMs: number, samples: readonly Sample[]): number
  read(query: HistoryQuery): HistoryResult
  /** Removes what is older than its level keeps. */
  prune(nowMs: number): void
  forgetCluster(clusterId: string): void
}

interface Remembered {
  readonly id: number
  value: number
  writtenMs: number
}

export function createHistoryStore(database: StoreDatabase): HistoryStore {
  const findSeries = database.prepare<[string, string, string], { id: number }>(
    'SELECT id FROM series WHERE cluster_id = ? AND metric = ? AND subject = ?',
  )
  const addSeries = database.prepare<[string, string, string], { id: number }>(
    'INSERT INTO series (cluster_id, metric, subject) VALUES (?, ?, ?) RETURNING id',
  )
  const countSeries = database.prepare<[string], { total: number }>('SELECT count(*) AS total FROM series WHERE cluster_id = ?')
  const put = database.prepare(
    'INSERT INTO sample (series_id, level, at_ms, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  )
  const range = database.prepare<[number, number, number, number], { at_ms: number; value: number }>(
    'SELECT at_ms, value FROM sample WHERE series_id = ? AND level = ? AND at_ms >= ? AND at_ms <= ? ORDER BY at_ms',
  )
  const removeOld = database.prepare('DELETE FROM sample WHERE level = ? AND at_ms < ?')
  const removeEmpty = database.prepare('DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM sample WHERE series_id = series.id)')
  const removeCluster = database.prepare('DELETE FROM series WHERE cluster_id = ?')

  const remembered = new Map<string, Remembered>()
  const seriesCounts = new Map<string, number>()

  function seriesFor(clusterId: string, metric: string, subject: string): Remembered | null {
    const key = `${clusterId}\0${metric}\0${subject}`
    const known = remembered.get(key)
    if (known !== undefined) return known
    let id = findSeries.get(clusterId, metric, subject)?.id
    if (id === undefined) {
      const count = seriesCounts.get(clusterId) ?? countSeries.get(clusterId)?.total ?? 0
      if (count >= seriesPerClusterMax) return null
      id = addSeries.get(clusterId, metric, subject)?.id
      if (id === undefined) throw new Error('SQLite returned no row for a series')
      seriesCounts.set(clusterId, count + 1)
    }
    if (remembered.size >= rememberedSeriesMax) remembered.clear()
    const entry: Remembered = { id, value: Number.NaN, writtenMs: Number.NEGATIVE_INFINITY }
    remembered.set(key, entry)
    return entry
  }

  const recordAll = database.transaction((clusterId: string, atMs: number, samples: readonly Sample[]) => {
    let leftOut = 0
    for (const sample of samples) {
      const series = seriesFor(clusterId, sample.metric, sample.subject)
      if (series === null) {
        leftOut += 1
        continue
      }
      if (series.value === sample.value && atMs - series.writtenMs < repeatAfterMs) continue
      series.value = sample.value
      series.writtenMs = atMs
      for (const [level, { resolutionMs }] of historyLevels.entries()) {
        put.run(series.id, level, Math.floor(atMs / resolutionMs) * resolutionMs, sample.value)
      }
    }
    return leftOut
  })

  return {
    record: (clusterId, atMs, samples) => recordAll.immediate(clusterId, atMs, samples),
    read(query) {
      const { level, resolutionMs } = levelFor(query)
      const series = findSeries.get(query.clusterId, query.metric, query.subject)
      if (series === undefined) return { points: [], resolutionMs }
      const rows = range.all(series.id, level, query.fromMs - Math.max(resolutionMs, repeatAfterMs), query.toMs)
      return { points: resample(rows, query, resolutionMs), resolutionMs: pointWidth(query, resolutionMs) }
    },
    prune(nowMs) {
      for (const [level, { keptMs }] of historyLevels.entries()) removeOld.run(level, nowMs - keptMs)
      removeEmpty.run()
      remembered.clear()
      seriesCounts.clear()
    },
    forgetCluster(clusterId) {
      removeCluster.run(clusterId)
      remembered.clear()
      seriesCounts.delete(clusterId)
    },
  }
}

/** The finest level that reaches back far enough, unless a coarser one has points enough. */
function levelFor(query: HistoryQuery): { level: number; resolutionMs: number } {
  const spanMs = Math.max(1, query.toMs - query.fromMs)
  let level = historyLevels.findIndex(({ keptMs }) => keptMs >= spanMs)
  if (level < 0) level = historyLevels.length - 1
  while (level + 1 < historyLevels.length && spanMs / (historyLevels[level + 1]?.resolutionMs ?? 1) >= query.pointsMax) level += 1
  return { level, resolutionMs: historyLevels[level]?.resolutionMs ?? minuteMs }
}

function pointWidth(query: HistoryQuery, resolutionMs: number): number {
  const wished = Math.max(1, query.toMs - query.fromMs) / query.pointsMax
  return Math.max(resolutionMs, Math.ceil(wished / resolutionMs) * resolutionMs)
}

/** One point per width from `fromMs` to `toMs`: the last value of it, or the one before while it still holds. */
function resample(
  rows: readonly { at_ms: number; value: number }[],
  query: HistoryQuery,
  resolutionMs: number,
): readonly (readonly [number, number | null])[] {
  const width = pointWidth(query, resolutionMs)
  const holdsMs = Math.max(repeatAfterMs + resolutionMs, width) + resolutionMs
  const points: (readonly [number, number | null])[] = []
  let next = 0
  let last: { at_ms: number; value: number } | null = null
  for (let slot = Math.ceil(query.fromMs / width) * width; slot <= query.toMs; slot += width) {
    for (let row = rows[next]; row !== undefined && row.at_ms <= slot; row = rows[next]) {
      last = row
      next += 1
    }
    points.push([slot, last !== null && slot - last.at_ms <= holdsMs ? last.value : null])
  }
  return points
}
