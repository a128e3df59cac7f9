/** The quorum's messages on their way to another controller and back. */
import { fetch } from '../api/01-fetch.schema.ts'
import { vote } from '../api/52-vote.schema.ts'
import { beginQuorumEpoch } from '../api/53-begin-quorum-epoch.schema.ts'
import { endQuorumEpoch } from '../api/54-end-quorum-epoch.schema.ts'
import type { Env } from '../env/types.ts'
import { ChannelError } from '../net/channel-error.ts'
import {
  decodeBeginQuorumEpochResponse,
  decodeEndQuorumEpochResponse,
  decodeFetchResponse,
  decodeVoteResponse,
  encodeBeginQuorumEpochRequest,
  encodeEndQuorumEpochRequest,
  encodeFetchRequest,
  encodeVoteRequest,
  QUORUM_VERSIONS,
} from '../quorum/quorum-messages.ts'
import type { QuorumRequest, QuorumResponse } from '../quorum/types.ts'
import type { ControllerChannels } from './controller-channels.ts'

const REQUEST_TIMEOUT_MS = 2_000

export class QuorumPeers {
  readonly #env: Env
  readonly #channels: ControllerChannels

  constructor(env: Env, channels: ControllerChannels) {
    this.#env = env
    this.#channels = channels
  }

  /** The response; null when none came, which the quorum takes for silence. Never rejects. */
  async send(to: number, request: QuorumRequest): Promise<QuorumResponse | null> {
    try {
      return await this.#exchange(to, request)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#env.log.write('debug', 'a controller did not answer', { controller: to, request: request.api, reason: error.message })
      return null
    }
  }

  async #exchange(id: number, request: QuorumRequest): Promise<QuorumResponse | null> {
    const channels = this.#channels
    const call = { id, purpose: 'call' } as const
    const options = { timeoutMs: REQUEST_TIMEOUT_MS }
    switch (request.api) {
      case 'vote':
        return decodeVoteResponse(await channels.request(call, vote, QUORUM_VERSIONS.vote, encodeVoteRequest(request), options))
      case 'beginQuorumEpoch': {
        const body = encodeBeginQuorumEpochRequest(request)
        return decodeBeginQuorumEpochResponse(
          await channels.request(call, beginQuorumEpoch, QUORUM_VERSIONS.beginQuorumEpoch, body, options),
        )
      }
      case 'endQuorumEpoch': {
        const body = encodeEndQuorumEpochRequest(request)
        return decodeEndQuorumEpochResponse(await channels.request(call, endQuorumEpoch, QUORUM_VERSIONS.endQuorumEpoch, body, options))
      }
      case 'fetch': {
        const timeoutMs = REQUEST_TIMEOUT_MS + request.maxWaitMs
        const to = { id, purpose: 'fetch' } as const
        return decodeFetchResponse(await channels.request(to, fetch, QUORUM_VERSIONS.fetch, encodeFetchRequest(request), { timeoutMs }))
      }
    }
  }
}
