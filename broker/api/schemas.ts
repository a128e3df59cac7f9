/** Every Kafka API that has a layout here, by key. Which of them a listener serves is the registry's matter. */
import { isInRange, type Api } from '../wire/schema.ts'
import { produce } from './00-produce.schema.ts'
import { fetch } from './01-fetch.schema.ts'
import { listOffsets } from './02-list-offsets.schema.ts'
import { metadata } from './03-metadata.schema.ts'
import { offsetCommit } from './08-offset-commit.schema.ts'
import { offsetFetch } from './09-offset-fetch.schema.ts'
import { findCoordinator } from './10-find-coordinator.schema.ts'
import { joinGroup } from './11-join-group.schema.ts'
import { heartbeat } from './12-heartbeat.schema.ts'
import { leaveGroup } from './13-leave-group.schema.ts'
import { syncGroup } from './14-sync-group.schema.ts'
import { describeGroups } from './15-describe-groups.schema.ts'
import { listGroups } from './16-list-groups.schema.ts'
import { saslHandshake } from './17-sasl-handshake.schema.ts'
import { apiVersions } from './18-api-versions.schema.ts'
import { createTopics } from './19-create-topics.schema.ts'
import { deleteTopics } from './20-delete-topics.schema.ts'
import { deleteRecords } from './21-delete-records.schema.ts'
import { initProducerId } from './22-init-producer-id.schema.ts'
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch.schema.ts'
import { addPartitionsToTxn } from './24-add-partitions-to-txn.schema.ts'
import { addOffsetsToTxn } from './25-add-offsets-to-txn.schema.ts'
import { endTxn } from './26-end-txn.schema.ts'
import { writeTxnMarkers } from './27-write-txn-markers.schema.ts'
import { txnOffsetCommit } from './28-txn-offset-commit.schema.ts'
import { describeAcls } from './29-describe-acls.schema.ts'
import { createAcls } from './30-create-acls.schema.ts'
import { deleteAcls } from './31-delete-acls.schema.ts'
import { describeConfigs } from './32-describe-configs.schema.ts'
import { alterConfigs } from './33-alter-configs.schema.ts'
import { alterReplicaLogDirs } from './34-alter-replica-log-dirs.schema.ts'
import { describeLogDirs } from './35-describe-log-dirs.schema.ts'
import { saslAuthenticate } from './36-sasl-authenticate.schema.ts'
import { createPartitions } from './37-create-partitions.schema.ts'
import { createDelegationToken } from './38-create-delegation-token.schema.ts'
import { renewDelegationToken } from './39-renew-delegation-token.schema.ts'
import { expireDelegationToken } from './40-expire-delegation-token.schema.ts'
import { describeDelegationToken } from './41-describe-delegation-token.schema.ts'
import { deleteGroups } from './42-delete-groups.schema.ts'
import { electLeaders } from './43-elect-leaders.schema.ts'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.schema.ts'
import { alterPartitionReassignments } from './45-alter-partition-reassignments.schema.ts'
import { listPartitionReassignments } from './46-list-partition-reassignments.schema.ts'
import { offsetDelete } from './47-offset-delete.schema.ts'
import { describeClientQuotas } from './48-describe-client-quotas.schema.ts'
import { alterClientQuotas } from './49-alter-client-quotas.schema.ts'
import { describeUserScramCredentials } from './50-describe-user-scram-credentials.schema.ts'
import { alterUserScramCredentials } from './51-alter-user-scram-credentials.schema.ts'
import { vote } from './52-vote.schema.ts'
import { beginQuorumEpoch } from './53-begin-quorum-epoch.schema.ts'
import { endQuorumEpoch } from './54-end-quorum-epoch.schema.ts'
import { describeQuorum } from './55-describe-quorum.schema.ts'
import { alterPartition } from './56-alter-partition.schema.ts'
import { updateFeatures } from './57-update-features.schema.ts'
import { envelope } from './58-envelope.schema.ts'
import { fetchSnapshot } from './59-fetch-snapshot.schema.ts'
import { describeCluster } from './60-describe-cluster.schema.ts'
import { describeProducers } from './61-describe-producers.schema.ts'
import { brokerRegistration } from './62-broker-registration.schema.ts'
import { brokerHeartbeat } from './63-broker-heartbeat.schema.ts'
import { unregisterBroker } from './64-unregister-broker.schema.ts'
import { describeTransactions } from './65-describe-transactions.schema.ts'
import { listTransactions } from './66-list-transactions.schema.ts'
import { allocateProducerIds } from './67-allocate-producer-ids.schema.ts'
import { consumerGroupHeartbeat } from './68-consumer-group-heartbeat.schema.ts'
import { consumerGroupDescribe } from './69-consumer-group-describe.schema.ts'
import { controllerRegistration } from './70-controller-registration.schema.ts'
import { getTelemetrySubscriptions } from './71-get-telemetry-subscriptions.schema.ts'
import { pushTelemetry } from './72-push-telemetry.schema.ts'
import { assignReplicasToDirs } from './73-assign-replicas-to-dirs.schema.ts'
import { listConfigResources } from './74-list-config-resources.schema.ts'
import { describeTopicPartitions } from './75-describe-topic-partitions.schema.ts'
import { addRaftVoter } from './80-add-raft-voter.schema.ts'
import { removeRaftVoter } from './81-remove-raft-voter.schema.ts'
import { updateRaftVoter } from './82-update-raft-voter.schema.ts'
import { getReplicaLogInfo } from './93-get-replica-log-info.schema.ts'

export const allApis = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  vote,
  beginQuorumEpoch,
  endQuorumEpoch,
  describeQuorum,
  alterPartition,
  updateFeatures,
  envelope,
  fetchSnapshot,
  describeCluster,
  describeProducers,
  brokerRegistration,
  brokerHeartbeat,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  allocateProducerIds,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  controllerRegistration,
  getTelemetrySubscriptions,
  pushTelemetry,
  assignReplicasToDirs,
  listConfigResources,
  describeTopicPartitions,
  addRaftVoter,
  removeRaftVoter,
  updateRaftVoter,
  getReplicaLogInfo,
] as const

export const schemas: ReadonlyMap<number, Api> = new Map<number, Api>(allApis.map((api) => [api.key, api]))

/**
 * Whether requests and responses of this version carry tag sections, in their bodies and (ApiVersions responses excepted) in their headers.
 * False for a key that has no layout here.
 */
export function isFlexible(apiKey: number, apiVersion: number): boolean {
  const api = schemas.get(apiKey)
  return api !== undefined && api.flexible !== 'none' && isInRange(api.flexible, apiVersion)
}

/** Whether the version can be decoded. Produce 0-2 are advertised for the sake of old librdkafka, yet not valid (KAFKA-18659). */
export function isValidVersion(apiKey: number, apiVersion: number): boolean {
  const api = schemas.get(apiKey)
  return api !== undefined && isInRange(api.versions, apiVersion)
}
