import type { LaneGroup, PartitionLane } from '../../broker/contract/topics.ts'

/**
 * Geometry of partition lanes. All high watermarks stand on one line at the right, and one scale holds for all lanes, so that lag is a distance that can be
 * compared across partitions. `log` shows whole logs; `lag` zooms to the most lagging group.
 */
export type LaneScale = 'log' | 'lag'

/** Records that the full width stands for. */
export function laneSpan(lanes: readonly PartitionLane[], scale: LaneScale): number {
  const spans = lanes.map((lane) => (scale === 'log' ? logSpan(lane) : Math.max(0, ...lane.groups.map((group) => group.lag ?? 0)) * 1.08))
  return Math.max(1, ...spans)
}

function logSpan(lane: PartitionLane): number {
  return lane.highWatermark === null || lane.logStartOffset === null ? 0 : lane.highWatermark - lane.logStartOffset
}

/** Where a place that many records before the high watermark is, from 0 (left) to 1 (the high watermark). */
export function laneX(behind: number, span: number): number {
  return Math.min(1, Math.max(0, 1 - behind / span))
}

export interface LaneTick {
  groupId: string
  x: number
  lag: number
  committedOffset: number
  clientId: string | null
}

export interface LaneDrawing {
  /** Where the log starts; 0 when it starts further left than the scale shows. */
  startX: number
  ticks: LaneTick[]
}

export function drawLane(lane: PartitionLane, span: number): LaneDrawing {
  return {
    startX: laneX(logSpan(lane), span),
    ticks: lane.groups.flatMap((group) => (group.lag === null ? [] : [tick(group, group.lag, span)])).sort((a, b) => b.lag - a.lag),
  }
}

function tick(group: LaneGroup, lag: number, span: number): LaneTick {
  return { groupId: group.groupId, x: laneX(lag, span), lag, committedOffset: group.committedOffset, clientId: group.clientId }
}

/** Groups on any of the lanes with their lag over those, most lagging first: the legend. */
export function laneGroups(lanes: readonly PartitionLane[]): { groupId: string; lag: number }[] {
  const totals = new Map<string, number>()
  for (const lane of lanes) {
    for (const group of lane.groups) totals.set(group.groupId, (totals.get(group.groupId) ?? 0) + (group.lag ?? 0))
  }
  return [...totals].map(([groupId, lag]) => ({ groupId, lag })).sort((a, b) => b.lag - a.lag || (a.groupId < b.groupId ? -1 : 1))
}
