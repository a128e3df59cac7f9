/**
 * The delta between two images of one cluster that no records connect: a replica that jumps ahead with a snapshot tells its
 * listeners of all that changed meanwhile as one step.
 */
import { ConfigResourceType, resourceOfConfigKey, type MetadataImage, type TopicImage } from './image.ts'
import type { MetadataDelta } from './metadata-delta.ts'

export function imageDiff(before: MetadataImage, after: MetadataImage): MetadataDelta {
  // The settings of a deleted topic go with it and are not news of their own.
  const isOfLivingTopic = ({ resourceType, name }: MetadataDelta['changedConfigs'][number]): boolean =>
    resourceType !== ConfigResourceType.TOPIC || after.topic(name) !== undefined
  const createdTopics = new Set<string>()
  const changedPartitions = new Map<string, ReadonlySet<number>>()
  for (const topic of after.topics()) {
    const former = before.topicById(topic.id)
    if (former === undefined) createdTopics.add(topic.id)
    const changed = changedPartitionsOf(former, topic)
    if (changed.size > 0) changedPartitions.set(topic.id, changed)
  }
  return {
    before,
    after,
    createdTopics,
    deletedTopics: [...before.topics()].filter(({ id }) => after.topicById(id) === undefined),
    changedPartitions,
    changedBrokers: new Set(changedKeys(before.brokers, after.brokers)),
    changedConfigs: changedKeys(new Map(before.configs), new Map(after.configs)).map(resourceOfConfigKey).filter(isOfLivingTopic),
    featuresChanged: changedKeys(before.features, after.features).length > 0,
  }
}

/** Every change of a partition raises its epoch, so equal epochs mean equal states. */
function changedPartitionsOf(before: TopicImage | undefined, { partitions }: TopicImage): ReadonlySet<number> {
  const changed = [...partitions.entries()].filter(
    ([index, { partitionEpoch }]) => before?.partitions[index]?.partitionEpoch !== partitionEpoch,
  )
  return new Set(changed.map(([index]) => index))
}

function changedKeys<Key, Value>(before: ReadonlyMap<Key, Value>, after: ReadonlyMap<Key, Value>): Key[] {
  const gone = [...before.keys()].filter((key) => !after.has(key))
  return [...gone, ...[...after].filter(([key, value]) => textOf(before.get(key)) !== textOf(value)).map(([key]) => key)]
}

/** Small values, compared by content: maps count by their entries. */
function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? [...part] : part))
}
