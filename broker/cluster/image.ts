/**
 * The state of the cluster at one offset of the metadata log: what every broker and controller decides by.
 *
 * Immutable. A new image comes only from `applyRecords` (apply-records.ts) and shares what did not change, so a reader keeps
 * one as long as it likes, and two images are the same state when their offsets are equal.
 */
import { DirectoryId, type PartitionState } from './partition-state.ts'
import { PersistentMap } from './persistent-map.ts'

/** Resource types of Config records and of the config APIs. */
export const ConfigResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const
export type ConfigResourceType = (typeof ConfigResourceType)[keyof typeof ConfigResourceType]

export interface Endpoint {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: number
}

export interface FeatureRange {
  readonly min: number
  readonly max: number
}

export interface BrokerRegistration {
  readonly id: number
  /** Offset of the record that registered this incarnation; names it in every request the broker makes. */
  readonly brokerEpoch: number
  readonly incarnationId: string
  /** By listener name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>
  readonly features: ReadonlyMap<string, FeatureRange>
  readonly rack: string | null
  /** A fenced broker leads nothing and is hidden from clients. */
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  /** Those that work; `DirectoryId.LOST` alone when none does. */
  readonly logDirectories: readonly string[]
  readonly cordonedLogDirectories: readonly string[]
}

export interface ControllerRegistration {
  readonly id: number
  readonly incarnationId: string
  readonly endpoints: ReadonlyMap<string, Endpoint>
  readonly features: ReadonlyMap<string, FeatureRange>
}

export interface TopicImage {
  readonly name: string
  readonly id: string
  /** Index = partition number; no gaps. */
  readonly partitions: readonly PartitionState[]
}

export interface ClientQuotaEntity {
  /** Entity type ("user", "client-id", "ip") -> name; null is the default entity. */
  readonly [entityType: string]: string | null
}

export interface ClientQuota {
  readonly entity: ClientQuotaEntity
  readonly limits: ReadonlyMap<string, number>
}

export interface AccessControlEntry {
  readonly id: string
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

export interface ScramCredential {
  readonly user: string
  readonly mechanism: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  readonly iterations: number
}

export interface MetadataImageFields {
  readonly clusterId: string
  /** Offset of the last record applied, -1 for none. */
  readonly offset: number
  /** Epoch of the batch that record came in. */
  readonly epoch: number
  readonly brokers: ReadonlyMap<number, BrokerRegistration>
  readonly controllers: ReadonlyMap<number, ControllerRegistration>
  readonly topicsById: PersistentMap<string, TopicImage>
  readonly topicIdsByName: PersistentMap<string, string>
  /** Name with "." read as "_" -> name: two topics may not share one. */
  readonly topicNamesByCollisionKey: PersistentMap<string, string>
  readonly partitionCount: number
  /** `configKey(type, name)` -> settings that were set. */
  readonly configs: PersistentMap<string, ReadonlyMap<string, string>>
  /** Finalized levels; a feature at level 0 is absent. */
  readonly features: ReadonlyMap<string, number>
  /** First producer id not yet handed out. */
  readonly nextProducerId: number
  readonly clientQuotas: PersistentMap<string, ClientQuota>
  readonly accessControlEntries: PersistentMap<string, AccessControlEntry>
  readonly scramCredentials: PersistentMap<string, ScramCredential>
}

const NO_SETTINGS: ReadonlyMap<string, string> = new Map()

export class MetadataImage implements MetadataImageFields {
  readonly clusterId!: string
  readonly offset!: number
  readonly epoch!: number
  readonly brokers!: ReadonlyMap<number, BrokerRegistration>
  readonly controllers!: ReadonlyMap<number, ControllerRegistration>
  readonly topicsById!: PersistentMap<string, TopicImage>
  readonly topicIdsByName!: PersistentMap<string, string>
  readonly topicNamesByCollisionKey!: PersistentMap<string, string>
  readonly partitionCount!: number
  readonly configs!: PersistentMap<string, ReadonlyMap<string, string>>
  readonly features!: ReadonlyMap<string, number>
  readonly nextProducerId!: number
  readonly clientQuotas!: PersistentMap<string, ClientQuota>
  readonly accessControlEntries!: PersistentMap<string, AccessControlEntry>
  readonly scramCredentials!: PersistentMap<string, ScramCredential>

  constructor(fields: MetadataImageFields) {
    Object.assign(this, fields)
  }

  static empty(clusterId: string): MetadataImage {
    return new MetadataImage({
      clusterId,
      offset: -1,
      epoch: 0,
      brokers: new Map(),
      controllers: new Map(),
      topicsById: PersistentMap.empty(),
      topicIdsByName: PersistentMap.empty(),
      topicNamesByCollisionKey: PersistentMap.empty(),
      partitionCount: 0,
      configs: PersistentMap.empty(),
      features: new Map(),
      nextProducerId: 0,
      clientQuotas: PersistentMap.empty(),
      accessControlEntries: PersistentMap.empty(),
      scramCredentials: PersistentMap.empty(),
    })
  }

  get topicCount(): number {
    return this.topicsById.size
  }

  /** All topics, in an order that depends on their ids alone. */
  topics(): Iterable<TopicImage> {
    return this.topicsById.values()
  }

  topic(name: string): TopicImage | undefined {
    const id = this.topicIdsByName.get(name)
    return id === undefined ? undefined : this.topicsById.get(id)
  }

  topicById(id: string): TopicImage | undefined {
    return this.topicsById.get(id)
  }

  partition(topicName: string, partition: number): PartitionState | undefined {
    return this.topic(topicName)?.partitions[partition]
  }

  broker(id: number): BrokerRegistration | undefined {
    return this.brokers.get(id)
  }

  /** Registered, unfenced, not shutting down, and with a disk that works: may be given replicas and leaderships. */
  isActive(brokerId: number): boolean {
    const broker = this.brokers.get(brokerId)
    return broker !== undefined && !broker.fenced && !broker.inControlledShutdown && !this.isStorageOffline(brokerId)
  }

  /** The broker's log directory has failed: its replicas are offline until it starts again. */
  isStorageOffline(brokerId: number): boolean {
    return this.brokers.get(brokerId)?.logDirectories.includes(DirectoryId.LOST) ?? false
  }

  isUnfenced(brokerId: number): boolean {
    const broker = this.brokers.get(brokerId)
    return broker !== undefined && !broker.fenced
  }

  /** Settings set on the resource itself, without defaults. For the default of all brokers the name is "". */
  configOf(resourceType: ConfigResourceType, name: string): ReadonlyMap<string, string> {
    return this.configs.get(configKey(resourceType, name)) ?? NO_SETTINGS
  }
}

export function configKey(resourceType: number, name: string): string {
  return `${resourceType}/${name}`
}

/** The inverse of `configKey`. */
export function resourceOfConfigKey(key: string): { readonly resourceType: ConfigResourceType; readonly name: string } {
  const slash = key.indexOf('/')
  return { resourceType: Number(key.slice(0, slash)) as ConfigResourceType, name: key.slice(slash + 1) }
}

/** Names that differ only in "." and "_" would share metric names, so Kafka refuses the second. */
export function topicCollisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
