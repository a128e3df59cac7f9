import type { Series } from '../../broker/contract/common.ts'
import type { TimeSeries } from '../components/time-chart.vue'

/** Series that were sampled at times of their own, over one list of times; where one has no value there is a hole. */
export function alignSeries(all: readonly Series[]): { timesMs: number[]; series: TimeSeries[] } {
  const timesMs = [...new Set(all.flatMap(({ points }) => points.map(([timeMs]) => timeMs)))].sort((a, b) => a - b)
  const place = new Map(timesMs.map((timeMs, index) => [timeMs, index]))
  const series = all.map(({ label, points }) => {
    const values: (number | null)[] = Array.from({ length: timesMs.length }, () => null)
    for (const [timeMs, value] of points) values[place.get(timeMs)!] = value
    return { label, values }
  })
  return { timesMs, series }
}
