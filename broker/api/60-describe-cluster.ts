/**
 * DescribeCluster v0-2, answered by any broker from its metadata. Brokers are listed with the address of the listener the request
 * came in on. v1: endpoint type 1 asks for brokers, 2 for controllers, which clients cannot reach here: UNSUPPORTED_ENDPOINT_TYPE.
 * v2: fenced brokers too, when asked for.
 *
 * The controller id is this broker's own: admin calls may go to any broker, which passes them on.
 */
import { type AclOperation, authorizedOperations, CLUSTER_NAME, OPERATIONS_NOT_REQUESTED, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { describeCluster } from './60-describe-cluster.schema.ts'
import type { BrokerServices } from './context.ts'
import { defineApi } from './registry.ts'

type Response = Encodable<typeof describeCluster.response>
const BROKERS = 1

export const describeClusterApi = defineApi(describeCluster, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'image' | 'nodeId' | 'clusterId'>): Response {
    const { clusterId, nodeId } = services
    if (request.endpointType !== BROKERS) {
      const errorMessage = 'This listener belongs to a broker: endpoint type 1 (brokers) can be described here.'
      return {
        throttleTimeMs: 0,
        errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage,
        endpointType: BROKERS,
        clusterId,
        brokers: [],
      }
    }
    const brokers = [...services.image().brokers.values()]
      .filter(({ fenced }) => !fenced || request.includeFencedBrokers)
      .sort((one, other) => one.id - other.id)
      .flatMap(({ id, endpoints, rack, fenced }) => {
        const endpoint = endpoints.get(context.listener)
        return endpoint === undefined ? [] : [{ brokerId: id, host: endpoint.host, port: endpoint.port, rack, isFenced: fenced }]
      })
    const allows = (operation: AclOperation): boolean => context.authorize(operation, ResourceType.CLUSTER, CLUSTER_NAME)
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      endpointType: BROKERS,
      clusterId,
      controllerId: nodeId,
      brokers,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? authorizedOperations(ResourceType.CLUSTER, allows)
        : OPERATIONS_NOT_REQUESTED,
    }
  },
})
