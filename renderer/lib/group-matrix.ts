import type { GroupDetail, GroupPartition } from '../../broker/contract/groups.ts'
import { plainHost } from './consumer-rows.ts'

/**
 * Members x partitions: who reads what. A row for each member, idle ones included, and one for partitions nobody reads; a column for each partition the group has
 * to do with. A partition has one reader at most, so there is one cell per column.
 */
export interface MatrixRow {
  /** null: nobody. */
  memberId: string | null
  label: string
  detail: string
  partitionCount: number
  lag: number
}

export interface MatrixCell {
  column: number
  row: number
  partition: GroupPartition
}

export interface GroupMatrix {
  rows: MatrixRow[]
  cells: MatrixCell[]
  /** Where each topic's columns begin, and how many it has. */
  topics: { topic: string; from: number; count: number }[]
}

export function groupMatrix(detail: Pick<GroupDetail, 'members' | 'partitions'>): GroupMatrix {
  const partitions = [...detail.partitions].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
  const rows: MatrixRow[] = detail.members.map(({ memberId, clientId, host, instanceId }) => ({
    memberId,
    label: clientId === '' ? memberId : clientId,
    detail: [memberId, plainHost(host), instanceId === null ? null : `static member ${instanceId}`]
      .filter((part) => part !== null)
      .join('\n'),
    partitionCount: 0,
    lag: 0,
  }))
  const rowOf = new Map<string | null, number>(rows.map(({ memberId }, index) => [memberId, index]))
  if (partitions.some(({ memberId }) => !rowOf.has(memberId))) {
    rowOf.set(null, rows.length)
    rows.push({
      memberId: null,
      label: 'nobody',
      detail: 'Partitions with offsets of this group that no member reads',
      partitionCount: 0,
      lag: 0,
    })
  }
  const topics: GroupMatrix['topics'] = []
  const cells = partitions.map((partition, column) => {
    const last = topics.at(-1)
    if (last?.topic === partition.topic) last.count += 1
    else topics.push({ topic: partition.topic, from: column, count: 1 })
    const row = rowOf.get(partition.memberId) ?? rowOf.get(null)!
    rows[row]!.partitionCount += 1
    rows[row]!.lag += partition.lag ?? 0
    return { column, row, partition }
  })
  return { rows, cells, topics }
}

/** Seconds until nothing is behind at the present rate; null when it is not getting there. */
export function drainSeconds(partition: Pick<GroupPartition, 'lag' | 'consumedPerSecond'>): number | null {
  if (partition.lag === null) return null
  if (partition.lag === 0) return 0
  return partition.consumedPerSecond === null || partition.consumedPerSecond <= 0 ? null : partition.lag / partition.consumedPerSecond
}
