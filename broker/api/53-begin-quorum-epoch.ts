/** BeginQuorumEpoch v0-1, between controllers: a new leader tells a voter that it leads, until the voter fetches from it. */
import { decodeBeginQuorumEpochRequest, encodeBeginQuorumEpochResponse } from '../quorum/quorum-messages.ts'
import { beginQuorumEpoch } from './53-begin-quorum-epoch.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { askQuorum } from './quorum-requests.ts'
import { defineApi } from './registry.ts'

export const beginQuorumEpochApi = defineApi(beginQuorumEpoch, {
  listeners: 'internal',
  async handle(request, context, { quorum }: Pick<ControllerServices, 'quorum'>) {
    const response = await askQuorum(decodeBeginQuorumEpochRequest(request), context, quorum)
    return response === null ? null : encodeBeginQuorumEpochResponse(response)
  },
})
