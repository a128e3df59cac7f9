/**
 * BrokerRegistration v0-4, from a broker to the active controller. The answer's broker epoch names this incarnation in every
 * later request. v2: log directories, by which a restarted broker proves that its former process has ended. v3: the epoch of
 * its last clean stop, -1 after a crash.
 *
 * DUPLICATE_BROKER_REGISTRATION while another incarnation of that id is alive, INCONSISTENT_CLUSTER_ID, UNSUPPORTED_VERSION when
 * the broker lacks a finalized feature.
 */
import { ErrorCode } from '../wire/errors.ts'
import { brokerRegistration } from './62-broker-registration.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { unlessNotController } from './not-controller.ts'
import { defineApi } from './registry.ts'

export const brokerRegistrationApi = defineApi(brokerRegistration, {
  listeners: 'internal',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const refused = (errorCode: ErrorCode) => ({ errorCode, brokerEpoch: -1 })
    if (!speaksFor(context, request.brokerId)) {
      return { throttleTimeMs: 0, ...refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED) }
    }
    const answer = await unlessNotController(() => controller.registerBroker(request), refused)
    return { throttleTimeMs: 0, ...answer }
  },
})
