/** Everything a broker serves. What is not in this list is neither advertised nor answered. */
import { produceApi } from '../api/00-produce.ts'
import { fetchApi } from '../api/01-fetch.ts'
import { listOffsetsApi } from '../api/02-list-offsets.ts'
import { metadataApi } from '../api/03-metadata.ts'
import { offsetCommitApi } from '../api/08-offset-commit.ts'
import { offsetFetchApi } from '../api/09-offset-fetch.ts'
import { findCoordinatorApi } from '../api/10-find-coordinator.ts'
import { joinGroupApi } from '../api/11-join-group.ts'
import { heartbeatApi } from '../api/12-heartbeat.ts'
import { leaveGroupApi } from '../api/13-leave-group.ts'
import { syncGroupApi } from '../api/14-sync-group.ts'
import { describeGroupsApi } from '../api/15-describe-groups.ts'
import { listGroupsApi } from '../api/16-list-groups.ts'
import { apiVersionsApi } from '../api/18-api-versions.ts'
import { deleteRecordsApi } from '../api/21-delete-records.ts'
import { initProducerIdApi } from '../api/22-init-producer-id.ts'
import { offsetForLeaderEpochApi } from '../api/23-offset-for-leader-epoch.ts'
import { describeConfigsApi } from '../api/32-describe-configs.ts'
import { alterReplicaLogDirsApi } from '../api/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../api/35-describe-log-dirs.ts'
import { deleteGroupsApi } from '../api/42-delete-groups.ts'
import { offsetDeleteApi } from '../api/47-offset-delete.ts'
import { describeClusterApi } from '../api/60-describe-cluster.ts'
import { describeTopicPartitionsApi } from '../api/75-describe-topic-partitions.ts'
import type { BrokerServices } from '../api/context.ts'
import type { ApiDefinition } from '../api/registry.ts'
import { forwardedApis } from './forwarded-apis.ts'

export const brokerApis: readonly ApiDefinition<BrokerServices>[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  apiVersionsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  alterReplicaLogDirsApi,
  describeLogDirsApi,
  deleteGroupsApi,
  offsetDeleteApi,
  describeClusterApi,
  describeTopicPartitionsApi,
  ...forwardedApis,
]
