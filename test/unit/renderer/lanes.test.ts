import { describe, expect, it } from 'vitest'
import type { PartitionLane } from '../../../broker/contract/topics.ts'
import { drawLane, laneGroups, laneSpan } from '../../../renderer/lib/lanes.ts'

function lane(partition: number, logStartOffset: number | null, highWatermark: number | null, lags: Record<string, number>): PartitionLane {
  const groups = Object.entries(lags).map(([groupId, lag]) => ({
    groupId,
    lag,
    committedOffset: (highWatermark ?? 0) - lag,
    clientId: null,
  }))
  return {
    partition,
    state: 'healthy',
    leader: 1,
    leaderEpoch: 0,
    replicas: [1],
    isr: [1],
    offlineReplicas: [],
    logStartOffset,
    highWatermark,
    bytes: 0,
    recordsInPerSecond: 0,
    groups,
    groupTotal: groups.length,
  }
}

describe('partition lanes', () => {
  const lanes = [lane(0, 0, 1000, { slow: 500, quick: 0 }), lane(1, 900, 1000, { slow: 50 })]

  it('the same lag is the same distance on every lane', () => {
    const span = laneSpan(lanes, 'log')
    expect(span).toBe(1000)
    expect(drawLane(lanes[0] as PartitionLane, span).ticks.map((tick) => tick.x)).toEqual([0.5, 1])
    expect(drawLane(lanes[1] as PartitionLane, span)).toMatchObject({ startX: 0.9, ticks: [{ x: 0.95 }] })
  })

  it('zoomed to lag, the most lagging group stays in sight', () => {
    const span = laneSpan(lanes, 'lag')
    const x = drawLane(lanes[0] as PartitionLane, span).ticks[0]?.x ?? -1
    expect(x).toBeGreaterThan(0)
    expect(x).toBeLessThan(0.2)
  })

  it('an offline or empty partition draws without dividing by zero', () => {
    const offline = lane(2, null, null, {})
    const empty = lane(3, 0, 0, { slow: 0 })
    expect(laneSpan([offline, empty], 'log')).toBe(1)
    expect(drawLane(empty, 1)).toMatchObject({ startX: 1, ticks: [{ x: 1 }] })
  })

  it('the legend sums each group over all lanes, most lagging first', () => {
    expect(laneGroups(lanes)).toEqual([
      { groupId: 'slow', lag: 550 },
      { groupId: 'quick', lag: 0 },
    ])
  })
})
