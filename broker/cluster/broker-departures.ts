/** What a broker's coming and going does to the partitions: leaders move away from it, and back where nobody else could lead. */
import type { MetadataImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { changePartition, changeRules, type ChangeRules, type WantedState } from './partition-change.ts'
import { NO_LEADER, type PartitionState } from './partition-state.ts'

/**
 * Takes the broker out of every ISR, and leadership from it. For one that is being fenced, shuts down, or comes back.
 * `isUnclean`: it may have lost what it had not synced, so it is no eligible leader any more either (KIP-903, KIP-966).
 */
export function removeFromPartitions(
  image: MetadataImage,
  brokerId: number,
  { isUnclean }: { readonly isUnclean: boolean } = { isUnclean: false },
): MetadataRecord[] {
  return changesWhere(image, {
    isConcerned: ({ leader, isr, eligibleLeaderReplicas }) =>
      leader === brokerId || isr.includes(brokerId) || (isUnclean && eligibleLeaderReplicas.includes(brokerId)),
    wanted: ({ isr }) => ({ isr: isr.filter((id) => id !== brokerId) }),
    mayLead: (id) => id !== brokerId && image.isActive(id),
    uncleanBroker: isUnclean ? brokerId : null,
  })
}

/** Gives leaderless partitions a leader now that the broker may lead. */
export function electForReturned(image: MetadataImage, brokerId: number): MetadataRecord[] {
  return changesWhere(image, {
    isConcerned: ({ leader, replicas }) => leader === NO_LEADER && replicas.includes(brokerId),
    wanted: () => ({}),
    mayLead: (id) => id === brokerId || image.isActive(id),
    uncleanBroker: null,
  })
}

/** Leaderless partitions that were allowed an unclean election since they lost their last leader. */
export function electWhereAllowed(image: MetadataImage): MetadataRecord[] {
  return changesWhere(image, {
    isConcerned: ({ leader }) => leader === NO_LEADER,
    wanted: () => ({}),
    mayLead: (id) => image.isActive(id),
    uncleanBroker: null,
  })
}

export function leadsAny(image: MetadataImage, brokerId: number): boolean {
  for (const topic of image.topics()) {
    if (topic.partitions.some((partition) => partition.leader === brokerId)) return true
  }
  return false
}

interface Change extends Pick<ChangeRules, 'mayLead' | 'uncleanBroker'> {
  readonly isConcerned: (partition: PartitionState) => boolean
  readonly wanted: (partition: PartitionState) => WantedState
}

function changesWhere(image: MetadataImage, { isConcerned, wanted, mayLead, uncleanBroker }: Change): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of image.topics()) {
    let rules: ChangeRules | undefined
    for (const [index, partition] of topic.partitions.entries()) {
      if (!isConcerned(partition)) continue
      rules ??= changeRules(image, topic.name, { mayLead, uncleanBroker })
      const change = changePartition(partition, wanted(partition), rules)
      if (change !== null) records.push(partitionChangeRecord(topic.id, index, change))
    }
  }
  return records
}
