/** What a broker's coming and going does to the partitions: leaders move away from it, and back where nobody else could lead. */
import type { MetadataImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { allowsUncleanElection, electLeader, isrWithout, type ElectionOptions } from './partition-election.ts'
import { NO_LEADER, type PartitionState } from './partition-state.ts'

/**
 * Takes the broker out of every ISR it is not the last member of, and leadership from it. For a broker that is being fenced,
 * shuts down, or comes back after a crash (having possibly lost its unsynced suffix, KIP-903).
 */
export function removeFromPartitions(image: MetadataImage, brokerId: number): MetadataRecord[] {
  const mayLead = (id: number): boolean => id !== brokerId && image.isActive(id)
  return changesWhere(
    image,
    mayLead,
    (partition) => partition.leader === brokerId || partition.isr.includes(brokerId),
    (partition) => isrWithout(partition.isr, brokerId),
  )
}

/** Gives leaderless partitions a leader now that the broker may lead. */
export function electForReturned(image: MetadataImage, brokerId: number): MetadataRecord[] {
  const mayLead = (id: number): boolean => id === brokerId || image.isActive(id)
  return changesWhere(
    image,
    mayLead,
    (partition) => partition.leader === NO_LEADER && partition.replicas.includes(brokerId),
    (partition) => partition.isr,
  )
}

export function leadsAny(image: MetadataImage, brokerId: number): boolean {
  for (const topic of image.topics()) {
    if (topic.partitions.some((partition) => partition.leader === brokerId)) return true
  }
  return false
}

function changesWhere(
  image: MetadataImage,
  mayLead: ElectionOptions['mayLead'],
  isConcerned: (partition: PartitionState) => boolean,
  isrOf: (partition: PartitionState) => readonly number[],
): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of image.topics()) {
    let allowUnclean: boolean | undefined
    for (const [index, partition] of topic.partitions.entries()) {
      if (!isConcerned(partition)) continue
      allowUnclean ??= allowsUncleanElection(image, topic.name)
      const change = electLeader(partition, isrOf(partition), { mayLead, allowUnclean })
      if (change !== null) records.push(partitionChangeRecord(topic.id, index, change))
    }
  }
  return records
}
