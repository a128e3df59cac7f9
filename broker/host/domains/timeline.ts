/** The journal and the clusters' events as one, listed and counted. */
import type { TimelineInput, TimelineMarksInput, TimelineRow } from '../../contract/activity.ts'
import type { Page } from '../../contract/common.ts'
import {
  clusterEventKinds,
  eventTopicsShown,
  laneOfKind,
  type ClusterEvent,
  type ClusterEventKind,
  type ClusterEventPartitions,
  type ElectionCause,
  type TimelineLane,
  type TimelineMark,
  type TimelineMarks,
} from '../../contract/timeline.ts'
import type { StoredClusterEvent } from '../../store/cluster-events.ts'
import type { StoredTimelineRow, TimelineFilter } from '../../store/timeline.ts'
import { HostError } from '../problem.ts'
import type { HostServices } from '../services.ts'
import { activityRow } from './activity-rows.ts'

const losses: ReadonlySet<string> = new Set<ClusterEventKind>(['partition-offline', 'isr-shrunk', 'broker-fenced', 'quorum-lost'])

export function timelinePage({ store }: HostServices, input: TimelineInput): Page<TimelineRow> {
  const { fromMs, toMs, from, count } = input
  const { rows, total, totalUnfiltered } = store.timeline.list({ ...filterOf(input), fromMs, toMs, from, count })
  return { rows: rows.map(timelineRow), from, total, totalUnfiltered, asOfMs: atMsOf(rows[0]), gaps: [] }
}

/** Slots lie on whole multiples of their width, so that a mark stays in its slot while time goes on. */
export function timelineMarks({ store, env }: HostServices, input: TimelineMarksInput): TimelineMarks {
  const slotMs = Math.ceil(input.spanMs / input.slots)
  const toMs = (Math.floor(env.clock.nowMs() / slotMs) + 1) * slotMs
  const fromMs = toMs - input.slots * slotMs
  const marks = new Map<string, { lane: TimelineLane; slot: number; count: number; isLoss: boolean }>()
  for (const { slot, kind, count, failures } of store.timeline.count(filterOf(input), fromMs, toMs, slotMs)) {
    const lane = laneOf(kind)
    const key = `${lane} ${slot}`
    const mark = marks.get(key) ?? { lane, slot, count: 0, isLoss: false }
    mark.count += count
    mark.isLoss ||= failures > 0 || losses.has(kind)
    marks.set(key, mark)
  }
  const inOrder = [...marks.values()].sort((a, b) => a.slot - b.slot) satisfies TimelineMark[]
  return { fromMs, toMs, slotMs, marks: inOrder }
}

export function eventPartitions({ store }: HostServices, eventId: number): ClusterEventPartitions {
  const found = store.clusterEvents.partitionsOf(eventId)
  if (found === null) {
    throw new HostError('NOT_FOUND', `There is no event ${eventId}: it was dropped for its age.`, { subject: String(eventId) })
  }
  const partitions = [...(found.partitions ?? [])].sort((a, b) => compareText(a.topic, b.topic) || a.partition - b.partition)
  return { partitions, total: found.total, isDropped: found.partitions === null }
}

function filterOf(input: Omit<TimelineMarksInput, 'spanMs' | 'slots'>): TimelineFilter {
  const { clusterId, topic, brokerId, filter } = input
  const wants = (lane: TimelineLane): boolean => input.lanes.length === 0 || input.lanes.includes(lane)
  return {
    clusterId,
    topic,
    brokerId,
    filter,
    journalKinds: (['change', 'event'] as const).filter(wants),
    eventKinds: clusterEventKinds.filter((kind) => wants(laneOfKind[kind])),
  }
}

function laneOf(kind: string): TimelineLane {
  return kind === 'change' || kind === 'event' ? kind : laneOfKind[kind as ClusterEventKind]
}

function timelineRow(row: StoredTimelineRow): TimelineRow {
  return row.source === 'journal' ? { source: 'journal', ...activityRow(row.entry) } : { source: 'cluster', ...clusterEventView(row.event) }
}

function clusterEventView(event: StoredClusterEvent): ClusterEvent {
  return {
    ...event,
    kind: event.kind as ClusterEventKind,
    cause: event.cause as ElectionCause | null,
    topics: event.topics.slice(0, eventTopicsShown),
  }
}

function atMsOf(row: StoredTimelineRow | undefined): number | null {
  if (row === undefined) return null
  return row.source === 'journal' ? row.entry.atMs : row.event.untilMs
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
