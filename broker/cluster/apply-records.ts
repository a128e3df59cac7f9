/**
 * From an image and the records behind it to the next image.
 *
 * Invariant: a function of the two alone, so every replica of the log has the same image at the same offset. A record that
 * contradicts the image (a change to a partition that is not there) is corruption and throws; nothing is skipped.
 */
import { ImageBuilder } from './image-builder.ts'
import {
  configKey,
  type BrokerRegistration,
  type ClientQuotaEntity,
  type ConfigResourceType,
  type Endpoint,
  type FeatureRange,
  type MetadataImage,
} from './image.ts'
import type { MetadataDelta } from './metadata-delta.ts'
import type { MetadataRecord } from './metadata-records.ts'
import { NO_LEADER_CHANGE, type LeaderRecoveryState, type PartitionState } from './partition-state.ts'

export interface AppliedRecords {
  readonly image: MetadataImage
  readonly delta: MetadataDelta
}

/** `at` names the last of the records: its offset, and the epoch of the batch it came in. */
export function applyRecords(
  image: MetadataImage,
  records: Iterable<MetadataRecord>,
  at: { readonly offset: number; readonly epoch: number },
): AppliedRecords {
  const builder = new ImageBuilder(image)
  for (const record of records) apply(builder, record)
  const delta = builder.finish(at)
  return { image: delta.after, delta }
}

