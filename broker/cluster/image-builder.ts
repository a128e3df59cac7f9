/**
 * An image being changed, and the note of what was changed. Lives for one call of `applyRecords`.
 *
 * A topic's list of partitions is copied at its first change and written into afterwards, so a batch that touches a thousand
 * partitions of one topic copies the list once.
 */
import {
  configKey,
  MetadataImage,
  topicCollisionKey,
  type BrokerRegistration,
  type ConfigResourceType,
  type ControllerRegistration,
  type TopicImage,
} from './image.ts'
import type { MetadataDelta } from './metadata-delta.ts'
import type { PartitionState } from './partition-state.ts'
import type { PersistentMap } from './persistent-map.ts'

interface DirtyTopic {
  readonly name: string
  readonly id: string
  readonly partitions: PartitionState[]
}

export class ImageBuilder {
  readonly #before: MetadataImage
  brokers: ReadonlyMap<number, BrokerRegistration>
  nextProducerId: number
  clientQuotas: MetadataImage['clientQuotas']
  accessControlEntries: MetadataImage['accessControlEntries']
  scramCredentials: MetadataImage['scramCredentials']
  #controllers: ReadonlyMap<number, ControllerRegistration>
  #features: ReadonlyMap<string, number>
  #topicsById: PersistentMap<string, TopicImage>
  #topicIdsByName: PersistentMap<string, string>
  #topicNamesByCollisionKey: PersistentMap<string, string>
  #configs: MetadataImage['configs']
  #partitionCount: number
  readonly #dirtyTopics = new Map<string, DirtyTopic>()
  readonly #createdTopics = new Set<string>()
  readonly #deletedTopics: TopicImage[] = []
  readonly #changedPartitions = new Map<string, Set<number>>()
  readonly #changedBrokers = new Set<number>()
  readonly #changedConfigs = new Map<string, { readonly resourceType: ConfigResourceType; readonly name: string }>()

  constructor(before: MetadataImage) {
    this.#before = before
    this.brokers = before.brokers
    this.nextProducerId = before.nextProducerId
    this.clientQuotas = before.clientQuotas
    this.accessControlEntries = before.accessControlEntries
    this.scramCredentials = before.scramCredentials
    this.#controllers = before.controllers
    this.#features = before.features
    this.#topicsById = before.topicsById
    this.#topicIdsByName = before.topicIdsByName
    this.#topicNamesByCollisionKey = before.topicNamesByCollisionKey
    this.#configs = before.configs
    this.#partitionCount = before.partitionCount
  }

  get configs(): MetadataImage['configs'] {
    return this.#configs
  }

  setBroker(broker: BrokerRegistration): void {
    this.brokers = new Map(this.brokers).set(broker.id, broker)
    this.#changedBrokers.add(broker.id)
  }

  removeBroker(id: number): void {
    const brokers = new Map(this.brokers)
    if (!brokers.delete(id)) throw new Error(`a metadata record unregisters broker ${id}, which is not registered`)
    this.brokers = brokers
    this.#changedBrokers.add(id)
  }

  setController(controller: ControllerRegistration): void {
    this.#controllers = new Map(this.#controllers).set(controller.id, controller)
  }

  setFeature(name: string, level: number): void {
    const features = new Map(this.#features)
    if (level === 0) features.delete(name)
    else features.set(name, level)
    this.#features = features
  }

  setConfigs(resourceType: ConfigResourceType, name: string, settings: ReadonlyMap<string, string>): void {
    const key = configKey(resourceType, name)
    this.#configs = settings.size === 0 ? this.#configs.without(key) : this.#configs.with(key, settings)
    this.#changedConfigs.set(key, { resourceType, name })
  }

  addTopic(name: string, id: string): void {
    if (this.#topicIdsByName.has(name)) throw new Error(`a metadata record creates topic ${name}, which exists`)
    this.#topicIdsByName = this.#topicIdsByName.with(name, id)
    this.#topicNamesByCollisionKey = this.#topicNamesByCollisionKey.with(topicCollisionKey(name), name)
    this.#dirtyTopics.set(id, { name, id, partitions: [] })
    this.#createdTopics.add(id)
  }

  /** The topic's settings go with it, as Kafka's RemoveTopicRecord says. */
  removeTopic(id: string): void {
    const topic = this.#dirtyTopics.get(id) ?? this.#topicsById.get(id)
    if (topic === undefined) throw new Error(`a metadata record removes topic ${id}, which does not exist`)
    const existedBefore = this.#before.topicsById.get(id)
    if (existedBefore !== undefined) this.#deletedTopics.push(existedBefore)
    this.#topicIdsByName = this.#topicIdsByName.without(topic.name)
    this.#topicNamesByCollisionKey = this.#topicNamesByCollisionKey.without(topicCollisionKey(topic.name))
    this.#topicsById = this.#topicsById.without(id)
    this.#configs = this.#configs.without(configKey(2, topic.name))
    this.#partitionCount -= topic.partitions.length
    this.#dirtyTopics.delete(id)
    this.#createdTopics.delete(id)
    this.#changedPartitions.delete(id)
  }

  partition(topicId: string, partition: number): PartitionState | undefined {
    return (this.#dirtyTopics.get(topicId) ?? this.#topicsById.get(topicId))?.partitions[partition]
  }

  /** Replaces a partition, or adds the next one. */
  setPartition(topicId: string, partition: number, state: PartitionState): void {
    const { partitions } = this.#dirty(topicId)
    if (partition > partitions.length)
      throw new Error(`partition ${partition} of topic ${topicId} comes before partition ${partitions.length}`)
    if (partition === partitions.length) this.#partitionCount++
    partitions[partition] = state
    const changed = this.#changedPartitions.get(topicId)
    if (changed === undefined) this.#changedPartitions.set(topicId, new Set([partition]))
    else changed.add(partition)
  }

  finish(at: { readonly offset: number; readonly epoch: number }): MetadataDelta {
    for (const topic of this.#dirtyTopics.values()) this.#topicsById = this.#topicsById.with(topic.id, topic)
    const after = new MetadataImage({
      clusterId: this.#before.clusterId,
      offset: at.offset,
      epoch: at.epoch,
      brokers: this.brokers,
      controllers: this.#controllers,
      topicsById: this.#topicsById,
      topicIdsByName: this.#topicIdsByName,
      topicNamesByCollisionKey: this.#topicNamesByCollisionKey,
      partitionCount: this.#partitionCount,
      configs: this.#configs,
      features: this.#features,
      nextProducerId: this.nextProducerId,
      clientQuotas: this.clientQuotas,
      accessControlEntries: this.accessControlEntries,
      scramCredentials: this.scramCredentials,
    })
    return {
      before: this.#before,
      after,
      createdTopics: this.#createdTopics,
      deletedTopics: this.#deletedTopics,
      changedPartitions: this.#changedPartitions,
      changedBrokers: this.#changedBrokers,
      changedConfigs: [...this.#changedConfigs.values()],
      featuresChanged: this.#features !== this.#before.features,
    }
  }

  #dirty(topicId: string): DirtyTopic {
    const dirty = this.#dirtyTopics.get(topicId)
    if (dirty !== undefined) return dirty
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) throw new Error(`a metadata record is about topic ${topicId}, which does not exist`)
    const copy = { name: topic.name, id: topic.id, partitions: [...topic.partitions] }
    this.#dirtyTopics.set(topicId, copy)
    return copy
  }
}
