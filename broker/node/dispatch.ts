/**
 * From the frame of a request to the frame of its reply: header, version, right to speak, body, handler, encoding.
 *
 * | what arrives                                   | what happens                                                     |
 * |------------------------------------------------|------------------------------------------------------------------|
 * | malformed header or body                       | connection closed, one log line                                  |
 * | a key this listener does not serve             | connection closed, one log line (as Kafka does)                  |
 * | an unsupported version of ApiVersions          | reply in v0 format: UNSUPPORTED_VERSION and {18, 0, max} (KIP-511)|
 * | an unsupported version of anything else        | connection closed, one log line (as Kafka does)                  |
 * | a handler that throws                          | logged; UNKNOWN_SERVER_ERROR where the response has room, else closed |
 * | no controller for a forwarded request          | REQUEST_TIMED_OUT, likewise                                      |
 *
 * It keeps no state between requests; what lasts for a connection is in the connection.
 */
import { apiVersions } from '../api/18-api-versions.schema.ts'
import { type ApiSchema, type ControllerLink, ControllerUnavailable, INTERNAL_LISTENER, type RequestContext } from '../api/context.ts'
import type { ApiDefinition, ApiRegistry } from '../api/registry.ts'
import { isFlexible } from '../api/schemas.ts'
import type { Logger } from '../env/types.ts'
import { ConnectionRefused, type Reply, type RequestHandler, type RequestHandling, type ServerConnection } from '../net/types.ts'
import type { QuotaKind, Quotas } from '../quota/quotas.ts'
import type { AclOperation, Authorizer, ResourceType } from '../security/authorizer.ts'
import { ANONYMOUS, type Principal } from '../security/principal.ts'
import { decodeMessage } from '../wire/codec.ts'
import { ErrorCode, WireError } from '../wire/errors.ts'
import { decodeRequestHeader, encodeResponseFrame, type RequestHeader } from '../wire/headers.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { failureResponse } from './failure-response.ts'

export interface DispatcherOptions<Services> {
  readonly log: Logger
  readonly registry: ApiRegistry<Services>
  readonly services: Services
  readonly authorizer: Authorizer
  readonly quotas: Quotas
  /** Where requests with the route 'controller' go; a controller has none. */
  readonly controller: ControllerLink | null
  /** Where faults may hold a request back or drop it; absent: nothing stands in the way. */
  readonly gate?: RequestGate
}

/** Asked before a request is carried out; the request waits for the answer, and so do those behind it. */
export type RequestGate = (request: GateRequest) => Promise<'pass' | 'close'> | null

export interface GateRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly clientId: string
  readonly listener: string
  readonly principal: Principal
}

type DecodedRequest = Decoded<ApiSchema['request']>

/** How long a forwarded request may take when it does not say itself. */
const FORWARD_TIMEOUT_MS = 30_000

export function createDispatcher<Services>(options: DispatcherOptions<Services>): RequestHandler {
  return (frame, connection) => new Dispatch(options, connection, readHeader(frame)).run(frame)
}

/** The life of one request. */
class Dispatch<Services> implements RequestContext {
  readonly #options: DispatcherOptions<Services>
  readonly #connection: ServerConnection
  readonly #header: RequestHeader
  readonly principal: Principal
  #isOrdered = false
  #whenOrdered: (() => void) | null = null
  #closeReason: string | undefined

  constructor(options: DispatcherOptions<Services>, connection: ServerConnection, header: RequestHeader) {
    this.#options = options
    this.#connection = connection
    this.#header = header
    this.principal = principalOf(connection)
  }

  run(frame: Buffer): RequestHandling {
    const { apiKey, apiVersion, clientId } = this.#header
    const definition = this.#options.registry.find(apiKey, this.listener)
    if (definition === null) throw new ConnectionRefused(`API key ${apiKey} is not served on listener ${this.listener}`)
    this.#connection.setClientId(clientId)
    this.#connection.countRequest(apiKey)
    if (apiVersion < definition.accepted.min || apiVersion > definition.accepted.max) return this.#unsupportedVersion(definition)
    const request = this.#decode(definition, frame)
    const verdict = this.#options.gate?.(this) ?? null
    const outcome = verdict === null ? this.#carryOut(definition, request) : this.#afterGate(verdict, definition, request)
    if (!(outcome instanceof Promise)) return { ordered: null, reply: outcome }
    const ordered = this.#isOrdered ? null : new Promise<void>((resolve) => (this.#whenOrdered = resolve))
    const reply = outcome.finally(() => this.ordered())
    const replyBytesMax = definition.replyBytesMax?.(request, this.#options.services)
    return { ordered, reply, ...(replyBytesMax !== undefined && { replyBytesMax }) }
  }

  #decode(definition: ApiDefinition<Services>, frame: Buffer): DecodedRequest {
    try {
      return decodeMessage(definition.schema.request, this.apiVersion, frame, this.#header.bodyPosition)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      throw new ConnectionRefused(`malformed ${definition.schema.name} request: ${error.message}`, { cause: error })
    }
  }

  async #afterGate(
    verdict: Promise<'pass' | 'close'>,
    definition: ApiDefinition<Services>,
    request: DecodedRequest,
  ): Promise<Reply | null> {
    if ((await verdict) === 'pass') return this.#carryOut(definition, request)
    this.#connection.close('an injected fault')
    return null
  }