function apply(builder: ImageBuilder, record: MetadataRecord): void {
  switch (record.type) {
    case 0:
      return registerBroker(builder, record.value)
    case 1:
      return builder.removeBroker(record.value.brokerId)
    case 2:
      return builder.addTopic(record.value.name, record.value.topicId)
    case 3:
      return builder.setPartition(record.value.topicId, record.value.partitionId, newPartition(record.value))
    case 4:
      return applyConfig(builder, record.value)
    case 5:
      return changePartition(builder, record.value)
    case 7:
    case 8:
      return changeBroker(builder, record.value.id, { fenced: record.type === 7 })
    case 9:
      return builder.removeTopic(record.value.topicId)
    case 11:
      return applyScramCredential(builder, record.value)
    case 12:
      return builder.setFeature(record.value.name, record.value.featureLevel)
    case 14:
      return applyClientQuota(builder, record.value)
    case 15:
      builder.nextProducerId = record.value.nextProducerId
      return
    case 17: {
      const { brokerId, fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record.value
      return changeBroker(builder, brokerId, {
        ...(fenced === 0 ? {} : { fenced: fenced > 0 }),
        ...(inControlledShutdown === 0 ? {} : { inControlledShutdown: inControlledShutdown > 0 }),
        ...(logDirs.length === 0 ? {} : { logDirectories: logDirs }),
        ...(cordonedLogDirs === null ? {} : { cordonedLogDirectories: cordonedLogDirs }),
      })
    }
    case 18:
      builder.accessControlEntries = builder.accessControlEntries.with(record.value.id, record.value)
      return
    case 19:
      builder.accessControlEntries = builder.accessControlEntries.without(record.value.id)
      return
    case 20:
      return
    case 22:
      builder.scramCredentials = builder.scramCredentials.without(scramKey(record.value.name, record.value.mechanism))
      return
    case 27: {
      const { controllerId: id, incarnationId, endPoints, features } = record.value
      builder.setController({ id, incarnationId, endpoints: endpointsOf(endPoints), features: featuresOf(features) })
      return
    }
    case 10:
    case 21:
    case 23:
    case 24:
    case 25:
    case 26:
      throw new Error(
        `metadata record type ${record.type} (ZooKeeper migration, delegation tokens, split transactions) is never written here`,
      )
  }
}

type ValueOf<Type extends MetadataRecord['type']> = Extract<MetadataRecord, { readonly type: Type }>['value']

function registerBroker(builder: ImageBuilder, value: ValueOf<0>): void {
  builder.setBroker({
    id: value.brokerId,
    brokerEpoch: value.brokerEpoch,
    incarnationId: value.incarnationId,
    endpoints: endpointsOf(value.endPoints),
    features: featuresOf(value.features),
    rack: value.rack,
    fenced: value.fenced,
    inControlledShutdown: value.inControlledShutdown,
    logDirectories: value.logDirs,
    cordonedLogDirectories: value.cordonedLogDirs ?? [],
  })
}

function changeBroker(builder: ImageBuilder, id: number, change: Partial<BrokerRegistration>): void {
  const broker = builder.brokers.get(id)
  if (broker === undefined) throw new Error(`a metadata record changes broker ${id}, which is not registered`)
  builder.setBroker({ ...broker, ...change })
}

function newPartition(value: ValueOf<3>): PartitionState {
  return {
    replicas: value.replicas,
    directories: value.directories,
    isr: value.isr,
    removingReplicas: value.removingReplicas,
    addingReplicas: value.addingReplicas,
    leader: value.leader,
    leaderRecoveryState: value.leaderRecoveryState as LeaderRecoveryState,
    leaderEpoch: value.leaderEpoch,
    partitionEpoch: value.partitionEpoch,
    eligibleLeaderReplicas: value.eligibleLeaderReplicas ?? [],
    lastKnownElr: value.lastKnownElr ?? [],
  }
}

/** Any change raises the partition epoch; naming a leader, even the same one, raises the leader epoch too. */
function changePartition(builder: ImageBuilder, change: ValueOf<5>): void {
  const before = builder.partition(change.topicId, change.partitionId)
  if (before === undefined)
    throw new Error(`a metadata record changes partition ${change.partitionId} of ${change.topicId}, which does not exist`)
  const namesLeader = change.leader !== NO_LEADER_CHANGE
  builder.setPartition(change.topicId, change.partitionId, {
    replicas: change.replicas ?? before.replicas,
    directories: change.directories ?? before.directories,
    isr: change.isr ?? before.isr,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    leader: namesLeader ? change.leader : before.leader,
    leaderRecoveryState: change.leaderRecoveryState < 0 ? before.leaderRecoveryState : (change.leaderRecoveryState as LeaderRecoveryState),
    leaderEpoch: before.leaderEpoch + (namesLeader ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
    eligibleLeaderReplicas: change.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: change.lastKnownElr ?? before.lastKnownElr,
  })
}

function applyConfig(builder: ImageBuilder, { resourceType, resourceName, name, value }: ValueOf<4>): void {
  const settings = new Map(builder.configs.get(configKey(resourceType, resourceName)))
  if (value === null) settings.delete(name)
  else settings.set(name, value)
  builder.setConfigs(resourceType as ConfigResourceType, resourceName, settings)
}

function applyClientQuota(builder: ImageBuilder, { entity, key, value, remove }: ValueOf<14>): void {
  const sorted = [...entity].sort((one, other) => (one.entityType < other.entityType ? -1 : 1))
  const entityKey = JSON.stringify(sorted.map(({ entityType, entityName }) => [entityType, entityName]))
  const limits = new Map(builder.clientQuotas.get(entityKey)?.limits)
  if (remove) limits.delete(key)
  else limits.set(key, value)
  const named: ClientQuotaEntity = Object.fromEntries(sorted.map(({ entityType, entityName }) => [entityType, entityName]))
  builder.clientQuotas =
    limits.size === 0 ? builder.clientQuotas.without(entityKey) : builder.clientQuotas.with(entityKey, { entity: named, limits })
}

function applyScramCredential(builder: ImageBuilder, value: ValueOf<11>): void {
  const { name: user, mechanism, iterations } = value
  // The decoded bytes are views into a fetched batch that must not be kept alive for three keys.
  const [salt, storedKey, serverKey] = [value.salt, value.storedKey, value.serverKey].map((bytes) => Uint8Array.from(bytes))
  const credential = { user, mechanism, iterations, salt: salt!, storedKey: storedKey!, serverKey: serverKey! }
  builder.scramCredentials = builder.scramCredentials.with(scramKey(user, mechanism), credential)
}

function scramKey(user: string, mechanism: number): string {
  return `${mechanism}/${user}`
}

function endpointsOf(endPoints: readonly Endpoint[]): ReadonlyMap<string, Endpoint> {
  return new Map(endPoints.map((endpoint) => [endpoint.name, endpoint]))
}

function featuresOf(
  features: readonly { readonly name: string; readonly minSupportedVersion: number; readonly maxSupportedVersion: number }[],
): ReadonlyMap<string, FeatureRange> {
  return new Map(features.map(({ name, minSupportedVersion: min, maxSupportedVersion: max }) => [name, { min, max }]))
}
