/**
 * Requests of clients on their way from any broker to the active controller, in envelopes that carry the client's principal
 * (KIP-590). The controller moving, or its connection breaking, is not the client's matter: the request is sent again until one
 * answered or time is up. A request that was carried out and whose answer was lost may thus be carried out twice, as in Kafka.
 */
import { envelope } from '../api/58-envelope.schema.ts'
import { type ApiSchema, ControllerUnavailable, type ControllerLink } from '../api/context.ts'
import { encodeForwardedPrincipal } from '../api/forwarded-principal.ts'
import { schemas } from '../api/schemas.ts'
import { decodeMessage } from '../wire/codec.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import { decodeResponseHeader, encodeRequestHeader } from '../wire/headers.ts'
import { encodeInto } from '../wire/codec.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'
import type { ControllerCalls } from './controller-calls.ts'

const ENVELOPE_VERSION = 0

export class ControllerForwarder implements ControllerLink {
  readonly #calls: Pick<ControllerCalls, 'call'>

  constructor(calls: Pick<ControllerCalls, 'call'>) {
    this.#calls = calls
  }

  async send<Schema extends ApiSchema>(
    schema: Schema,
    apiVersion: number,
    request: Encodable<Schema['request']>,
    options: Parameters<ControllerLink['send']>[3],
  ): Promise<Decoded<Schema['response']>> {
    const api = schemas.get(schema.key)
    if (api === undefined) throw new Error(`API ${schema.key} has no schema`)
    const writer = new Writer()
    encodeRequestHeader(writer, api, { apiVersion, correlationId: 0, clientId: options.clientId })
    encodeInto(writer, schema.request, apiVersion, request)
    const body = {
      requestData: writer.finish(),
      requestPrincipal: encodeForwardedPrincipal(options.principal),
      clientHostAddress: Buffer.alloc(0),
    }
    const { timeoutMs, signal } = options
    const answer = await this.#calls.call(envelope, ENVELOPE_VERSION, body, signal === undefined ? { timeoutMs } : { timeoutMs, signal })
    if (answer.errorCode !== ErrorCode.NONE || answer.responseData === null) {
      throw new ControllerUnavailable(`the controller did not take ${api.name}: ${errorName(answer.errorCode as ErrorCode)}`)
    }
    const { bodyPosition } = decodeResponseHeader(answer.responseData, api, apiVersion)
    return decodeMessage(schema.response, apiVersion, answer.responseData, bodyPosition) as Decoded<Schema['response']>
  }
}
