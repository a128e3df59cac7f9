/**
 * EndQuorumEpoch v0-1, between controllers: a leader gives up and names who should run first, best first. v1 names them with
 * their directories.
 */
import { decodeEndQuorumEpochRequest, encodeEndQuorumEpochResponse } from '../quorum/quorum-messages.ts'
import { endQuorumEpoch } from './54-end-quorum-epoch.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { askQuorum } from './quorum-requests.ts'
import { defineApi } from './registry.ts'

export const endQuorumEpochApi = defineApi(endQuorumEpoch, {
  listeners: 'internal',
  async handle(request, context, { quorum }: Pick<ControllerServices, 'quorum'>) {
    const response = await askQuorum(decodeEndQuorumEpochRequest(request), context, quorum)
    return response === null ? null : encodeEndQuorumEpochResponse(response)
  },
})
