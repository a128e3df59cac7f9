import type { Series } from '../../broker/contract/common.ts'
import type { GroupDetail } from '../../broker/contract/groups.ts'

/** A sample stands for the time until the next one; beyond this the past has a hole before now, and is not drawn across. */
const JOINED_WITHIN_MS = 60_000

/** Recorded lag with what the group's page shows now as its last point, so that the two never disagree. */
export function upToNow(recorded: readonly Series[], detail: GroupDetail): Series[] {
  const now = new Map<string, number | null>([['lag', detail.totalLag]])
  for (const { topic, partition, lag } of detail.partitions) now.set(`${topic}-${partition}`, lag)
  return recorded.map((series) => {
    const value = now.get(series.label)
    const last = series.points.findLast(([, recordedValue]) => recordedValue !== null)
    if (value === undefined || value === null || last === undefined || last[0] >= detail.asOfMs) return series
    const hole = detail.asOfMs - last[0] > Math.max(JOINED_WITHIN_MS, 2 * series.resolutionMs) ? [[last[0] + 1, null] as const] : []
    const past = series.points.filter(([atMs]) => atMs <= last[0])
    return { ...series, points: [...past, ...hole, [detail.asOfMs, value] as const] }
  })
}
