/** Everything a controller serves on its INTERNAL listener. Those for 'everywhere' also come in envelopes, for clients of brokers. */
import { fetchMetadataApi } from '../api/01-fetch-metadata.ts'
import { apiVersionsApi } from '../api/18-api-versions.ts'
import { createTopicsApi } from '../api/19-create-topics.ts'
import { deleteTopicsApi } from '../api/20-delete-topics.ts'
import { alterConfigsApi } from '../api/33-alter-configs.ts'
import { createPartitionsApi } from '../api/37-create-partitions.ts'
import { electLeadersApi } from '../api/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../api/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../api/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../api/46-list-partition-reassignments.ts'
import { voteApi } from '../api/52-vote.ts'
import { beginQuorumEpochApi } from '../api/53-begin-quorum-epoch.ts'
import { endQuorumEpochApi } from '../api/54-end-quorum-epoch.ts'
import { describeQuorumApi } from '../api/55-describe-quorum.ts'
import { alterPartitionApi } from '../api/56-alter-partition.ts'
import { updateFeaturesApi } from '../api/57-update-features.ts'
import { envelopeApi } from '../api/58-envelope.ts'
import { fetchSnapshotApi } from '../api/59-fetch-snapshot.ts'
import { brokerRegistrationApi } from '../api/62-broker-registration.ts'
import { brokerHeartbeatApi } from '../api/63-broker-heartbeat.ts'
import { unregisterBrokerApi } from '../api/64-unregister-broker.ts'
import { allocateProducerIdsApi } from '../api/67-allocate-producer-ids.ts'
import { controllerRegistrationApi } from '../api/70-controller-registration.ts'
import type { ControllerServices } from '../api/controller-context.ts'
import type { ApiDefinition } from '../api/registry.ts'

export const controllerApis: readonly ApiDefinition<ControllerServices>[] = [
  fetchMetadataApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  alterConfigsApi,
  createPartitionsApi,
  electLeadersApi,
  incrementalAlterConfigsApi,
  alterPartitionReassignmentsApi,
  listPartitionReassignmentsApi,
  voteApi,
  beginQuorumEpochApi,
  endQuorumEpochApi,
  describeQuorumApi,
  alterPartitionApi,
  updateFeaturesApi,
  envelopeApi,
  fetchSnapshotApi,
  brokerRegistrationApi,
  brokerHeartbeatApi,
  unregisterBrokerApi,
  allocateProducerIdsApi,
  controllerRegistrationApi,
]
