/**
 * The replicas on this broker, kept as the metadata says: opened when assigned, led or followed, re-configured, and
 * deleted with their topic. Only it creates and drops `Partition` objects.
 *
 * A replica is first named by the metadata, then its log is opened, and only then can it be found; until that it answers
 * NOT_LEADER_OR_FOLLOWER, which clients retry. Metadata that arrives meanwhile is applied when the log is open.
 */
import type { HostedPartition, LeaderLookup, Partitions } from '../api/partitions.ts'
import { ConfigResourceType, type MetadataImage, type TopicImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { DiskSpace, Env } from '../env/types.ts'
import { LogError, type LogManager, type PartitionLog } from '../log/types.ts'
import { METADATA_TOPIC } from '../quorum/metadata-topic.ts'
import { ErrorCode } from '../wire/errors.ts'
import { Partition, type ReplicationRules } from './partition.ts'
import { SerialWork } from './serial-work.ts'
import type { TopicConfigs } from './topic-configs.ts'

/** Logs opened or deleted at a time. */
const CONCURRENT_WORK_MAX = 32

export interface PartitionManagerOptions {
  readonly env: Env
  readonly nodeId: number
  readonly logs: LogManager
  readonly configs: TopicConfigs
  readonly image: () => MetadataImage
  /** The disk failed, once in the life of the broker: somebody else must lead what is led here. */
  readonly onStorageFailed: () => void
  readonly replication: ReplicationRules & {
    /** The partition's role, leader or epoch may have changed, or it is gone. */
    replicaChanged(partition: Partition): void
  }
}

interface Replica {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  /** Null while its log is being opened. */
  partition: Partition | null
  /** The disk refused to open its log. */
  isUnusable: boolean
}

export class PartitionManager implements Partitions {
  readonly #env: Env
  readonly #nodeId: number
  readonly #logs: LogManager
  readonly #configs: TopicConfigs
  readonly #image: () => MetadataImage
  readonly #replication: PartitionManagerOptions['replication']
  readonly #replicas = new Map<string, Map<number, Replica>>()
  readonly #work = new SerialWork(CONCURRENT_WORK_MAX)
  readonly #onStorageFailed: () => void
  #isLoaded = false
  #isClosed = false
  #isStorageOffline = false
  readonly #leadershipListeners = new Set<(partition: HostedPartition) => void>()

  constructor({ env, nodeId, logs, configs, image, onStorageFailed, replication }: PartitionManagerOptions) {
    this.#env = env
    this.#nodeId = nodeId
    this.#logs = logs
    this.#configs = configs
    this.#image = image
    this.#onStorageFailed = onStorageFailed
    this.#replication = replication
  }

  // ----------------------------------------------------------------------------------------------------------- look-up

  leader(topic: string, index: number, currentLeaderEpoch = -1): LeaderLookup {
    const replica = this.#replicas.get(topic)?.get(index)
    const partition = replica?.partition ?? null
    if (replica?.isUnusable || partition?.isOffline) return { partition: null, error: ErrorCode.KAFKA_STORAGE_ERROR }
    if (partition === null) {
      const isKnown = this.#image().partition(topic, index) !== undefined
      return { partition: null, error: isKnown ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    }
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch !== partition.leaderEpoch) {
      const isOld = currentLeaderEpoch < partition.leaderEpoch
      return { partition: null, error: isOld ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH }
    }
    return partition.isLeader ? { partition, error: ErrorCode.NONE } : { partition: null, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  }

  *hosted(): Iterable<HostedPartition> {
    for (const replicas of this.#replicas.values()) {
      for (const { partition } of replicas.values()) if (partition !== null) yield partition
    }
  }

  onLeadershipChange(listener: (partition: HostedPartition) => void): () => void {
    this.#leadershipListeners.add(listener)
    return () => this.#leadershipListeners.delete(listener)
  }

  get logDirectory(): string {
    return this.#logs.directory
  }

  get isLogDirectoryOffline(): boolean {
    return this.#isStorageOffline
  }

  diskSpace(): Promise<DiskSpace> {
    return this.#logs.space()
  }

  // ---------------------------------------------------------------------------------------------------------- metadata

  /**
   * Hosts what the present image assigns, and follows every change from then on. For when the image has caught up: the
   * states before it are history, in which a topic may have been another of the same name. Resolves when the logs are open.
   */
  async load(): Promise<void> {
    this.#isLoaded = true
    for (const topic of this.#image().topics()) topic.partitions.forEach((_, index) => this.#partitionChanged(topic, index))
    await this.settled()
    await this.#setStraysAside()
  }

  /** Resolves when every log the metadata called for so far is open, deleted, or has been found unusable. */
  settled(): Promise<void> {
    return this.#work.idle()
  }

  /** Takes over a change of the metadata; logs are opened and deleted behind it. The image must be `delta.after` already. */
  apply(delta: MetadataDelta): void {
    if (!this.#isLoaded) return
    for (const topic of delta.deletedTopics) {
      for (const replica of this.#replicas.get(topic.name)?.values() ?? []) if (replica.topicId === topic.id) this.#remove(replica)
    }
    for (const [topicId, indexes] of delta.changedPartitions) {
      const topic = delta.after.topicById(topicId)
      if (topic !== undefined) for (const index of indexes) this.#partitionChanged(topic, index)
    }
    this.#configsChanged(delta)
  }

  /** Takes over what the metadata says of the partition by now: for when it could not be while its log was being cut. */
  refresh(partition: Partition): void {
    const replica = this.#replicas.get(partition.topic)?.get(partition.partition)
    if (replica?.partition === partition) this.#applyState(replica)
  }

  /** Has everything led here look again at who keeps up. */
  reviewFollowers(): void {
    for (const replicas of this.#replicas.values()) {
      for (const { partition } of replicas.values()) partition?.reviewFollowers()
    }
  }

  /** For the log manager: the disk under `log` failed. */
  logFailed(log: PartitionLog, reason: string): void {
    const { topic, partition: index } = log.topicPartition
    this.#env.log.write('error', 'a partition is offline: its disk failed', { topic, partition: index, reason })
    this.#storageFailed(reason)
    const partition = this.#replicas.get(topic)?.get(index)?.partition
    if (partition === null || partition === undefined) return
    partition.fail()
    this.#replication.replicaChanged(partition)
    this.#leadershipChanged(partition)
  }

  /** As in Kafka a failure of one log is one of the directory. What it did not touch is led on until somebody else does. */
  #storageFailed(reason: string): void {
    if (this.#isStorageOffline) return
    this.#isStorageOffline = true
    const directory = this.logDirectory
    this.#env.log.write('error', 'the disk failed: this broker gives up what it leads until it is started again', { directory, reason })
    this.#onStorageFailed()
  }

  /** Nobody waits here any more; the logs are the log manager's to close. */
  close(): void {
    this.#isClosed = true
    for (const replicas of this.#replicas.values()) {
      for (const { partition } of replicas.values()) partition?.resign()
    }
    this.#leadershipListeners.clear()
  }

  /** A log the metadata does not know is kept for a person to judge, out of the way. */
  async #setStraysAside(): Promise<void> {
    for (const { topicPartition } of this.#logs.all()) {
      const { topic, partition } = topicPartition
      if (this.#isClosed) return
      if (topic === METADATA_TOPIC || this.#replicas.get(topic)?.has(partition) === true) continue
      this.#env.log.write('warn', 'a log the cluster does not know is set aside', { topic, partition })
      await this.#logs.setAside(topic, partition)
    }
  }

  #partitionChanged(topic: TopicImage, index: number): void {
    const isAssigned = topic.partitions[index]?.replicas.includes(this.#nodeId) ?? false
    const replica = this.#replicas.get(topic.name)?.get(index)
    if (replica === undefined) {
      if (isAssigned) this.#open(topic, index)
    } else if (isAssigned) {
      this.#applyState(replica)
    } else {
      this.#remove(replica)
    }
  }

  #open(topic: TopicImage, index: number): void {
    const replica: Replica = { topic: topic.name, topicId: topic.id, index, partition: null, isUnusable: false }
    const siblings = this.#replicas.get(topic.name) ?? new Map<number, Replica>()
    siblings.set(index, replica)
    this.#replicas.set(topic.name, siblings)
    void this.#work.add(keyOf(replica), async () => {
      if (!this.#isWanted(replica)) return
      try {
        const log = await this.#openLog(replica)
        const { index: partition } = replica
        const options = { env: this.#env, nodeId: this.#nodeId, replication: this.#replication }
        replica.partition = new Partition({ ...options, topic: topic.name, topicId: topic.id, partition, log })
        if (this.#isWanted(replica)) this.#applyState(replica)
      } catch (error) {
        replica.isUnusable = true
        this.#env.log.write('error', 'a log cannot be opened', { topic: replica.topic, partition: index, reason: String(error) })
        if (error instanceof LogError && error.code === 'STORAGE') this.#storageFailed(error.message)
      }
    })
  }

  async #openLog({ topic, topicId, index: partition }: Replica): Promise<PartitionLog> {
    const options = { topicId, config: this.#configs.of(this.#image(), topic) }
    try {
      const log = await this.#logs.getOrCreate({ topic, partition }, options)
      // One that an earlier run left was opened before its settings were known.
      log.updateConfig(options.config)
      return log
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'TOPIC_ID_MISMATCH') throw error
      // The topic was deleted and made anew while this broker was away: what is left belongs to the old one.
      await this.#logs.delete(topic, partition)
      return this.#logs.getOrCreate({ topic, partition }, options)
    }
  }

  #applyState(replica: Replica): void {
    const state = this.#image().topicById(replica.topicId)?.partitions[replica.index]
    if (state === undefined || replica.partition === null) return
    const leadershipChanged = replica.partition.apply(state)
    this.#replication.replicaChanged(replica.partition)
    if (leadershipChanged) this.#leadershipChanged(replica.partition)
  }

  #remove(replica: Replica): void {
    const siblings = this.#replicas.get(replica.topic)
    if (siblings?.get(replica.index) === replica) siblings.delete(replica.index)
    if (siblings?.size === 0) this.#replicas.delete(replica.topic)
    this.#retire(replica)
    void this.#work.add(keyOf(replica), async () => {
      if (replica.partition === null) return
      // Its log may have been opened after it was given up.
      this.#retire(replica)
      try {
        await this.#logs.delete(replica.topic, replica.index)
      } catch (error) {
        this.#env.log.write('error', 'a log cannot be deleted', { topic: replica.topic, partition: replica.index, reason: String(error) })
      }
    })
  }

  #retire({ partition }: Replica): void {
    if (partition?.remove() !== true) return
    this.#replication.replicaChanged(partition)
    this.#leadershipChanged(partition)
  }

  #isWanted(replica: Replica): boolean {
    return this.#replicas.get(replica.topic)?.get(replica.index) === replica
  }

  #leadershipChanged(partition: HostedPartition): void {
    for (const listener of this.#leadershipListeners) listener(partition)
  }

  #configsChanged(delta: MetadataDelta): void {
    const isBrokerWide = delta.changedConfigs.some(({ resourceType }) => resourceType === ConfigResourceType.BROKER)
    const changed = delta.changedConfigs.filter(({ resourceType }) => resourceType === ConfigResourceType.TOPIC).map(({ name }) => name)
    for (const topic of isBrokerWide ? this.#replicas.keys() : changed) {
      if (this.#replicas.has(topic)) this.#logs.updateConfig(topic, this.#configs.of(delta.after, topic))
    }
  }
}

function keyOf({ topic, index }: Replica): string {
  return `${topic}-${index}`
}
