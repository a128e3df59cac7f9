/**
 * Failures on their way to a person: every one gets a code of the contract's closed union, a sentence, and what to do.
 * What the client, the runtime and the store throw is translated here and nowhere else.
 */
import { ORPCError } from '@orpc/server'
import { ClientError, type ClientErrorCode } from '../client/error.ts'
import type { Problem, ProblemCode, ProblemData } from '../contract/errors.ts'
import { isProblemCode } from '../contract/errors.ts'
import { RuntimeError, type RuntimeErrorCode } from '../runtime/types.ts'
import { inputSentence, type InputIssue } from './input-problem.ts'

export class HostError extends Error {
  readonly code: ProblemCode
  readonly data: ProblemData

  constructor(code: ProblemCode, message: string, data: Partial<ProblemData> = {}, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'HostError'
    this.code = code
    this.data = { subject: data.subject ?? null, advice: data.advice ?? null, cause: data.cause ?? null }
  }
}

/** Any failure as a `HostError`. `subject` is what was being worked on, for errors that do not say it themselves. */
export function toHostError(error: unknown, subject: string | null = null): HostError {
  if (error instanceof HostError) return error
  if (error instanceof ClientError) return fromClientError(error, subject)
  if (error instanceof RuntimeError) {
    return new HostError(runtimeCodes[error.code], error.message, { subject, cause: error.code }, { cause: error })
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new HostError('CANCELLED', 'The call was cancelled.', { subject }, { cause: error })
  }
  if (error instanceof Error && error.name === 'SqliteError') {
    const advice = 'Check that the profile folder is writable and its disk is not full.'
    return new HostError(
      'STORE_FAILED',
      "The console's database could not be used.",
      { subject, advice, cause: error.message },
      { cause: error },
    )
  }
  const cause = error instanceof Error ? error.message : String(error)
  return new HostError('INTERNAL', 'Something went wrong inside Weir.', { subject, cause }, { cause: error })
}

export function toProblem(error: unknown, subject: string | null = null): Problem {
  const hostError = toHostError(error, subject)
  return { code: hostError.code, message: hostError.message, ...hostError.data }
}

/** The form in which it travels to a client. */
export function toRpcError(error: unknown): ORPCError<string, unknown> {
  if (error instanceof ORPCError) {
    if (isProblemCode(error.code)) return error
    if (error.code === 'BAD_REQUEST') return rpcError(new HostError('INVALID_INPUT', inputSentence(issuesOf(error)), {}, { cause: error }))
    return rpcError(new HostError('INTERNAL', 'Something went wrong inside Weir.', { cause: error.message }, { cause: error }))
  }
  return rpcError(toHostError(error))
}

function rpcError(error: HostError): ORPCError<string, unknown> {
  return new ORPCError(error.code, { message: error.message, data: error.data, cause: error })
}

function issuesOf(error: ORPCError<string, unknown>): readonly InputIssue[] | undefined {
  return (error.data as { readonly issues?: readonly InputIssue[] } | undefined)?.issues
}

const runtimeCodes: Readonly<Record<RuntimeErrorCode, ProblemCode>> = {
  FOLDER_IN_USE: 'INTERNAL',
  OWNER_GONE: 'HOST_LOST',
  FOLDER_UNUSABLE: 'INTERNAL',
  PORT_IN_USE: 'NODE_STATE_CONFLICT',
  TOO_FEW_BROKERS: 'INVALID_INPUT',
  INVALID_OPTION: 'INVALID_INPUT',
  UNKNOWN_NODE: 'NODE_NOT_FOUND',
  WRONG_STATE: 'NODE_STATE_CONFLICT',
  UNSUPPORTED: 'UNSUPPORTED',
  NODE_FAILED: 'NODE_STATE_CONFLICT',
  TIMED_OUT: 'TIMED_OUT',
}

