import { describe, expect, it } from 'vitest'
import type { Series } from '../../../broker/contract/common.ts'
import type { GroupDetail } from '../../../broker/contract/groups.ts'
import { upToNow } from '../../../renderer/lib/lag-series.ts'

const NOW_MS = 1_800_000_000_000
const series = (label: string, points: Series['points']): Series => ({ label, unit: 'records', points, resolutionMs: 5_000 })
const detail = {
  asOfMs: NOW_MS,
  totalLag: 103,
  partitions: [
    { topic: 't', partition: 0, lag: 100 },
    { topic: 't', partition: 1, lag: null },
  ],
} as unknown as GroupDetail
const pointsOf = (label: string, points: Series['points']) => upToNow([series(label, points)], detail)[0]?.points

describe('the lag chart', () => {
  it('ends with what the page says now, for the group and for a partition', () => {
    expect(pointsOf('lag', [[NOW_MS - 4_000, 7]])).toEqual([
      [NOW_MS - 4_000, 7],
      [NOW_MS, 103],
    ])
    expect(pointsOf('t-0', [[NOW_MS - 4_000, 7]])?.at(-1)).toEqual([NOW_MS, 100])
  })

  it('keeps its own end where the page knows nothing, and where it is newer than the page', () => {
    expect(pointsOf('t-1', [[NOW_MS - 4_000, 7]])).toHaveLength(1)
    expect(pointsOf('lag', [[NOW_MS + 1, 7]])).toEqual([[NOW_MS + 1, 7]])
  })

  it('shows a past that ended long ago as a hole, not as a line to now', () => {
    expect(
      pointsOf('lag', [
        [NOW_MS - 600_000, 7],
        [NOW_MS - 595_000, null],
      ]),
    ).toEqual([
      [NOW_MS - 600_000, 7],
      [NOW_MS - 599_999, null],
      [NOW_MS, 103],
    ])
  })

  it('is empty while nothing was recorded', () => {
    expect(pointsOf('lag', [])).toEqual([])
  })
})
