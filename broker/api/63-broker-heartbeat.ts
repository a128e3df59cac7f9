/**
 * BrokerHeartbeat v0-2, from a broker to the active controller: it lives, how far it has applied the metadata, and whether it
 * wants to be fenced or to shut down. The answer says whether it is fenced and whether it may end now. v1: log directories that
 * failed: with its only one a broker loses what it leads. v2: cordoned ones, which no broker here has.
 */
import { ErrorCode } from '../wire/errors.ts'
import { brokerHeartbeat } from './63-broker-heartbeat.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { unlessNotController } from './not-controller.ts'
import { defineApi } from './registry.ts'

export const brokerHeartbeatApi = defineApi(brokerHeartbeat, {
  listeners: 'internal',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const refused = (errorCode: ErrorCode) => ({ errorCode, isCaughtUp: false, isFenced: true, shouldShutDown: false })
    if (!speaksFor(context, request.brokerId)) {
      return { throttleTimeMs: 0, ...refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED) }
    }
    const answer = await unlessNotController(() => controller.heartbeat(request), refused)
    return { throttleTimeMs: 0, ...answer }
  },
})
