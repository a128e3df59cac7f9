/**
 * SyncGroup v0-5: the leader hands in the assignment, every member gets its part once it is stored. v3+: static members.
 * v5+: the protocol is named and must be the group's.
 */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { syncGroup } from './14-sync-group.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const NO_ASSIGNMENT = Buffer.alloc(0)

export const syncGroupApi = defineApi(syncGroup, {
  listeners: 'everywhere',
  failure: (_request, error) => ({ errorCode: error, assignment: NO_ASSIGNMENT }),
  async handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    if (!mayUseGroup(context, AclOperation.READ, request.groupId)) {
      return { errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, assignment: NO_ASSIGNMENT }
    }
    context.ordered()
    const { errorCode, protocolType, protocolName, assignment } = await services.groups.sync(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationId,
      protocolType: request.protocolType,
      protocolName: request.protocolName,
      // Decoded bytes are views of the frame; an assignment outlives it.
      assignments: request.assignments.map((each) => ({ memberId: each.memberId, assignment: Buffer.from(each.assignment) })),
    })
    return { errorCode, protocolType, protocolName, assignment }
  },
})
