/**
 * What changed between two pictures of a cluster, from its metadata alone. Pure.
 *
 * A picture may come from a broker that is behind the others: whoever tells an older leader epoch of any partition than is known is not
 * believed (`isStale`). A topic made anew, known by its id, begins without a past. What happened and was undone between two pictures is
 * not seen; an in-sync set that shrank and grew at once is seen as both.
 */
import type { ElectionCause, EventPartition } from '../../contract/timeline.ts'

export interface PictureBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface PicturePartition {
  readonly partition: number
  readonly leader: number | null
  /** -1 where the broker's version does not tell. */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface PictureTopic {
  /** `null` where the broker's version does not tell. */
  readonly topicId: string | null
  readonly partitions: readonly PicturePartition[]
}

export interface ClusterPicture {
  /** The live ones. */
  readonly brokers: readonly PictureBroker[]
  readonly topics: ReadonlyMap<string, PictureTopic>
}

/** What is known beside the pictures. */
export interface DifferContext {
  /** Brokers that were seen alive or named as a replica at any time. */
  readonly knownBrokers: ReadonlySet<number>
  /** Of an embedded cluster: brokers that are being stopped in order. */
  readonly stoppingBrokers: ReadonlySet<number>
  /** Of an embedded cluster: brokers whose process has ended. */
  readonly endedBrokers: ReadonlySet<number>
  /** `null`: not known yet. */
  minInSyncReplicas(topic: string): number | null
}

export interface LeaderChange extends EventPartition {
  readonly kind: 'leader-changed' | 'partition-offline' | 'partition-online'
  readonly cause: ElectionCause | null
}

export interface InSyncChange extends EventPartition {
  readonly kind: 'isr-shrunk' | 'isr-expanded'
  /** Who left, or came. */
  readonly brokers: readonly number[]
}

export interface BrokerChange {
  readonly kind: 'broker-registered' | 'broker-fenced' | 'broker-unfenced'
  readonly broker: number
  readonly address: string | null
}

export type ClusterChange = LeaderChange | InSyncChange | BrokerChange

/** Whether `after` tells of any partition what was true before `before`. */
export function isStale(before: ClusterPicture, after: ClusterPicture): boolean {
  for (const [name, topic] of after.topics) {
    const known = before.topics.get(name)
    if (known === undefined || !isSameTopic(known, topic)) continue
    if (
      topic.partitions.some(
        ({ partition, leaderEpoch }) => leaderEpoch >= 0 && leaderEpoch < (partitionOf(known, partition)?.leaderEpoch ?? -1),
      )
    )
      return true
  }
  return false
}

/** In the order in which they follow from each other: brokers, leaders, in-sync sets. */
export function diffPictures(before: ClusterPicture, after: ClusterPicture, context: DifferContext): readonly ClusterChange[] {
  const brokers = diffBrokers(before.brokers, after.brokers, context)
  const leaders: LeaderChange[] = []
  const inSync: InSyncChange[] = []
  const alive = new Set(after.brokers.map(({ nodeId }) => nodeId))
  for (const [name, topic] of after.topics) {
    const known = before.topics.get(name)
    if (known === undefined || known.partitions === topic.partitions || !isSameTopic(known, topic)) continue
    for (const now of topic.partitions) {
      const was = partitionOf(known, now.partition)
      if (was === undefined) continue
      const election = diffLeader(name, was, now, alive, context)
      if (election !== null) leaders.push(election)
      for (const change of diffInSync(name, was, now)) inSync.push(change)
    }
  }
  return [...brokers, ...leaders, ...inSync]
}

function isSameTopic(before: PictureTopic, after: PictureTopic): boolean {
  return before.topicId === null || after.topicId === null || before.topicId === after.topicId
}

/** Partitions ascend without gaps, save for answers that are not whole. */
function partitionOf({ partitions }: PictureTopic, index: number): PicturePartition | undefined {
  const direct = partitions[index]
  return direct?.partition === index ? direct : partitions.find(({ partition }) => partition === index)
}

function diffBrokers(before: readonly PictureBroker[], after: readonly PictureBroker[], context: DifferContext): BrokerChange[] {
  const were = new Set(before.map(({ nodeId }) => nodeId))
  const are = new Set(after.map(({ nodeId }) => nodeId))
  const gone = before.filter(({ nodeId }) => !are.has(nodeId))
  const come = after.filter(({ nodeId }) => !were.has(nodeId))
  return [
    ...gone.map(({ nodeId }): BrokerChange => ({ kind: 'broker-fenced', broker: nodeId, address: null })),
    ...come.map(({ nodeId, host, port }): BrokerChange => ({
      kind: context.knownBrokers.has(nodeId) ? 'broker-unfenced' : 'broker-registered',
      broker: nodeId,
      address: `${host}:${port}`,
    })),
  ]
}

function diffLeader(
  topic: string,
  was: PicturePartition,
  now: PicturePartition,
  alive: ReadonlySet<number>,
  context: DifferContext,
): LeaderChange | null {
  if (was.leader === now.leader) return null
  const kind = now.leader === null ? 'partition-offline' : was.leader === null ? 'partition-online' : 'leader-changed'
  return { kind, ...changeOf(topic, was, now), cause: causeOf(topic, was, now, alive, context) }
}

function causeOf(
  topic: string,
  was: PicturePartition,
  now: PicturePartition,
  alive: ReadonlySet<number>,
  context: DifferContext,
): ElectionCause | null {
  if (now.leader !== null && isUnclean(was, now, context.minInSyncReplicas(topic))) return 'unclean'
  if (was.leader === null) return null
  if (context.stoppingBrokers.has(was.leader)) return 'broker-stopping'
  if (!alive.has(was.leader) || context.endedBrokers.has(was.leader)) return 'broker-ended'
  return now.leader !== null && now.leader === now.replicas[0] ? 'preferred' : null
}

/**
 * A leader from outside the in-sync set that is now all of it. Below min.insync.replicas it may as well have been an eligible leader
 * replica (KIP-966), which has every committed record, so nothing is claimed then.
 */
function isUnclean(was: PicturePartition, now: PicturePartition, minInSyncReplicas: number | null): boolean {
  if (now.leader === null || was.isr.includes(now.leader) || now.isr.length !== 1 || minInSyncReplicas === null) return false
  return was.isr.length >= Math.max(1, Math.min(minInSyncReplicas, was.replicas.length))
}

/** A broker that holds the partition no longer was relieved of it, not lost: it neither leaves nor comes. */
function diffInSync(topic: string, was: PicturePartition, now: PicturePartition): InSyncChange[] {
  if (was.isr.length === now.isr.length && was.isr.every((broker, place) => broker === now.isr[place])) return []
  const left = was.isr.filter((broker) => !now.isr.includes(broker) && now.replicas.includes(broker))
  const came = now.isr.filter((broker) => !was.isr.includes(broker))
  const base = changeOf(topic, was, now)
  return [
    ...(left.length > 0 ? [{ kind: 'isr-shrunk' as const, ...base, brokers: left }] : []),
    ...(came.length > 0 ? [{ kind: 'isr-expanded' as const, ...base, brokers: came }] : []),
  ]
}

function changeOf(topic: string, was: PicturePartition, now: PicturePartition): EventPartition {
  return {
    topic,
    partition: now.partition,
    from: was.leader,
    to: now.leader,
    leaderEpoch: now.leaderEpoch,
    isr: now.isr,
    replicaCount: now.replicas.length,
  }
}
