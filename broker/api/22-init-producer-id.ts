/**
 * InitProducerId v0-5 for idempotent producers: a producer id nobody had before, epoch 0.
 *
 * Whatever id and epoch the producer had (v3+, KIP-360) makes no difference without a transactional id: it starts anew.
 * A transactional id is answered TRANSACTIONAL_ID_AUTHORIZATION_FAILED, as FindCoordinator answers it: nobody coordinates
 * transactions in this cluster, and no client retries that. An empty one, or an id without an epoch, is INVALID_REQUEST.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { initProducerId } from './22-init-producer-id.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { defineApi } from './registry.ts'

export const initProducerIdApi = defineApi(initProducerId, {
  listeners: 'clients',
  accept: '0-5',
  async handle(request, context, services: Pick<BrokerServices, 'producerIds'>) {
    const refusal = refusalOf(request, context)
    if (refusal !== ErrorCode.NONE) return failed(refusal)
    const granted = await services.producerIds.next()
    if ('error' in granted) return failed(granted.error)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: granted.producerId, producerEpoch: 0 }
  },
})

function refusalOf(request: Decoded<typeof initProducerId.request>, context: RequestContext): ErrorCode {
  const { transactionalId, producerId, producerEpoch } = request
  if (transactionalId === '' || (producerId === -1) !== (producerEpoch === -1)) return ErrorCode.INVALID_REQUEST
  if (transactionalId !== null) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  const isAllowed = context.authorize(AclOperation.IDEMPOTENT_WRITE, ResourceType.CLUSTER, CLUSTER_NAME)
  return isAllowed ? ErrorCode.NONE : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}

function failed(errorCode: ErrorCode): Encodable<typeof initProducerId.response> {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}
