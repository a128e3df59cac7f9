/**
 * Fetch v4-18 at a controller: the metadata log, for the other voters and for brokers as observers.
 *
 * The request says how far its sender's log goes and in which epoch it ends; the answer carries what comes next (records that
 * may not be committed yet, and the high watermark below which they are), or where the logs part, or that a snapshot must come
 * first. With nothing new it waits up to maxWaitMs; v18 carries the sender's high watermark, and a higher one is news too. A
 * voter's fetch is also its acknowledgement of everything below the offset it asks for.
 */
import { decodeFetchRequest, encodeFetchResponse } from '../quorum/quorum-messages.ts'
import { fetch } from './01-fetch.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { askQuorum } from './quorum-requests.ts'
import { defineApi } from './registry.ts'

export const fetchMetadataApi = defineApi(fetch, {
  listeners: 'internal',
  advertise: 'never',
  async handle(request, context, { quorum }: Pick<ControllerServices, 'quorum'>) {
    const response = await askQuorum(decodeFetchRequest(request), context, quorum)
    return response === null ? null : encodeFetchResponse(response)
  },
})
