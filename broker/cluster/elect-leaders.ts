/** Elections an administrator asks for (ElectLeaders, KIP-460): back to the preferred leader, or, where all is lost, an unclean one. */
import { ErrorCode } from '../wire/errors.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import type { MetadataImage, TopicImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { changePartition, changeRules } from './partition-change.ts'
import { hasLeader, NO_LEADER, preferredLeader, type PartitionState } from './partition-state.ts'

export const ElectionType = { PREFERRED: 0, UNCLEAN: 1 } as const

export interface ElectionAnswer {
  readonly topic: string
  readonly partition: number
  readonly result: Refusal | { readonly errorCode: 0 }
}

/** `partitions` null: every partition that needs it; those that do not are then left out of the answer. */
export function electLeaders(
  { image }: DecisionInput,
  electionType: number,
  partitions: readonly { readonly topic: string; readonly partition: number }[] | null,
): Decision<readonly ElectionAnswer[]> {
  const records: MetadataRecord[] = []
  const elect = (topicName: string, partition: number): ElectionAnswer => {
    const decided = electOne(image, electionType, image.topic(topicName), partition)
    if ('type' in decided) records.push(decided)
    return { topic: topicName, partition, result: 'type' in decided ? { errorCode: 0 } : decided }
  }
  if (partitions !== null) return { answer: partitions.map(({ topic, partition }) => elect(topic, partition)), records }
  const all = [...image.topics()].flatMap(({ name, partitions: states }) => states.map((_, index) => elect(name, index)))
  return { answer: all.filter(({ result }) => result.errorCode !== ErrorCode.ELECTION_NOT_NEEDED), records }
}

function electOne(image: MetadataImage, electionType: number, topic: TopicImage | undefined, index: number): MetadataRecord | Refusal {
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined) return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'There is no such partition.')
  const unneeded = isUnneeded(electionType, partition)
  if (unneeded) return refusal(ErrorCode.ELECTION_NOT_NEEDED, 'The partition has the leader it should have.')
  const isUnclean = electionType === ElectionType.UNCLEAN
  const change = changePartition(partition, {}, changeRules(image, topic.name, { election: isUnclean ? 'unclean' : 'preferred' }))
  const elected = change?.leader ?? partition.leader
  if (!isUnclean && elected !== preferredLeader(partition)) {
    return refusal(
      ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
      `Broker ${preferredLeader(partition)} is down or not in sync, so it cannot lead.`,
    )
  }
  if (change === null || elected === NO_LEADER)
    return refusal(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'No replica of the partition is up.')
  return partitionChangeRecord(topic.id, index, change)
}

function isUnneeded(electionType: number, partition: PartitionState): boolean {
  return electionType === ElectionType.UNCLEAN ? hasLeader(partition) : partition.leader === preferredLeader(partition)
}
