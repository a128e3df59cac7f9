import { ChannelError, type ChannelErrorCode } from '../net/channel-error.ts'
import { errorName, isRetriable } from '../wire/errors.ts'

/** Every way a call of the client can fail, those of its connections among them. Closed: a screen can explain each. */
export type ClientErrorCode =
  | ChannelErrorCode
  /** The peer closed the connection after the first request: it most likely demands SASL. */
  | 'AUTHENTICATION_REQUIRED'
  /** Credentials were refused. */
  | 'AUTHENTICATION_FAILED'
  /** No bootstrap server could be reached; `failures` has one error for each. */
  | 'CLUSTER_UNREACHABLE'
  /** The node id is not in the cluster's metadata. */
  | 'BROKER_UNKNOWN'
  /** The broker lacks the API, or shares no version of it with this client. */
  | 'UNSUPPORTED_VERSION'
  /** The broker answered with an error; `kafkaError` is its number. */
  | 'BROKER_ERROR'
  /** A record batch whose checksum or structure is wrong. */
  | 'CORRUPT_BATCH'
  /** The producer's buffer stayed full until the deadline. */
  | 'BUFFER_FULL'
  /** A record larger than the producer's or the broker's bound. */
  | 'RECORD_TOO_LARGE'
  /** An idempotent producer lost its place and cannot go on without risking duplicates or gaps. */
  | 'PRODUCER_FENCED'
  /** An argument that cannot be right. */
  | 'INVALID_ARGUMENT'

export interface ClientErrorDetails {
  readonly cause?: unknown
  /** The protocol's error number, with `BROKER_ERROR`. */
  readonly kafkaError?: number
  /** The API's name as Kafka spells it, where one was being called. */
  readonly api?: string
  readonly nodeId?: number
  /** host:port */
  readonly address?: string
  /** One per bootstrap server, with `CLUSTER_UNREACHABLE`. */
  readonly failures?: readonly ClientError[]
}

const retriableCodes: ReadonlySet<ClientErrorCode> = new Set<ClientErrorCode>([
  'CONNECTION_REFUSED',
  'HOST_NOT_FOUND',
  'CONNECT_TIMED_OUT',
  'CONNECT_FAILED',
  'CONNECTION_LOST',
  'CLUSTER_UNREACHABLE',
  'BROKER_UNKNOWN',
])

/** What a call of the client failed with. The message is a sentence for a person: what happened, to what, what to do. */
export class ClientError extends Error {
  readonly code: ClientErrorCode
  readonly kafkaError: number | null
  /** The protocol's name of `kafkaError`, e.g. NOT_LEADER_OR_FOLLOWER. */
  readonly kafkaErrorName: string | null
  readonly api: string | null
  readonly nodeId: number | null
  readonly address: string | null
  readonly failures: readonly ClientError[]

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ClientError'
    this.code = code
    this.kafkaError = details.kafkaError ?? null
    this.kafkaErrorName = details.kafkaError === undefined ? null : errorName(details.kafkaError)
    this.api = details.api ?? null
    this.nodeId = details.nodeId ?? null
    this.address = details.address ?? null
    this.failures = details.failures ?? []
  }

  /** The error as a ClientError: one already, or a connection's. Anything else is a bug and is thrown on. */
  static from(error: unknown, details: ClientErrorDetails = {}): ClientError {
    if (error instanceof ClientError) return error
    if (error instanceof ChannelError) return new ClientError(error.code, error.message, { cause: error, ...details })
    throw error
  }

  /** What a broker answered, as a sentence: `what` happened to `whom`. */
  static ofBroker(kafkaError: number, what: string, details: ClientErrorDetails & { readonly text?: string | null } = {}): ClientError {
    const { text, ...rest } = details
    const said = text ? ` ${text}` : ''
    return new ClientError('BROKER_ERROR', `${what}: ${errorName(kafkaError)}.${said}`, { ...rest, kafkaError })
  }

  /** Whether the same call may succeed later, unchanged. */
  get retriable(): boolean {
    return this.kafkaError === null ? retriableCodes.has(this.code) : isRetriable(this.kafkaError)
  }
}
