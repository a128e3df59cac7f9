/** Asking several brokers at once, each failing for itself. */
import { ErrorCode } from '../../wire/errors.ts'
import { findCoordinator } from '../../api/10-find-coordinator.schema.ts'
import type { Call } from '../call.ts'
import { SEVERAL_COORDINATORS_SINCE } from '../coordinator-cache.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'

/** One broker gets this long; the others' answers do not wait longer for it. */
export const BROKER_ATTEMPT_MS = 10_000
/** Coordinators move: what failed for that is asked for again this often. */
const ROUNDS_MAX = 7
/** Keys of one FindCoordinator request. */
const KEYS_PER_REQUEST = 500
/** FindCoordinator requests under way at once, where a request takes a single key. */
const SINGLE_LOOKUPS_MAX = 32

export interface NodeFailure {
  readonly nodeId: number
  readonly error: ClientError
}

/** Asks those brokers, or every one known; results in the order of their ids. Rejects only when the cluster cannot be described or the call was cancelled. */
export async function askNodes<T>(
  core: ClientCore,
  nodeIds: readonly number[] | null,
  call: Call,
  ask: (nodeId: number) => Promise<T>,
): Promise<{ readonly answers: ReadonlyMap<number, T>; readonly failures: readonly NodeFailure[] }> {
  await core.cache.refresh([], call)
  const asked = nodeIds ?? [...core.cache.brokers.keys()].sort((left, right) => left - right)
  const outcomes = await Promise.allSettled(asked.map((nodeId) => ask(nodeId)))
  if (call.signal?.aborted) call.check()
  const answers = new Map<number, T>()
  const failures: NodeFailure[] = []
  outcomes.forEach((outcome, index) => {
    const nodeId = asked[index] as number
    if (outcome.status === 'fulfilled') answers.set(nodeId, outcome.value)
    else failures.push({ nodeId, error: ClientError.from(outcome.reason, { nodeId }) })
  })
  return { answers, failures }
}

/**
 * Asks the coordinators of these ids, several ids per request, until each has an answer or an error of its own.
 * `ask` returns an answer or an error per id; errors that mean "not here (yet)" are looked up and asked again.
 */
export async function askCoordinators<T>(
  core: ClientCore,
  ids: readonly string[],
  call: Call,
  ask: (nodeId: number, ids: readonly string[]) => Promise<ReadonlyMap<string, T | ClientError>>,
): Promise<ReadonlyMap<string, T | ClientError>> {
  const results = new Map<string, T | ClientError>()
  let pending = [...new Set(ids)]
  for (let round = 0; pending.length > 0 && round < ROUNDS_MAX; round++) {
    if (round > 0) await call.pause(core.retryDelayMs(round))
    const byNode = await findCoordinators(core, pending, call, results)
    await Promise.all(
      Array.from(byNode, async ([nodeId, own]) => {
        const answers = await ask(nodeId, own).catch((error: unknown) => {
          const failure = ClientError.from(error, { nodeId })
          return new Map(own.map((id) => [id, failure] as const))
        })
        for (const id of own) {
          const answer = answers.get(id)
          // Not `??`: null is the answer of those that have nothing to say but that it went well.
          results.set(id, answer === undefined ? missing(id) : answer)
        }
      }),
    )
    if (call.signal?.aborted) call.check()
    pending = pending.filter((id) => isElsewhere(results.get(id)))
    for (const id of pending) core.coordinators.forget(id)
    if (call.remainingMs === 0) break
  }
  return results
}

function isElsewhere(result: unknown): boolean {
  if (!(result instanceof ClientError)) return false
  return result.kafkaError === null ? result.retriable : elsewhereErrors.has(result.kafkaError)
}

/** A coordinator's answers that another broker, or the same one later, gives differently. */
export const elsewhereErrors: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/** Groups ids by coordinator; those without one get their error into `results`. */
async function findCoordinators(
  core: ClientCore,
  ids: readonly string[],
  call: Call,
  results: Map<string, unknown>,
): Promise<Map<number, string[]>> {
  const byNode = new Map<number, string[]>()
  const place = (id: string, nodeId: number): void => {
    const list = byNode.get(nodeId)
    if (list === undefined) byNode.set(nodeId, [id])
    else list.push(id)
  }
  const unknown: string[] = []
  for (const id of ids) {
    const known = core.coordinators.known(id)
    if (known === undefined) unknown.push(id)
    else place(id, known)
  }
  if (unknown.length === 0) return byNode
  const connection = await core.anyConnection(call)
  const takesSeveral = connection.versions.pick(findCoordinator) >= SEVERAL_COORDINATORS_SINCE
  for (const slice of slices(unknown, takesSeveral ? KEYS_PER_REQUEST : SINGLE_LOOKUPS_MAX)) {
    const lookups = takesSeveral ? [core.coordinators.find(slice, call)] : slice.map((id) => core.coordinators.find([id], call))
    for (const found of await Promise.all(lookups)) {
      for (const [id, nodeId] of found) {
        if (nodeId instanceof ClientError) results.set(id, nodeId)
        else place(id, nodeId)
      }
    }
  }
  return byNode
}

export function* slices<T>(items: readonly T[], size: number): Generator<T[], void, undefined> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

function missing(id: string): ClientError {
  return new ClientError('MALFORMED_REPLY', `The coordinator's reply lacks "${id}".`)
}
