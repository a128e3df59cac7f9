/** The records of the metadata log as values, each made by a function of its name, in the versions of metadata.version 4.3-IV0. */
import { metadataRecords, type MetadataRecordType } from '../api/metadata-records.schema.ts'
import { decodeFramedRecord, encodeFramedRecord, type FramedRecord } from '../wire/framed-record.ts'
import type { Decoded } from '../wire/schema.ts'
import type { AccessControlEntry, BrokerRegistration, ClientQuotaEntity, ConfigResourceType, ScramCredential } from './image.ts'
import type { PartitionState } from './partition-state.ts'
import { NO_LEADER_CHANGE } from './partition-state.ts'

export type MetadataRecord = FramedRecord<typeof metadataRecords>
type ValueOf<Type extends MetadataRecordType> = Decoded<(typeof metadataRecords)[Type]>

export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  return encodeFramedRecord<typeof metadataRecords, MetadataRecordType>(metadataRecords, record.type, record.version, record.value as never)
}

/** Throws a WireError for a record this version does not know: an image without it would be another cluster's. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord {
  return decodeFramedRecord(metadataRecords, value)
}

export function registerBrokerRecord(value: ValueOf<0>): MetadataRecord {
  return { type: 0, version: 4, value }
}

export function unregisterBrokerRecord(broker: BrokerRegistration): MetadataRecord {
  return { type: 1, version: 0, value: { brokerId: broker.id, brokerEpoch: broker.brokerEpoch } }
}

export function topicRecord(name: string, topicId: string): MetadataRecord {
  return { type: 2, version: 0, value: { name, topicId } }
}

export function removeTopicRecord(topicId: string): MetadataRecord {
  return { type: 9, version: 0, value: { topicId } }
}

export function partitionRecord(topicId: string, partitionId: number, state: PartitionState): MetadataRecord {
  const { replicas, isr, removingReplicas, addingReplicas, directories, eligibleLeaderReplicas, lastKnownElr } = state
  const value = {
    partitionId,
    topicId,
    replicas: [...replicas],
    isr: [...isr],
    removingReplicas: [...removingReplicas],
    addingReplicas: [...addingReplicas],
    leader: state.leader,
    leaderRecoveryState: state.leaderRecoveryState,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    directories: [...directories],
    eligibleLeaderReplicas: orNull(eligibleLeaderReplicas),
    lastKnownElr: orNull(lastKnownElr),
  }
  return { type: 3, version: 2, value }
}

/** What of a partition changes; what is left out stays. */
export interface PartitionChange {
  readonly isr?: readonly number[]
  /** Raises the leader epoch whenever given, also with the same leader. */
  readonly leader?: number
  readonly replicas?: readonly number[]
  readonly directories?: readonly string[]
  readonly removingReplicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly leaderRecoveryState?: number
  readonly eligibleLeaderReplicas?: readonly number[]
  readonly lastKnownElr?: readonly number[]
}

export function partitionChangeRecord(topicId: string, partitionId: number, change: PartitionChange): MetadataRecord {
  const copy = <T>(list: readonly T[] | undefined): T[] | null => (list === undefined ? null : [...list])
  const value = {
    partitionId,
    topicId,
    isr: copy(change.isr),
    leader: change.leader ?? NO_LEADER_CHANGE,
    replicas: copy(change.replicas),
    removingReplicas: copy(change.removingReplicas),
    addingReplicas: copy(change.addingReplicas),
    leaderRecoveryState: change.leaderRecoveryState ?? -1,
    directories: copy(change.directories),
    eligibleLeaderReplicas: copy(change.eligibleLeaderReplicas),
    lastKnownElr: copy(change.lastKnownElr),
  }
  return { type: 5, version: 2, value }
}

export function configRecord(resourceType: ConfigResourceType, resourceName: string, name: string, value: string | null): MetadataRecord {
  return { type: 4, version: 0, value: { resourceType, resourceName, name, value } }
}

/** What is given is set or cleared; the rest stays. No directories at all would stay too: `DirectoryId.LOST` says that none is left. */
export function brokerRegistrationChangeRecord(
  broker: BrokerRegistration,
  change: { readonly fenced?: boolean; readonly inControlledShutdown?: boolean; readonly logDirectories?: readonly string[] },
): MetadataRecord {
  const flag = (wanted: boolean | undefined): number => (wanted === undefined ? 0 : wanted ? 1 : -1)
  const value = {
    brokerId: broker.id,
    brokerEpoch: broker.brokerEpoch,
    fenced: flag(change.fenced),
    inControlledShutdown: flag(change.inControlledShutdown),
    logDirs: [...(change.logDirectories ?? [])],
    cordonedLogDirs: null,
  }
  return { type: 17, version: 3, value }
}

export function featureLevelRecord(name: string, featureLevel: number): MetadataRecord {
  return { type: 12, version: 0, value: { name, featureLevel } }
}

export function producerIdsRecord(value: ValueOf<15>): MetadataRecord {
  return { type: 15, version: 0, value }
}

export function registerControllerRecord(value: ValueOf<27>): MetadataRecord {
  return { type: 27, version: 0, value }
}

export function clientQuotaRecord(entity: ClientQuotaEntity, key: string, value: number): MetadataRecord {
  const entities = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
  return { type: 14, version: 0, value: { entity: entities, key, value, remove: false } }
}

export function accessControlEntryRecord(entry: AccessControlEntry): MetadataRecord {
  return { type: 18, version: 0, value: { ...entry } }
}

export function scramCredentialRecord({ user, mechanism, iterations, salt, storedKey, serverKey }: ScramCredential): MetadataRecord {
  const value = {
    name: user,
    mechanism,
    salt: Buffer.from(salt),
    storedKey: Buffer.from(storedKey),
    serverKey: Buffer.from(serverKey),
    iterations,
  }
  return { type: 11, version: 0, value }
}

function orNull(list: readonly number[]): number[] | null {
  return list.length === 0 ? null : [...list]
}
