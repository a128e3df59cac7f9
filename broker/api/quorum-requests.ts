/** What the handlers of the quorum's own requests share. */
import type { QuorumRequest, QuorumResponse } from '../quorum/types.ts'
import type { RequestContext } from './context.ts'
import type { QuorumServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'

/**
 * The quorum's response to a request of the same kind; null when there will be none, and the connection ends: either this node
 * is stopping, or the request was about something else than the metadata log or in another node's name, which no node of this
 * cluster sends.
 */
export async function askQuorum<Request extends QuorumRequest>(
  request: Request | null,
  context: RequestContext,
  quorum: QuorumServices,
): Promise<Extract<QuorumResponse, { readonly api: Request['api'] }> | null> {
  if (request === null) {
    context.closeConnection('a quorum request that is not about the metadata log')
    return null
  }
  const sender = senderOf(request)
  if (sender >= 0 && !speaksFor(context, sender)) {
    context.closeConnection(`a quorum request in the name of node ${sender}`)
    return null
  }
  const response = await quorum.handle(request, context.signal)
  if (response !== null && response.api === request.api) return response as Extract<QuorumResponse, { readonly api: Request['api'] }>
  context.closeConnection('this node takes no part in the quorum any more')
  return null
}

function senderOf(request: QuorumRequest): number {
  switch (request.api) {
    case 'vote':
      return request.candidate.id
    case 'fetch':
      return request.replica.id
    case 'beginQuorumEpoch':
    case 'endQuorumEpoch':
      return request.leaderId
  }
}
