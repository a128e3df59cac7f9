/**
 * ListGroups v0-5: the groups this broker coordinates; clients ask every broker and merge. v4+: filtered by state, v5+: by
 * type; names match whatever their case. Groups the client may not describe are left out.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { listGroups } from './16-list-groups.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const GROUP_TYPE = 'classic'

export const listGroupsApi = defineApi(listGroups, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    const states = new Set(request.statesFilter.map((state) => state.toLowerCase()))
    const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
    const mayListAll = context.authorize(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)
    const { errorCode, groups } = services.groups.list()
    return {
      errorCode,
      groups: groups
        .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
        .filter(() => types.size === 0 || types.has(GROUP_TYPE))
        .filter(({ groupId }) => mayListAll || mayUseGroup(context, AclOperation.DESCRIBE, groupId))
        .map(({ groupId, protocolType, state }) => ({ groupId, protocolType, groupState: state, groupType: GROUP_TYPE })),
    }
  },
})
