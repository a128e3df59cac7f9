/** DeleteGroups v0-2: deletes groups without members, with all their offsets. One with members is NON_EMPTY_GROUP. */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { deleteGroups } from './42-delete-groups.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

export const deleteGroupsApi = defineApi(deleteGroups, {
  listeners: 'everywhere',
  failure: (request, error) => ({ throttleTimeMs: 0, results: request.groupsNames.map((groupId) => ({ groupId, errorCode: error })) }),
  async handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    const results = request.groupsNames.map(async (groupId) => ({
      groupId,
      errorCode: mayUseGroup(context, AclOperation.DELETE, groupId)
        ? await services.groups.deleteGroup(groupId)
        : ErrorCode.GROUP_AUTHORIZATION_FAILED,
    }))
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  },
})
