/** Who coordinates which group or transaction, as far as is known. A hint like all metadata: errors call `forget`. */
import { findCoordinator } from '../api/10-find-coordinator.schema.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import type { VersionBounds } from './broker-connection.ts'
import type { Call } from './call.ts'
import { ClientError } from './error.ts'

export type CoordinatorType = 'group' | 'transaction'

export type CoordinatorFinder = (
  body: Encodable<typeof findCoordinator.request>,
  call: Call,
  options: VersionBounds & { readonly isRepeatable: true },
) => Promise<Decoded<typeof findCoordinator.response>>

const CACHED_MAX = 50_000
/** Several ids in one request (KIP-699). */
export const SEVERAL_COORDINATORS_SINCE = 4

export class CoordinatorCache {
  readonly #ask: CoordinatorFinder
  readonly #nodeIds = new Map<string, number>()

  constructor(ask: CoordinatorFinder) {
    this.#ask = ask
  }

  async of(id: string, type: CoordinatorType, call: Call): Promise<number> {
    const known = this.known(id, type)
    if (known !== undefined) return known
    const found = (await this.find([id], call, type)).get(id) as number | ClientError
    if (found instanceof ClientError) throw found
    return found
  }

  /** Without asking anyone. */
  known(id: string, type: CoordinatorType = 'group'): number | undefined {
    return this.#nodeIds.get(`${type} ${id}`)
  }

  /** A coordinator has moved, or does not answer. */
  forget(id: string, type: CoordinatorType = 'group'): void {
    this.#nodeIds.delete(`${type} ${id}`)
  }

  /** One request. Several ids need a broker that takes them (FindCoordinator v4). */
  async find(ids: readonly string[], call: Call, type: CoordinatorType = 'group'): Promise<ReadonlyMap<string, number | ClientError>> {
    const keyType = type === 'group' ? 0 : 1
    const [first] = ids as readonly [string, ...string[]]
    const reply = await this.#ask({ key: first, keyType, coordinatorKeys: ids }, call, {
      isRepeatable: true,
      ...(keyType !== 0 && { minVersion: 1 }),
      ...(ids.length > 1 && { minVersion: SEVERAL_COORDINATORS_SINCE }),
    })
    const found = new Map<string, number | ClientError>()
    const single = { ...reply, key: first }
    for (const { key, nodeId, errorCode, errorMessage } of reply.coordinators.length > 0 ? reply.coordinators : [single]) {
      if (errorCode === ErrorCode.NONE) this.#remember(`${type} ${key}`, nodeId)
      const details = { api: findCoordinator.name, text: errorMessage }
      found.set(
        key,
        errorCode === ErrorCode.NONE
          ? nodeId
          : ClientError.ofBroker(errorCode, `The coordinator of ${type} "${key}" cannot be found`, details),
      )
    }
    return found
  }

  #remember(key: string, nodeId: number): void {
    if (this.#nodeIds.size >= CACHED_MAX) this.#nodeIds.clear()
    this.#nodeIds.set(key, nodeId)
  }
}
