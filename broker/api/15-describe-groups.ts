/**
 * DescribeGroups v0-6: state and members of groups this broker coordinates. A group nobody knows is in state Dead without an
 * error up to v5, and GROUP_ID_NOT_FOUND from v6, which is how clients tell classic groups from newer ones.
 */
import { AclOperation, authorizedOperations, OPERATIONS_NOT_REQUESTED, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { describeGroups } from './15-describe-groups.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const NOT_FOUND_SINCE = 6

export const describeGroupsApi = defineApi(describeGroups, {
  listeners: 'everywhere',
  failure: (request, error) => ({ groups: request.groups.map((groupId) => dead(groupId, error)) }),
  handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    return { groups: request.groups.map((groupId) => describe(groupId, request.includeAuthorizedOperations, context, services)) }
  },
})

function describe(groupId: string, withOperations: boolean, context: RequestContext, services: Pick<BrokerServices, 'groups'>) {
  if (!mayUseGroup(context, AclOperation.DESCRIBE, groupId)) return dead(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED)
  const group = services.groups.describe(groupId)
  if (group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND && context.apiVersion < NOT_FOUND_SINCE) return dead(groupId, ErrorCode.NONE)
  if (group.errorCode !== ErrorCode.NONE) return dead(groupId, group.errorCode)
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocol,
    members: group.members.map(({ memberId, instanceId, clientId, clientHost, metadata, assignment }) => ({
      memberId,
      groupInstanceId: instanceId,
      clientId,
      clientHost,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
    authorizedOperations: withOperations
      ? authorizedOperations(ResourceType.GROUP, (operation) => mayUseGroup(context, operation, groupId))
      : OPERATIONS_NOT_REQUESTED,
  }
}

function dead(groupId: string, errorCode: ErrorCode) {
  const errorMessage = errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? `Group ${groupId} not found.` : null
  return { errorCode, errorMessage, groupId, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
}