  /** Never throws and never rejects for the handler's sake. */
  #carryOut(definition: ApiDefinition<Services>, request: DecodedRequest): Reply | null | Promise<Reply | null> {
    try {
      const result =
        definition.handle === null ? this.#forward(definition, request) : definition.handle(request, this, this.#options.services)
      if (!(result instanceof Promise)) return this.#reply(definition, result)
      return result
        .then((response) => this.#reply(definition, response))
        .catch((error: unknown) => this.#failed(definition, request, error))
    } catch (error) {
      return this.#failed(definition, request, error)
    }
  }

  #forward(definition: ApiDefinition<Services>, request: DecodedRequest): Promise<unknown> {
    const { controller } = this.#options
    if (controller === null) throw new Error(`${definition.schema.name} has no handler and no controller to go to`)
    const timeoutMs = timeoutOf(request)
    const { principal, clientId, signal } = this
    return controller.send(definition.schema, this.apiVersion, request, { principal, clientId, timeoutMs, signal })
  }

  #reply(definition: ApiDefinition<Services>, response: unknown): Reply | null {
    if (response === null) {
      if (this.#closeReason !== undefined) this.#connection.close(this.#closeReason)
      return null
    }
    const { correlationId, apiVersion } = this.#header
    const chunks = encodeResponseFrame(definition.schema, { correlationId, apiVersion }, response as Encodable<ApiSchema['response']>)
    return { chunks, throttleTimeMs: throttleOf(response), closeReason: this.#closeReason }
  }

  #failed(definition: ApiDefinition<Services>, request: DecodedRequest, error: unknown): Reply | null {
    const code = error instanceof ControllerUnavailable ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.UNKNOWN_SERVER_ERROR
    const { name } = definition.schema
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (code === ErrorCode.REQUEST_TIMED_OUT)
      this.#options.log.write('warn', `${name} was not carried out`, { reason: (error as Error).message })
    else
      this.#options.log.write('error', `${name} failed`, {
        apiVersion: this.apiVersion,
        clientId: this.clientId,
        peer: peerText(this),
        error: detail,
      })
    this.#connection.recordError(`${name}: ${error instanceof Error ? error.message : 'failed'}`)
    const response = failureResponse(definition, request, code)
    if (response === null) this.closeConnection(`${name} failed and has no room to say so`)
    return this.#reply(definition, response)
  }

  #unsupportedVersion(definition: ApiDefinition<Services>): RequestHandling {
    const { name, key } = definition.schema
    if (key !== apiVersions.key) throw new ConnectionRefused(`${name} v${this.apiVersion} is not supported`)
    const response = {
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: key, minVersion: definition.accepted.min, maxVersion: definition.accepted.max }],
    }
    const { correlationId } = this.#header
    return { ordered: null, reply: { chunks: encodeResponseFrame(apiVersions, { correlationId, apiVersion: 0 }, response) } }
  }

  // ------------------------------------------------------------------------------------------------- the handler's view

  get apiKey(): number {
    return this.#header.apiKey
  }
  get apiVersion(): number {
    return this.#header.apiVersion
  }
  get clientId(): string {
    return this.#header.clientId
  }
  get listener(): string {
    return this.#connection.listenerName
  }
  get peer(): RequestContext['peer'] {
    return this.#connection.remote
  }
  get signal(): AbortSignal {
    return this.#connection.signal
  }

  authorize(operation: AclOperation, resourceType: ResourceType, resourceName: string): boolean {
    return this.#options.authorizer.allows(this.principal, operation, resourceType, resourceName)
  }

  quota(kind: QuotaKind, amount: number): number {
    return this.#options.quotas.charge(kind, this, amount)
  }

  ordered(): void {
    this.#isOrdered = true
    this.#whenOrdered?.()
  }

  describeClient(softwareName: string, softwareVersion: string): void {
    this.#connection.setSoftware(softwareName, softwareVersion)
  }

  closeConnection(reason: string): void {
    this.#closeReason = reason
  }
}

function readHeader(frame: Buffer): RequestHeader {
  try {
    return decodeRequestHeader(frame, isFlexible)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new ConnectionRefused(`malformed request header: ${error.message}`, { cause: error })
  }
}

/** Nodes prove who they are in the preamble of the INTERNAL listener; other listeners ask for no name. */
function principalOf(connection: ServerConnection): Principal {
  const { peer } = connection
  return connection.listenerName === INTERNAL_LISTENER && peer !== null ? { type: 'Node', name: String(peer.nodeId) } : ANONYMOUS
}

function timeoutOf(request: DecodedRequest): number {
  const timeoutMs = (request as { timeoutMs?: unknown }).timeoutMs
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? Math.min(timeoutMs, FORWARD_TIMEOUT_MS) : FORWARD_TIMEOUT_MS
}

function throttleOf(response: unknown): number {
  return (response as { throttleTimeMs?: number }).throttleTimeMs ?? 0
}

function peerText(context: RequestContext): string {
  return `${context.peer.host}:${context.peer.port}`
}
