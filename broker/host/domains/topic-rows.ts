import type { Page, SortDirection } from '../../contract/common.ts'
import type { topicSortKeys, TopicRow } from '../../contract/topics.ts'
import { worstGroupOf, type ClusterKnowledge, type TopicKnowledge } from '../clusters/knowledge.ts'
import { filterParts, matchesFilter, pageOf, sortRows } from './paging.ts'

export interface TopicPageInput {
  readonly filter: string
  readonly includeInternal: boolean
  readonly onlyAffected: boolean
  readonly sortBy: (typeof topicSortKeys)[number]
  readonly direction: SortDirection
  readonly from: number
  readonly count: number
}

export function topicRow(knowledge: ClusterKnowledge, topic: TopicKnowledge): TopicRow {
  const worst = worstGroupOf(knowledge, topic.name)
  return {
    name: topic.name,
    isInternal: topic.isInternal,
    partitionCount: topic.partitions.length,
    replicationFactor: topic.replicationFactor,
    bytes: topic.bytes,
    recordCount: topic.recordCount,
    recordsInPerSecond: topic.recordsInPerSecond,
    bytesInPerSecond: topic.bytesInPerSecond,
    groupCount: knowledge.groupsAsOfMs === null ? null : (knowledge.groupsByTopic.get(topic.name)?.length ?? 0),
    worstLag: worst?.lag ?? null,
    worstLagGroupId: worst?.groupId ?? null,
    underReplicatedCount: topic.underReplicatedCount,
    belowMinIsrCount: topic.belowMinIsrCount,
    offlineCount: topic.offlineCount,
  }
}

/** A page from what is known; rows are only made for what is shown when sorting by name, as names are kept sorted. */
export function topicPage(knowledge: ClusterKnowledge, input: TopicPageInput): Page<TopicRow> {
  const parts = filterParts(input.filter)
  const visible: TopicKnowledge[] = []
  let totalUnfiltered = 0
  for (const name of knowledge.topicNames) {
    const topic = knowledge.topics.get(name)
    if (topic === undefined || (topic.isInternal && !input.includeInternal)) continue
    totalUnfiltered += 1
    if (input.onlyAffected && topic.offlineCount === 0 && topic.underReplicatedCount === 0) continue
    if (matchesFilter(name, parts)) visible.push(topic)
  }
  const rest = { totalUnfiltered, asOfMs: knowledge.offsetsAsOfMs ?? knowledge.metadataAsOfMs, gaps: [...knowledge.gaps.values()] }
  if (input.sortBy === 'name') {
    if (input.direction === 'descending') visible.reverse()
    const page = pageOf(visible, input, rest)
    return { ...page, rows: page.rows.map((topic) => topicRow(knowledge, topic)) }
  }
  const rows = visible.map((topic) => topicRow(knowledge, topic))
  const key = input.sortBy
  sortRows(
    rows,
    (row) => row[key],
    (row) => row.name,
    input.direction,
  )
  return pageOf(rows, input, rest)
}
