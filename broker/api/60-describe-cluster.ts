/**
 * DescribeCluster v0-2: the cluster's id and its brokers as this listener shows them.
 *
 * v1: which kind of endpoint is asked for; controllers' are served by controllers alone (UNSUPPORTED_ENDPOINT_TYPE).
 * v2: fenced brokers too, when asked for. The controller named is this broker: it forwards.
 */
import { AclOperation, authorizedOperations, CLUSTER_NAME, OPERATIONS_NOT_REQUESTED, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { describeCluster } from './60-describe-cluster.schema.ts'
import type { BrokerServices } from './context.ts'
import { defineApi } from './registry.ts'

const BROKER_ENDPOINTS = 1

export const describeClusterApi = defineApi(describeCluster, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'nodeId' | 'clusterId' | 'image'>) {
    const { clusterId, nodeId } = services
    if (request.endpointType !== BROKER_ENDPOINTS) {
      const errorMessage = 'A broker describes the endpoints of brokers only.'
      return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage, clusterId: '', brokers: [] }
    }
    const image = services.image()
    const brokers = [...image.brokers.values()].flatMap(({ id, endpoints, rack, fenced }) => {
      const endpoint = endpoints.get(context.listener)
      if (endpoint === undefined || (fenced && !request.includeFencedBrokers)) return []
      return [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack, isFenced: fenced }]
    })
    const controllerId = image.isUnfenced(nodeId) ? nodeId : (brokers.find(({ isFenced }) => !isFenced)?.brokerId ?? -1)
    const clusterAuthorizedOperations = request.includeClusterAuthorizedOperations
      ? authorizedOperations(ResourceType.CLUSTER, (operation) => context.authorize(operation, ResourceType.CLUSTER, CLUSTER_NAME))
      : OPERATIONS_NOT_REQUESTED
    const mayDescribe = context.authorize(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)
    if (!mayDescribe) return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, clusterId: '', brokers: [] }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, clusterId, controllerId, brokers, clusterAuthorizedOperations }
  },
})
