import { TransportError } from '../env/types.ts'
import { WireError } from '../wire/errors.ts'
import type { FrameSizeError } from './frame.ts'
import { describeOpening, looksLikeTls } from './peer-diagnosis.ts'

/** Every way the client's side of a connection can fail. */
export type ChannelErrorCode =
  /** Nobody listens on the address. */
  | 'CONNECTION_REFUSED'
  /** The host name does not resolve. */
  | 'HOST_NOT_FOUND'
  /** No connection within the time given. */
  | 'CONNECT_TIMED_OUT'
  /** The network or the machine refused for another reason; see `cause`. */
  | 'CONNECT_FAILED'
  /** An established connection ended while the call was in flight. */
  | 'CONNECTION_LOST'
  /** The peer answered as a TLS endpoint does: it wants TLS and was spoken to in plaintext. */
  | 'TLS_EXPECTED'
  /** Something listens, but what it answered is not the Kafka protocol. */
  | 'NOT_KAFKA'
  /** A reply that does not decode. */
  | 'MALFORMED_REPLY'
  /** The call's own deadline passed. */
  | 'DEADLINE_EXCEEDED'
  /** The call's AbortSignal fired. */
  | 'CANCELLED'
  /** It was closed on this side. */
  | 'CLOSED'
  /** More requests wait for one connection than are allowed. */
  | 'TOO_MANY_REQUESTS'

/** What a request on a channel, or opening one, failed with. The message names the address and says what to look at. */
export class ChannelError extends Error {
  readonly code: ChannelErrorCode

  constructor(code: ChannelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ChannelError'
    this.code = code
  }
}

/** Why a connection to `address` (host:port) could not be had, in words for a person. */
export function connectFailure(address: string, error: unknown): ChannelError {
  const code = error instanceof TransportError ? error.code : ''
  switch (code) {
    case 'ECONNREFUSED':
      return new ChannelError(
        'CONNECTION_REFUSED',
        `Nothing listens on ${address} (connection refused). Is the broker running, and is the port right?`,
        { cause: error },
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NONAME':
      return new ChannelError('HOST_NOT_FOUND', `The host name of ${address} cannot be resolved. Check its spelling and DNS.`, {
        cause: error,
      })
    case 'ETIMEDOUT':
      return new ChannelError(
        'CONNECT_TIMED_OUT',
        `${address} does not answer (connecting timed out). Is a firewall or a wrong address in the way?`,
        { cause: error },
      )
    case 'ABORTED':
      return new ChannelError('CANCELLED', `Connecting to ${address} was cancelled.`, { cause: error })
    default:
      return new ChannelError('CONNECT_FAILED', `Cannot connect to ${address}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
  }
}

/** The peer sent a frame that cannot be one of Kafka's; its first bytes may say what it speaks. */
export function foreignFrame(address: string, error: FrameSizeError): ChannelError {
  if (looksLikeTls(error.opening)) {
    const advice = 'it answered a plaintext request with a TLS record. Use TLS, or the plaintext port.'
    return new ChannelError('TLS_EXPECTED', `${address} looks like a TLS listener: ${advice}`, { cause: error })
  }
  const protocol = describeOpening(error.opening)
  const what = protocol === null ? `its answer is no Kafka frame (${error.message})` : `it speaks ${protocol}`
  return new ChannelError('NOT_KAFKA', `${address} is not a Kafka broker: ${what}.`, { cause: error })
}

/** A reply that does not decode. Throws on what is not the bytes' fault. */
export function malformedReply(address: string, apiName: string, error: unknown): ChannelError {
  if (!(error instanceof WireError)) throw error
  return new ChannelError('MALFORMED_REPLY', `The reply of ${address} to ${apiName} cannot be read: ${error.message}`, { cause: error })
}

export function cancelled(address: string): ChannelError {
  return new ChannelError('CANCELLED', `The request to ${address} was cancelled.`)
}
