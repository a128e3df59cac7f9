import { expect, test } from 'vitest'
import { alignSeries } from '../../../../renderer/lib/align-series.ts'

const series = (label: string, ...points: [number, number | null][]) => ({ label, unit: 'records' as const, points, resolutionMs: 1 })

test('series sampled at different times share one axis, with holes where one has no value', () => {
  const aligned = alignSeries([series('a', [10, 1], [30, 3]), series('b', [20, 5], [30, null])])
  expect(aligned.timesMs).toEqual([10, 20, 30])
  expect(aligned.series).toEqual([
    { label: 'a', values: [1, null, 3] },
    { label: 'b', values: [null, 5, null] },
  ])
})

test('no series is an empty chart', () => {
  expect(alignSeries([])).toEqual({ timesMs: [], series: [] })
})
