/** Heartbeat v0-4: keeps a member alive, and is how it learns of a rebalance (REBALANCE_IN_PROGRESS). v3+: static members. */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { heartbeat } from './12-heartbeat.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

export const heartbeatApi = defineApi(heartbeat, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    if (!mayUseGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }
    const { memberId, groupInstanceId, generationId } = request
    const { errorCode } = services.groups.heartbeat(request.groupId, { memberId, instanceId: groupInstanceId, generationId })
    return { errorCode }
  },
})
