/** Metadata images for tests. */
import { MetadataImage, type TopicImage } from '../../broker/cluster/image.ts'
import { PersistentMap } from '../../broker/cluster/persistent-map.ts'
import { DirectoryId, LeaderRecoveryState, type PartitionState } from '../../broker/cluster/partition-state.ts'

export interface BrokerOptions {
  readonly id: number
  readonly fenced?: boolean
  /** Its disk failed. */
  readonly storageOffline?: boolean
  readonly listeners?: readonly string[]
  readonly rack?: string
}

export function partitionState(change: Partial<PartitionState> = {}): PartitionState {
  return {
    replicas: [1],
    directories: [],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderRecoveryState: LeaderRecoveryState.RECOVERED,
    leaderEpoch: 0,
    partitionEpoch: 0,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    ...change,
  }
}

/** Broker n listens on host-n: CLIENT at 9000 + n, INTERNAL at 19000 + n, any other at 29000 + n. */
export function imageOf(brokers: readonly BrokerOptions[], topics: readonly TopicImage[] = []): MetadataImage {
  let byId = PersistentMap.empty<string, TopicImage>()
  let idsByName = PersistentMap.empty<string, string>()
  for (const topic of topics) {
    byId = byId.with(topic.id, topic)
    idsByName = idsByName.with(topic.name, topic.id)
  }
  return new MetadataImage({
    ...MetadataImage.empty('test-cluster'),
    offset: 100,
    topicsById: byId,
    topicIdsByName: idsByName,
    brokers: new Map(brokers.map((broker) => [broker.id, registration(broker)])),
  })
}

function registration({ id, fenced = false, storageOffline = false, listeners = ['CLIENT', 'INTERNAL'], rack }: BrokerOptions) {
  const basePort = (name: string): number => ({ CLIENT: 9000, INTERNAL: 19_000 })[name] ?? 29_000
  const endpoints = new Map(listeners.map((name) => [name, { name, host: `host-${id}`, port: basePort(name) + id, securityProtocol: 0 }]))
  return {
    id,
    brokerEpoch: id,
    incarnationId: `incarnation-${id}`,
    endpoints,
    features: new Map(),
    rack: rack ?? null,
    fenced,
    inControlledShutdown: false,
    logDirectories: storageOffline ? [DirectoryId.LOST] : [],
    cordonedLogDirectories: [],
  }
}
