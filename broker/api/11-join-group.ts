/**
 * JoinGroup v0-9: enters a classic group, or enters it again for a rebalance. Answered when the rebalance completes.
 *
 * v0 has no rebalance timeout and uses the session's. v4+: a dynamic member must come back with the id it is given
 * (KIP-394). v5+: static members. v7+: the reply names the protocol type. v9+: a returning static leader can be told to
 * skip the assignment.
 */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { joinGroup } from './11-join-group.schema.ts'
import type { BrokerServices } from './context.ts'
import { mayUseGroup } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const KNOWN_MEMBER_ID_SINCE = 4
const NULL_PROTOCOL_SINCE = 7
const SKIP_ASSIGNMENT_SINCE = 9

export const joinGroupApi = defineApi(joinGroup, {
  listeners: 'everywhere',
  failure: (request, error) => refused(request.memberId, error),
  async handle(request, context, services: Pick<BrokerServices, 'groups'>) {
    if (!mayUseGroup(context, AclOperation.READ, request.groupId)) return refused(request.memberId, ErrorCode.GROUP_AUTHORIZATION_FAILED)
    context.ordered()
    const reply = await services.groups.join(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      clientId: context.clientId,
      clientHost: `/${context.peer.host}`,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Decoded bytes are views of the frame; a member's metadata outlives it.
      protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      requiresKnownMemberId: context.apiVersion >= KNOWN_MEMBER_ID_SINCE,
      supportsSkippingAssignment: context.apiVersion >= SKIP_ASSIGNMENT_SINCE,
    })
    return {
      errorCode: reply.errorCode,
      generationId: reply.generationId,
      protocolType: reply.protocolType,
      protocolName: reply.protocolName ?? (context.apiVersion >= NULL_PROTOCOL_SINCE ? null : ''),
      leader: reply.leaderId,
      skipAssignment: reply.skipAssignment,
      memberId: reply.memberId,
      members: reply.members.map(({ memberId, instanceId, metadata }) => ({ memberId, groupInstanceId: instanceId, metadata })),
    }
  },
})

function refused(memberId: string, errorCode: ErrorCode) {
  return { errorCode, generationId: -1, protocolName: '', leader: '', memberId, members: [] }
}
