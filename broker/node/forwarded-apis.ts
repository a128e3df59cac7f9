/** The APIs a broker takes for the active controller: any client may ask any broker, and gets the controller's answer. */
import { createTopics } from '../api/19-create-topics.schema.ts'
import { deleteTopics } from '../api/20-delete-topics.schema.ts'
import { alterConfigs } from '../api/33-alter-configs.schema.ts'
import { createPartitions } from '../api/37-create-partitions.schema.ts'
import { electLeaders } from '../api/43-elect-leaders.schema.ts'
import { incrementalAlterConfigs } from '../api/44-incremental-alter-configs.schema.ts'
import { describeQuorum } from '../api/55-describe-quorum.schema.ts'
import { updateFeatures } from '../api/57-update-features.schema.ts'
import { unregisterBroker } from '../api/64-unregister-broker.schema.ts'
import { forwardedApi } from '../api/registry.ts'
import type { ErrorCode } from '../wire/errors.ts'

export const forwardedApis = [
  forwardedApi(createTopics, {
    listeners: 'clients',
    failure: ({ topics }, errorCode) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: null })),
    }),
  }),
  forwardedApi(deleteTopics, {
    listeners: 'clients',
    failure: ({ topics, topicNames }, errorCode) => ({
      throttleTimeMs: 0,
      responses: [...topics, ...topicNames.map((name) => ({ name, topicId: undefined }))].map((topic) => ({ ...topic, errorCode })),
    }),
  }),
  forwardedApi(createPartitions, {
    listeners: 'clients',
    failure: ({ topics }, errorCode) => ({ throttleTimeMs: 0, results: topics.map(({ name }) => ({ name, errorCode })) }),
  }),
  forwardedApi(alterConfigs, { listeners: 'clients', failure: failedResources }),
  forwardedApi(incrementalAlterConfigs, { listeners: 'clients', failure: failedResources }),
  forwardedApi(electLeaders, {
    listeners: 'clients',
    failure: ({ topicPartitions }, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage: null })),
      })),
    }),
  }),
  forwardedApi(describeQuorum, { listeners: 'clients' }),
  forwardedApi(updateFeatures, { listeners: 'clients' }),
  forwardedApi(unregisterBroker, { listeners: 'clients' }),
]

function failedResources(request: { readonly resources: readonly { readonly resourceType: number; readonly resourceName: string }[] }, errorCode: ErrorCode) {
  const responses = request.resources.map(({ resourceType, resourceName }) => ({ resourceType, resourceName, errorCode, errorMessage: null }))
  return { throttleTimeMs: 0, responses }
}
