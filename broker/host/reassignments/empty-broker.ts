/**
 * No replica stays on one broker. Only its own replicas move; each goes to the live broker with fewest replicas that keeps the partition
 * in as many racks as can be, and the partitions it led are led by those that lead fewest.
 */
import { clusterLoad, least, Racks, self, type ClusterLoad } from './load.ts'
import { planOf, type BlockedPartition, type Plan, type PlanInput, type PlanPartition } from './plan-types.ts'

export function planEmptyBroker(input: PlanInput, brokerId: number): Plan {
  const load = clusterLoad(input)
  const racks = new Racks(input.brokers)
  const targets = input.brokers.map(({ id }) => id).filter((id) => id !== brokerId)
  const blocked: BlockedPartition[] = []
  const drafts: { readonly partition: PlanPartition; readonly replicas: readonly number[] }[] = []
  // The largest first: what is small evens out what is left.
  const own = input.partitions.filter(({ replicas }) => replicas.includes(brokerId)).toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
  for (const partition of own) {
    const reason = blockerOf(partition, targets)
    if (reason === null) drafts.push({ partition, replicas: withoutBroker(partition, brokerId, targets, racks, load) })
    else blocked.push({ topic: partition.topic, partition: partition.partition, replicas: partition.replicas, reason })
  }
  drafts.sort((a, b) => a.partition.topic.localeCompare(b.partition.topic) || a.partition.partition - b.partition.partition)
  return { ...planOf(drafts), blocked, unchangedCount: input.partitions.length - drafts.length - blocked.length }
}

function blockerOf({ replicas, leader }: PlanPartition, targets: readonly number[]): string | null {
  if (leader === null) return 'It has no leader, so nothing can be copied from it.'
  if (targets.some((id) => !replicas.includes(id))) return null
  return `It has ${replicas.length} replicas, and no other live broker is without one. Lower its replication factor or add a broker first.`
}

function withoutBroker(
  { replicas, bytes }: PlanPartition,
  brokerId: number,
  targets: readonly number[],
  racks: Racks,
  load: ClusterLoad,
): readonly number[] {
  const staying = replicas.filter((id) => id !== brokerId)
  const arriving = least(
    targets.filter((id) => !replicas.includes(id)),
    (id) => (racks.adds(id, staying) ? 0 : 1),
    (id) => load.replicas.of(id),
    (id) => load.bytes.of(id),
    self,
  )
  load.replicas.add(arriving)
  load.replicas.add(brokerId, -1)
  load.bytes.add(arriving, bytes ?? 0)
  if (replicas[0] !== brokerId) return replicas.map((id) => (id === brokerId ? arriving : id))
  const leader = least(
    [...staying.filter((id) => targets.includes(id)), arriving],
    (id) => load.leaders.of(id),
    (id) => load.replicas.of(id),
    self,
  )
  load.leaders.add(leader)
  load.leaders.add(brokerId, -1)
  return [leader, ...[...staying, arriving].filter((id) => id !== leader)]
}