const clientCodes: Readonly<Record<ClientErrorCode, ProblemCode>> = {
  CONNECTION_REFUSED: 'CLUSTER_UNREACHABLE',
  HOST_NOT_FOUND: 'CLUSTER_UNREACHABLE',
  CONNECT_TIMED_OUT: 'CLUSTER_UNREACHABLE',
  CONNECT_FAILED: 'CLUSTER_UNREACHABLE',
  CONNECTION_LOST: 'CLUSTER_UNREACHABLE',
  TLS_EXPECTED: 'CLUSTER_UNREACHABLE',
  NOT_KAFKA: 'CLUSTER_UNREACHABLE',
  AUTHENTICATION_REQUIRED: 'CLUSTER_UNREACHABLE',
  AUTHENTICATION_FAILED: 'UNAUTHORIZED',
  CLUSTER_UNREACHABLE: 'CLUSTER_UNREACHABLE',
  BROKER_UNKNOWN: 'CLUSTER_UNREACHABLE',
  UNSUPPORTED_VERSION: 'UNSUPPORTED',
  BROKER_ERROR: 'BROKER_ERROR',
  MALFORMED_REPLY: 'BROKER_ERROR',
  CORRUPT_BATCH: 'BROKER_ERROR',
  DEADLINE_EXCEEDED: 'TIMED_OUT',
  CANCELLED: 'CANCELLED',
  CLOSED: 'CLUSTER_UNREACHABLE',
  BUFFER_FULL: 'TIMED_OUT',
  TOO_MANY_REQUESTS: 'TIMED_OUT',
  RECORD_TOO_LARGE: 'RECORD_TOO_LARGE',
  PRODUCER_FENCED: 'BROKER_ERROR',
  INVALID_ARGUMENT: 'INVALID_INPUT',
}

const brokerCodes: Readonly<Record<string, ProblemCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_NOT_FOUND',
  UNKNOWN_TOPIC_ID: 'TOPIC_NOT_FOUND',
  TOPIC_ALREADY_EXISTS: 'TOPIC_EXISTS',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_INVALID',
  INVALID_PARTITIONS: 'TOPIC_INVALID',
  INVALID_REPLICATION_FACTOR: 'TOPIC_INVALID',
  INVALID_REPLICA_ASSIGNMENT: 'TOPIC_INVALID',
  INVALID_CONFIG: 'SETTING_INVALID',
  GROUP_ID_NOT_FOUND: 'GROUP_NOT_FOUND',
  NON_EMPTY_GROUP: 'GROUP_NOT_EMPTY',
  GROUP_SUBSCRIBED_TO_TOPIC: 'GROUP_NOT_EMPTY',
  MESSAGE_TOO_LARGE: 'RECORD_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'RECORD_TOO_LARGE',
  INVALID_RECORD: 'RECORD_INVALID',
  INVALID_TIMESTAMP: 'RECORD_INVALID',
  UNSUPPORTED_VERSION: 'UNSUPPORTED',
  REQUEST_TIMED_OUT: 'TIMED_OUT',
  TOPIC_AUTHORIZATION_FAILED: 'UNAUTHORIZED',
  GROUP_AUTHORIZATION_FAILED: 'UNAUTHORIZED',
  CLUSTER_AUTHORIZATION_FAILED: 'UNAUTHORIZED',
}

const advices: Readonly<Partial<Record<ProblemCode, string>>> = {
  CLUSTER_UNREACHABLE: 'Check that the brokers run and can be reached from this machine. Weir keeps trying.',
  TIMED_OUT: 'A broker may be stopped, frozen or overloaded. Look at Brokers, then try again.',
  GROUP_NOT_EMPTY: "Stop the group's members first, then try again.",
  UNAUTHORIZED: 'The cluster does not let this connection do that.',
  UNSUPPORTED: 'These brokers do not offer what this needs.',
}

function fromClientError(error: ClientError, subject: string | null): HostError {
  const byBroker = error.kafkaErrorName === null ? undefined : brokerCodes[error.kafkaErrorName]
  const code = byBroker ?? clientCodes[error.code]
  const cause = error.kafkaErrorName ?? error.code
  return new HostError(code, error.message, { subject: subject ?? error.address, advice: advices[code] ?? null, cause }, { cause: error })
}
