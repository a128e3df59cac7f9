/**
 * The records that rebuild an image from nothing: what a snapshot holds. Applied to the empty image they give the same state, in
 * whatever order that state came about.
 */
import {
  resourceOfConfigKey,
  type BrokerRegistration,
  type ControllerRegistration,
  type Endpoint,
  type FeatureRange,
  type MetadataImage,
} from './image.ts'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  configRecord,
  featureLevelRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  registerControllerRecord,
  scramCredentialRecord,
  topicRecord,
  type MetadataRecord,
} from './metadata-records.ts'

export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  for (const [name, level] of image.features) yield featureLevelRecord(name, level)
  for (const controller of image.controllers.values()) yield registerControllerRecord(controllerFields(controller))
  for (const broker of image.brokers.values()) yield registerBrokerRecord(brokerFields(broker))
  for (const { name, id, partitions } of image.topics()) {
    yield topicRecord(name, id)
    for (const [index, partition] of partitions.entries()) yield partitionRecord(id, index, partition)
  }
  for (const [key, settings] of image.configs) {
    const { resourceType, name } = resourceOfConfigKey(key)
    for (const [setting, value] of settings) yield configRecord(resourceType, name, setting, value)
  }
  if (image.nextProducerId > 0) yield producerIdsRecord({ brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId })
  for (const { entity, limits } of image.clientQuotas.values()) {
    for (const [key, value] of limits) yield clientQuotaRecord(entity, key, value)
  }
  for (const entry of image.accessControlEntries.values()) yield accessControlEntryRecord(entry)
  for (const credential of image.scramCredentials.values()) yield scramCredentialRecord(credential)
}

function brokerFields(broker: BrokerRegistration): Parameters<typeof registerBrokerRecord>[0] {
  const { id, brokerEpoch, incarnationId, rack, fenced, inControlledShutdown, logDirectories, cordonedLogDirectories } = broker
  return {
    brokerId: id,
    isMigratingZkBroker: false,
    incarnationId,
    brokerEpoch,
    endPoints: endPointsOf(broker.endpoints),
    features: featuresOf(broker.features),
    rack,
    fenced,
    inControlledShutdown,
    logDirs: [...logDirectories],
    cordonedLogDirs: cordonedLogDirectories.length === 0 ? null : [...cordonedLogDirectories],
  }
}

function controllerFields({
  id,
  incarnationId,
  endpoints,
  features,
}: ControllerRegistration): Parameters<typeof registerControllerRecord>[0] {
  return {
    controllerId: id,
    incarnationId,
    zkMigrationReady: false,
    endPoints: endPointsOf(endpoints),
    features: featuresOf(features),
  }
}

function endPointsOf(endpoints: ReadonlyMap<string, Endpoint>) {
  return [...endpoints.values()].map((endpoint) => ({ ...endpoint }))
}

function featuresOf(features: ReadonlyMap<string, FeatureRange>) {
  return [...features].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
}
