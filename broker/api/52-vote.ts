/**
 * Vote v0-2, between controllers. v1: names the voter it is meant for. v2: pre-votes, which promise nothing and are not stored.
 * A granted vote is on stable storage before it is answered. The rules are in quorum/vote-rules.ts.
 */
import { decodeVoteRequest, encodeVoteResponse } from '../quorum/quorum-messages.ts'
import { vote } from './52-vote.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { askQuorum } from './quorum-requests.ts'
import { defineApi } from './registry.ts'

export const voteApi = defineApi(vote, {
  listeners: 'internal',
  async handle(request, context, { quorum }: Pick<ControllerServices, 'quorum'>) {
    const response = await askQuorum(decodeVoteRequest(request), context, quorum)
    return response === null ? null : encodeVoteResponse(response)
  },
})
