/**
 * What can go wrong, as a closed union. Every failed call rejects with one of these codes, a sentence for people in
 * `message`, and `data`: the subject, what to do, and the cause. `problemOf` turns anything thrown by a call into a `Problem`.
 */
import { ORPCError, type } from '@orpc/contract'

export const problemCodes = [
  /** No cluster has this id (it was removed). */
  'CLUSTER_NOT_FOUND',
  /** The cluster does not answer; `cause` says precisely why. */
  'CLUSTER_UNREACHABLE',
  /** The connection is read-only: the host refuses every change. */
  'CLUSTER_READ_ONLY',
  /** Only an embedded cluster can do this. */
  'CLUSTER_NOT_EMBEDDED',
  'CLUSTER_NAME_TAKEN',
  'ADDRESS_INVALID',
  'NODE_NOT_FOUND',
  /** The node's state does not allow it (starting a running broker). */
  'NODE_STATE_CONFLICT',
  'TOPIC_NOT_FOUND',
  'TOPIC_EXISTS',
  'TOPIC_INVALID',
  'PARTITION_NOT_FOUND',
  'SETTING_INVALID',
  'GROUP_NOT_FOUND',
  /** The group has members; its offsets cannot be changed. */
  'GROUP_NOT_EMPTY',
  /** The query was closed, or the host was restarted since. Open it again. */
  'QUERY_NOT_FOUND',
  'QUERY_INVALID',
  /** Too many queries are open; close one. */
  'QUERY_LIMIT',
  'ROW_NOT_FOUND',
  /** The record was deleted by retention or compaction since it was found. */
  'RECORD_GONE',
  'RECORD_INVALID',
  'RECORD_TOO_LARGE',
  /** The typed name is not the name of what is to be changed. */
  'CONFIRMATION_MISMATCH',
  /** There is nothing to undo, or it was undone, or the state has moved on since. */
  'NOT_UNDOABLE',
  'NOT_FOUND',
  /** The sample workload is already running, or not running. */
  'SAMPLE_STATE_CONFLICT',
  /** Replicas have changed since the plan was shown, or the host was restarted: preview it again. */
  'PLAN_OUTDATED',
  /** A reassignment is under way that has to end first. */
  'REASSIGNMENT_CONFLICT',
  'INVALID_INPUT',
  /** These brokers do not offer the API that is needed. */
  'UNSUPPORTED',
  'UNAUTHORIZED',
  'TIMED_OUT',
  'CANCELLED',
  /** A broker answered with a Kafka error; `cause` is its name, as `NOT_ENOUGH_REPLICAS`. */
  'BROKER_ERROR',
  /** The console's own database failed. */
  'STORE_FAILED',
  /** The window has lost the host; made by the window, never sent by the host. */
  'HOST_LOST',
  'INTERNAL',
] as const

export type ProblemCode = (typeof problemCodes)[number]

/** What travels with a code. */
export interface ProblemData {
  /** What it happened to: a topic, a group, an address, a field. `null` when it is the call itself. */
  readonly subject: string | null
  /** What to do next, as a sentence; `null` when there is nothing better than trying again. */
  readonly advice: string | null
  /** The underlying reason: a Kafka error name, a system error code, another program's words. */
  readonly cause: string | null
}

/** A failure in the form the screen shows. */
export interface Problem extends ProblemData {
  readonly code: ProblemCode
  /** What happened, to what: one sentence. */
  readonly message: string
}

type ErrorMap = { readonly [Code in ProblemCode]: { readonly data: ReturnType<typeof type<ProblemData>> } }

/** Declared on every procedure, so that a client sees `code` and `data` typed. */
export const errorMap = Object.fromEntries(problemCodes.map((code) => [code, { data: type<ProblemData>() }])) as ErrorMap

const known: ReadonlySet<string> = new Set(problemCodes)

export function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && known.has(code)
}

/**
 * The `Problem` in whatever a call or a stream threw. An aborted call is `CANCELLED`; an error that is not the host's is a
 * lost connection.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof ORPCError) {
    const data = (error.data ?? {}) as Partial<ProblemData>
    return {
      code: isProblemCode(error.code) ? error.code : error.code === 'BAD_REQUEST' ? 'INVALID_INPUT' : 'INTERNAL',
      message: error.message,
      subject: data.subject ?? null,
      advice: data.advice ?? null,
      cause: data.cause ?? null,
    }
  }
  const name = error instanceof Error ? error.name : ''
  const message = error instanceof Error ? error.message : String(error)
  if (name === 'AbortError') {
    return { code: 'CANCELLED', message: 'The call was cancelled.', subject: null, advice: null, cause: null }
  }
  return {
    code: 'HOST_LOST',
    message: 'The connection to the Weir host was lost.',
    subject: null,
    advice: 'It is restored by itself when the host is back.',
    cause: message,
  }
}
