/** The APIs a broker takes for the active controller: any client may ask any broker, and gets the controller's answer. */
import { createTopicsApi } from '../api/19-create-topics.ts'
import { deleteTopicsApi } from '../api/20-delete-topics.ts'
import { alterConfigsApi } from '../api/33-alter-configs.ts'
import { createPartitionsApi } from '../api/37-create-partitions.ts'
import { electLeadersApi } from '../api/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../api/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../api/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../api/46-list-partition-reassignments.ts'
import { describeQuorumApi } from '../api/55-describe-quorum.ts'
import { updateFeaturesApi } from '../api/57-update-features.ts'
import { unregisterBrokerApi } from '../api/64-unregister-broker.ts'
import { forwarded } from '../api/registry.ts'

export const forwardedApis = [
  forwarded(createTopicsApi),
  forwarded(deleteTopicsApi),
  forwarded(alterConfigsApi),
  forwarded(createPartitionsApi),
  forwarded(electLeadersApi),
  forwarded(incrementalAlterConfigsApi),
  forwarded(alterPartitionReassignmentsApi),
  forwarded(listPartitionReassignmentsApi),
  forwarded(describeQuorumApi),
  forwarded(updateFeaturesApi),
  forwarded(unregisterBrokerApi),
]
