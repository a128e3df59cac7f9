/** Reading groups. Moving and deleting their offsets is in group-changes.ts. */
import type { Page, Series } from '../../contract/common.ts'
import type { GroupListInput, GroupRow } from '../../contract/groups.ts'
import type { ClusterKnowledge, GroupKnowledge } from '../clusters/knowledge.ts'
import { anyOf } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import { metrics, subjectOf } from '../sampling/history-recorder.ts'
import type { HostServices } from '../services.ts'
import { groupChangesRouter } from './group-changes.ts'
import { createGroupReader } from './group-detail.ts'
import { readSeries } from './history.ts'
import { filterParts, matchesFilter, pageOf, sortRows } from './paging.ts'
import { everyInterval } from './ticking.ts'

const watchIntervalMs = 1_000
/** Partitions drawn in one chart. */
const partitionSeriesMax = 20
const os = implementer.groups

export function groupsRouter(services: HostServices) {
  const { clusters, streams, env } = services
  return {
    list: os.list.handler(({ input }) => groupPage(clusters.get(input.clusterId).knowledge, input)),
    watchList: os.watchList.handler(({ input, signal }) => {
      const { knowledge } = clusters.get(input.clusterId)
      return streams.state(
        { read: () => groupPage(knowledge, input), changes: knowledge.groupChanges, intervalMs: watchIntervalMs },
        signal,
      )
    }),
    describe: os.describe.handler(({ input }) => createGroupReader(env, clusters.get(input.clusterId), input.groupId)()),
    watch: os.watch.handler(({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      const changes = anyOf(everyInterval(env, watchIntervalMs), session.changes)
      return streams.state({ read: createGroupReader(env, session, input.groupId), changes, intervalMs: watchIntervalMs }, signal)
    }),
    lagHistory: os.lagHistory.handler(({ input }) => lagHistory(services, input)),
    ...groupChangesRouter(services),
  }
}

type PageInput = Required<GroupListInput> & { readonly from: number; readonly count: number }

export function groupPage(knowledge: ClusterKnowledge, input: PageInput): Page<GroupRow> {
  const parts = filterParts(input.filter)
  const states = input.states === null ? null : new Set(input.states)
  const rows: GroupRow[] = []
  for (const groupId of knowledge.groupIds) {
    const group = knowledge.groups.get(groupId)
    if (group === undefined || !matchesFilter(groupId, parts)) continue
    if (states === null || states.has(group.state)) rows.push(groupRow(group))
  }
  const key = input.sortBy
  sortRows(
    rows,
    (row) => row[key],
    (row) => row.groupId,
    input.direction,
  )
  return pageOf(rows, input, { totalUnfiltered: knowledge.groups.size, asOfMs: knowledge.groupsAsOfMs, gaps: [...knowledge.gaps.values()] })
}

function groupRow(group: GroupKnowledge): GroupRow {
  return {
    groupId: group.groupId,
    state: group.state,
    protocolType: group.protocolType,
    groupType: group.groupType,
    memberCount: group.memberCount,
    topicCount: group.committed?.size ?? null,
    totalLag: group.totalLag,
    worst: group.worst,
    coordinator: group.coordinator,
    lagAsOfMs: group.lagAsOfMs,
  }
}

interface LagHistoryInput {
  readonly clusterId: string
  readonly groupId: string
  readonly topic: string | null
  readonly partition: number | null
  readonly perPartition: boolean
  readonly fromMs: number
  readonly toMs: number
  readonly pointsMax: number
}

function lagHistory({ clusters, store }: HostServices, input: LagHistoryInput): readonly Series[] {
  const { knowledge } = clusters.get(input.clusterId)
  const { groupId, topic, partition } = input
  const read = (label: string, metric: string, subject: string): Series =>
    readSeries(store.history, input, { label, unit: 'records', metric, subject })
  const ofPartition = (of: string, index: number): Series =>
    read(`${of}-${index}`, metrics.groupPartitionLag, subjectOf(groupId, of, index))
  if (topic !== null && partition !== null) return [ofPartition(topic, partition)]
  if (!input.perPartition) {
    return [topic === null ? read('lag', metrics.groupLag, groupId) : read(topic, metrics.groupTopicLag, subjectOf(groupId, topic))]
  }
  const lags: { topic: string; partition: number; lag: number }[] = []
  for (const [name, partitions] of knowledge.groups.get(groupId)?.partitionLags ?? []) {
    if (topic !== null && name !== topic) continue
    for (const [index, lag] of partitions) lags.push({ topic: name, partition: index, lag })
  }
  const worst = lags.sort((a, b) => b.lag - a.lag || a.partition - b.partition).slice(0, partitionSeriesMax)
  return worst.map((entry) => ofPartition(entry.topic, entry.partition))
}
