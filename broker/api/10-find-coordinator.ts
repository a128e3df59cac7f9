/**
 * FindCoordinator v0-6: which broker coordinates a group (key type 0).
 *
 * It is the leader of the group's partition of `__consumer_offsets`, which is created when first asked for; meanwhile the
 * answer is COORDINATOR_NOT_AVAILABLE, which clients retry. v4+: several keys at once.
 *
 * Nobody coordinates transactions in this cluster: a transactional id (key type 1) is TRANSACTIONAL_ID_AUTHORIZATION_FAILED, as
 * in InitProducerId. It is the one code that the Java client, librdkafka and kafkajs all give to their caller at once; librdkafka
 * asks again after any other. Share groups (key type 2) and key types nobody knows are INVALID_REQUEST.
 */
import { coordinatorPartition } from '../coordinator/coordinator-partition.ts'
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { findCoordinator } from './10-find-coordinator.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'
import { OFFSETS_TOPIC } from './topics.ts'

const GROUP_KEY_TYPE = 0
const TRANSACTION_KEY_TYPE = 1
const SEVERAL_KEYS_SINCE = 4

type Services = Pick<BrokerServices, 'image' | 'autoTopics'>

interface Coordinator {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export const findCoordinatorApi = defineApi(findCoordinator, {
  listeners: 'everywhere',
  failure: (request, error) =>
    answer([request.key], request.coordinatorKeys.length === 0 ? 0 : SEVERAL_KEYS_SINCE, (key) => nowhere(key, error, null)),
  handle(request, context, services: Services) {
    const keys = context.apiVersion >= SEVERAL_KEYS_SINCE ? request.coordinatorKeys : [request.key]
    return answer(keys, context.apiVersion, (key) => locate(key, request.keyType, context, services))
  },
})

function locate(key: string, keyType: number, context: RequestContext, services: Services): Coordinator {
  if (keyType === TRANSACTION_KEY_TYPE)
    return nowhere(key, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'This cluster has no transactions.')
  if (keyType !== GROUP_KEY_TYPE)
    return nowhere(key, ErrorCode.INVALID_REQUEST, `This cluster has no coordinators for keys of type ${keyType}.`)
  if (!mayUseGroup(context, AclOperation.DESCRIBE, key)) return nowhere(key, ErrorCode.GROUP_AUTHORIZATION_FAILED, null)
  const image = services.image()
  const topic = image.topic(OFFSETS_TOPIC)
  if (topic === undefined) {
    services.autoTopics.request(OFFSETS_TOPIC, context.principal, context.clientId)
    return nowhere(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, `${OFFSETS_TOPIC} is being created.`)
  }
  const partition = coordinatorPartition(key, topic.partitions.length)
  const leader = topic.partitions[partition]!.leader
  const endpoint = image.isUnfenced(leader) ? image.broker(leader)?.endpoints.get(context.listener) : undefined
  if (endpoint === undefined) return nowhere(key, ErrorCode.COORDINATOR_NOT_AVAILABLE, `${OFFSETS_TOPIC}-${partition} has no leader.`)
  return { key, nodeId: leader, host: endpoint.host, port: endpoint.port, errorCode: ErrorCode.NONE, errorMessage: null }
}

function nowhere(key: string, errorCode: ErrorCode, errorMessage: string | null): Coordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage }
}

function answer(keys: readonly string[], apiVersion: number, of: (key: string) => Coordinator) {
  const coordinators = keys.map(of)
  if (apiVersion >= SEVERAL_KEYS_SINCE) return { coordinators }
  const { errorCode, errorMessage, nodeId, host, port } = coordinators[0]!
  return { errorCode, errorMessage, nodeId, host, port }
}
