/**
 * AllocateProducerIds v0, from a broker to the active controller: a block of 1000 producer ids that nobody else ever gets.
 * STALE_BROKER_EPOCH for an incarnation that has been replaced, BROKER_ID_NOT_REGISTERED for an unknown one,
 * CLUSTER_AUTHORIZATION_FAILED in another broker's name.
 */
import { allocateProducerIds as decideBlock } from '../cluster/producer-id-control.ts'
import { ErrorCode } from '../wire/errors.ts'
import { allocateProducerIds } from './67-allocate-producer-ids.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { unlessNotController } from './not-controller.ts'
import { defineApi } from './registry.ts'

export const allocateProducerIdsApi = defineApi(allocateProducerIds, {
  listeners: 'internal',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const refused = (errorCode: ErrorCode) => ({ errorCode, producerIdStart: -1, producerIdLen: 0 })
    if (!speaksFor(context, request.brokerId)) return { throttleTimeMs: 0, ...refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED) }
    const block = await unlessNotController(() => controller.write((input) => decideBlock(input, request)), refused)
    return { throttleTimeMs: 0, ...block }
  },
})
