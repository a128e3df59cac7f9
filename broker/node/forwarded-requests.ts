/**
 * Carries out, at the controller, what brokers pass on for their clients: the same registry and handlers, with the client's
 * principal instead of the broker's.
 */
import type { ApiRegistry } from '../api/registry.ts'
import type { RequestContext } from '../api/context.ts'
import { NotController, type ControllerServices, type ForwardedRequests } from '../api/controller-context.ts'
import { isFlexible, schemas } from '../api/schemas.ts'
import type { Logger } from '../env/types.ts'
import type { Quotas } from '../quota/quotas.ts'
import type { Authorizer } from '../security/authorizer.ts'
import { decodeMessage, encodeInto } from '../wire/codec.ts'
import { ErrorCode } from '../wire/errors.ts'
import { decodeRequestHeader, encodeResponseHeader } from '../wire/headers.ts'
import { Writer } from '../wire/writer.ts'
import { failureResponse } from './failure-response.ts'

/** Seen from here a forwarded request may use what clients may use. */
const CLIENTS = 'forwarded'

export interface ForwardedRequestsOptions {
  readonly log: Logger
  readonly registry: ApiRegistry<ControllerServices>
  readonly services: () => ControllerServices
  readonly authorizer: Authorizer
  readonly quotas: Quotas
}

export class ForwardedRequestCarrier implements ForwardedRequests {
  readonly #options: ForwardedRequestsOptions

  constructor(options: ForwardedRequestsOptions) {
    this.#options = options
  }

  /** Throws WireError for bytes that are no request. */
  async carryOut(frame: Buffer, from: Parameters<ForwardedRequests['carryOut']>[1]): Promise<Buffer | null> {
    const { apiKey, apiVersion, clientId, correlationId, bodyPosition } = decodeRequestHeader(frame, isFlexible)
    const definition = this.#options.registry.find(apiKey, CLIENTS)
    const api = schemas.get(apiKey)
    if (definition === null || definition.handle === null || api === undefined) return null
    if (apiVersion < definition.accepted.min || apiVersion > definition.accepted.max) return null
    const request = decodeMessage(definition.schema.request, apiVersion, frame, bodyPosition)
    const context = this.#contextOf({ apiKey, apiVersion, clientId }, from)
    let response: unknown
    try {
      response = await definition.handle(request, context, this.#options.services())
    } catch (error) {
      if (error instanceof NotController) throw error
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#options.log.write('error', `a forwarded ${api.name} failed`, { apiVersion, clientId, error: detail })
      response = failureResponse(definition, request, ErrorCode.UNKNOWN_SERVER_ERROR)
    }
    if (response === null) return null
    const writer = new Writer()
    encodeResponseHeader(writer, api, apiVersion, correlationId)
    encodeInto(writer, definition.schema.response, apiVersion, response as never)
    return Buffer.concat(writer.finish())
  }

  #contextOf(
    { apiKey, apiVersion, clientId }: { readonly apiKey: number; readonly apiVersion: number; readonly clientId: string },
    { principal, peer, signal }: Parameters<ForwardedRequests['carryOut']>[1],
  ): RequestContext {
    const { authorizer, quotas } = this.#options
    const nothing = (): void => undefined
    return {
      apiKey,
      apiVersion,
      clientId,
      listener: CLIENTS,
      principal,
      peer,
      signal,
      authorize: (operation, resourceType, resourceName) => authorizer.allows(principal, operation, resourceType, resourceName),
      quota: (kind, amount) => quotas.charge(kind, { principal, clientId }, amount),
      // The client's connection is the broker's: order, software and closing are settled there.
      ordered: nothing,
      describeClient: nothing,
      closeConnection: nothing,
    }
  }
}
