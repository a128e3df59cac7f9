/** Groups: listed by every broker, described and deleted by their coordinators. */
import { describeGroups as describeGroupsApi } from '../../api/15-describe-groups.schema.ts'
import { listGroups as listGroupsApi } from '../../api/16-list-groups.schema.ts'
import { deleteGroups as deleteGroupsApi } from '../../api/42-delete-groups.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Decoded } from '../../wire/schema.ts'
import type { GroupDescription, GroupListing, ListedGroups, MemberDescription, NamedResult } from '../admin-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { CONSUMER_PROTOCOL_TYPE, decodeAssignment, decodeSubscription } from '../group/consumer-protocol.ts'
import { BROKER_ATTEMPT_MS, askCoordinators, askNodes, elsewhereErrors, slices } from './fan-out.ts'

type DescribedGroup = Decoded<typeof describeGroupsApi.response>['groups'][number]

const STATES_FILTER_SINCE = 4
const TYPES_FILTER_SINCE = 5
const GROUPS_PER_REQUEST = 200

export async function listGroups(
  core: ClientCore,
  filter: { readonly states?: readonly string[]; readonly types?: readonly string[] },
  call: Call,
): Promise<ListedGroups> {
  const { states = [], types = [] } = filter
  const minVersion = types.length > 0 ? TYPES_FILTER_SINCE : states.length > 0 ? STATES_FILTER_SINCE : 0
  const { answers, failures } = await askNodes(core, null, call, async (nodeId) => {
    const reply = await core.requestNode(nodeId, listGroupsApi, { statesFilter: states, typesFilter: types }, call, {
      isRepeatable: true,
      attemptMs: BROKER_ATTEMPT_MS,
      minVersion,
    })
    // A coordinator that is still loading lists what it has, with an error that says so.
    if (reply.errorCode === ErrorCode.NONE || (elsewhereErrors.has(reply.errorCode) && reply.groups.length > 0)) return reply.groups
    throw ClientError.ofBroker(reply.errorCode, `Broker ${nodeId} did not list its groups`, { api: listGroupsApi.name, nodeId })
  })
  const groups = new Map<string, GroupListing>()
  for (const [nodeId, listed] of answers) {
    for (const { groupId, protocolType, groupState, groupType } of listed) {
      groups.set(groupId, { groupId, protocolType, state: groupState, type: groupType, coordinatorId: nodeId })
    }
  }
  return { groups: [...groups.values()], failures }
}

export async function describeGroups(core: ClientCore, groupIds: readonly string[], call: Call): Promise<readonly GroupDescription[]> {
  const results = await askCoordinators<GroupDescription>(core, groupIds, call, async (nodeId, ids) => {
    const described = new Map<string, GroupDescription | ClientError>()
    for (const groups of slices(ids, GROUPS_PER_REQUEST)) {
      const reply = await core.requestNode(nodeId, describeGroupsApi, { groups }, call, {
        isRepeatable: true,
        attemptMs: BROKER_ATTEMPT_MS,
      })
      for (const group of reply.groups) described.set(group.groupId, descriptionOrError(group, nodeId))
    }
    return described
  })
  return groupIds.map((groupId) => {
    const result = results.get(groupId)
    return result === undefined || result instanceof ClientError ? undescribed(groupId, result ?? neverAsked(groupId)) : result
  })
}

export async function deleteGroups(core: ClientCore, groupIds: readonly string[], call: Call): Promise<readonly NamedResult[]> {
  const results = await askCoordinators<null>(core, groupIds, call, async (nodeId, ids) => {
    const reply = await core.requestNode(nodeId, deleteGroupsApi, { groupsNames: ids }, call)
    return new Map(
      reply.results.map(({ groupId, errorCode }) => [
        groupId,
        errorCode === ErrorCode.NONE
          ? null
          : ClientError.ofBroker(errorCode, `Group "${groupId}" was not deleted`, { api: deleteGroupsApi.name, nodeId }),
      ]),
    )
  })
  return groupIds.map((name) => {
    const result = results.get(name)
    return { name, error: result === undefined ? neverAsked(name) : result }
  })
}

function descriptionOrError(group: DescribedGroup, nodeId: number): GroupDescription | ClientError {
  const { groupId, groupState, protocolType, protocolData, errorCode, errorMessage } = group
  const details = { api: describeGroupsApi.name, nodeId, text: errorMessage }
  if (errorCode !== ErrorCode.NONE) return ClientError.ofBroker(errorCode, `Group "${groupId}" cannot be described`, details)
  return {
    groupId,
    state: groupState,
    protocolType,
    protocolName: protocolData,
    coordinatorId: nodeId,
    members: group.members.map((member) => memberFrom(member, protocolType)),
    error: null,
  }
}

function memberFrom(member: DescribedGroup['members'][number], protocolType: string): MemberDescription {
  const isConsumer = protocolType === CONSUMER_PROTOCOL_TYPE
  // Members that are joining have neither yet.
  const subscription = isConsumer && member.memberMetadata.length > 0 ? decodeSubscription(member.memberMetadata) : null
  const assignment = isConsumer ? decodeAssignment(member.memberAssignment) : null
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopics: subscription?.topics ?? [],
    assignment: assignment ?? [],
    metadataBytes: member.memberMetadata,
    assignmentBytes: member.memberAssignment,
    isParsed: subscription !== null && assignment !== null,
  }
}

function undescribed(groupId: string, error: ClientError): GroupDescription {
  return { groupId, state: '', protocolType: '', protocolName: '', coordinatorId: error.nodeId, members: [], error }
}

export function neverAsked(groupId: string): ClientError {
  return new ClientError('DEADLINE_EXCEEDED', `There was no time left to ask for group "${groupId}".`)
}
