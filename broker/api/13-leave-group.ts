/**
 * LeaveGroup v0-5: members leave at once instead of timing out. v0-2: one member, whose error stands at the top. v3+: several;
 * an administrator removes a static member by its instance id alone.
 */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { leaveGroup } from './13-leave-group.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const SEVERAL_MEMBERS_SINCE = 3

export const leaveGroupApi = defineApi(leaveGroup, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    if (!mayUseGroup(context, AclOperation.READ, request.groupId)) return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED }
    const several = context.apiVersion >= SEVERAL_MEMBERS_SINCE
    const leaving = several
      ? request.members.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId }))
      : [{ memberId: request.memberId, instanceId: null }]
    const reply = services.groups.leave(request.groupId, leaving)
    if (reply.kind === 'refused') return { errorCode: reply.errorCode }
    if (!several) return { errorCode: reply.members[0]!.errorCode }
    return {
      errorCode: ErrorCode.NONE,
      members: reply.members.map(({ memberId, instanceId, errorCode }) => ({ memberId, groupInstanceId: instanceId, errorCode })),
    }
  },
})
