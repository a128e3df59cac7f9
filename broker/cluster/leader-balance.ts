/**
 * Gives leadership back to preferred leaders from time to time, where too much of it has drifted (auto.leader.rebalance.enable).
 * A broker's share is measured as Kafka does: of the partitions it is the preferred leader of, how many another one leads.
 */
import type { MetadataImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { changePartition, changeRules } from './partition-change.ts'
import { hasLeader, preferredLeader } from './partition-state.ts'

/** Elections of one round; the next one takes more. */
const ELECTIONS_PER_ROUND_MAX = 1_000

/** `allowedPercentage` of a broker's preferred partitions may be led by others without anything being done. */
export function rebalanceLeaders(image: MetadataImage, allowedPercentage: number): MetadataRecord[] {
  const drifted = brokersBeyond(image, allowedPercentage)
  const records: MetadataRecord[] = []
  if (drifted.size === 0) return records
  for (const topic of image.topics()) {
    for (const [index, partition] of topic.partitions.entries()) {
      if (records.length >= ELECTIONS_PER_ROUND_MAX) return records
      if (!hasLeader(partition) || partition.leader === preferredLeader(partition) || !drifted.has(preferredLeader(partition))) continue
      const change = changePartition(partition, {}, changeRules(image, topic.name, { election: 'preferred' }))
      if (change !== null) records.push(partitionChangeRecord(topic.id, index, change))
    }
  }
  return records
}

function brokersBeyond(image: MetadataImage, allowedPercentage: number): ReadonlySet<number> {
  const counts = new Map<number, { preferred: number; elsewhere: number }>()
  for (const { partitions } of image.topics()) {
    for (const partition of partitions) {
      const first = preferredLeader(partition)
      const count = counts.get(first) ?? { preferred: 0, elsewhere: 0 }
      counts.set(first, count)
      count.preferred++
      if (partition.leader !== first) count.elsewhere++
    }
  }
  const beyond = [...counts].filter(
    ([id, { preferred, elsewhere }]) => image.isActive(id) && (elsewhere / preferred) * 100 > allowedPercentage,
  )
  return new Set(beyond.map(([id]) => id))
}
