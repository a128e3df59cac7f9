/**
 * Envelope v0, from a broker to the active controller (KIP-590): a client's request as it is on the wire, with the principal it
 * came from and the address it came from. The answer is the reply as the client would get it.
 *
 * NOT_CONTROLLER makes the broker look for the controller again. INVALID_REQUEST for a request that may not be passed on.
 */
import { ErrorCode, WireError } from '../wire/errors.ts'
import { envelope } from './58-envelope.schema.ts'
import { NotController, type ControllerServices } from './controller-context.ts'
import { decodeForwardedPrincipal } from './forwarded-principal.ts'
import { defineApi } from './registry.ts'

export const envelopeApi = defineApi(envelope, {
  listeners: 'internal',
  async handle(request, context, { controller, forwarded }: Pick<ControllerServices, 'controller' | 'forwarded'>) {
    if (context.principal.type !== 'Node') return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
    const principal = request.requestPrincipal === null ? null : decodeForwardedPrincipal(request.requestPrincipal)
    if (principal === null) return { errorCode: ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE }
    if (!controller.isActive) return { errorCode: ErrorCode.NOT_CONTROLLER }
    const peer = { host: request.clientHostAddress.toString('utf8'), port: 0 }
    // Others on this connection need not wait until this one's records are committed.
    context.ordered()
    try {
      const responseData = await forwarded.carryOut(request.requestData, { principal, peer, signal: context.signal })
      return responseData === null ? { errorCode: ErrorCode.INVALID_REQUEST } : { responseData, errorCode: ErrorCode.NONE }
    } catch (error) {
      if (error instanceof NotController) return { errorCode: ErrorCode.NOT_CONTROLLER }
      if (error instanceof WireError) return { errorCode: ErrorCode.INVALID_REQUEST }
      throw error
    }
  },
})
