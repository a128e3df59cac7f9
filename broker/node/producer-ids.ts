/**
 * Producer ids for this broker's clients, from blocks the controller hands out: an id is given once in the life of the
 * cluster. The rest of a block is lost when the broker ends.
 *
 * One block is asked for at a time, and whoever needs an id meanwhile waits for it.
 */
import { allocateProducerIds } from '../api/67-allocate-producer-ids.schema.ts'
import { ControllerUnavailable, type ProducerIdSource } from '../api/context.ts'
import type { Logger } from '../env/types.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import type { ControllerCalls } from './controller-calls.ts'

const ALLOCATE_TIMEOUT_MS = 5_000

export interface ProducerIdsOptions {
  readonly nodeId: number
  readonly brokerEpoch: () => number
  readonly calls: Pick<ControllerCalls, 'call'>
  readonly log: Logger
}

type Granted = { readonly producerId: number } | { readonly error: ErrorCode }

export class ProducerIds implements ProducerIdSource {
  readonly #options: ProducerIdsOptions
  #nextId = 0
  #endId = 0
  #allocating: Promise<ErrorCode> | null = null

  constructor(options: ProducerIdsOptions) {
    this.#options = options
  }

  async next(): Promise<Granted> {
    while (this.#nextId === this.#endId) {
      this.#allocating ??= this.#allocate().finally(() => (this.#allocating = null))
      const error = await this.#allocating
      if (error !== ErrorCode.NONE) return { error }
    }
    return { producerId: this.#nextId++ }
  }

  /** What clients hear on failure is COORDINATOR_LOAD_IN_PROGRESS, which every one of them retries. */
  async #allocate(): Promise<ErrorCode> {
    const { nodeId, brokerEpoch, calls, log } = this.#options
    try {
      const request = { brokerId: nodeId, brokerEpoch: brokerEpoch() }
      const { errorCode, producerIdStart, producerIdLen } = await calls.call(allocateProducerIds, 0, request, {
        timeoutMs: ALLOCATE_TIMEOUT_MS,
      })
      if (errorCode === ErrorCode.NONE) {
        this.#nextId = producerIdStart
        this.#endId = producerIdStart + producerIdLen
        return ErrorCode.NONE
      }
      log.write('warn', 'the controller hands out no producer ids', { reason: errorName(errorCode) })
    } catch (error) {
      if (!(error instanceof ControllerUnavailable)) throw error
      log.write('warn', 'no producer ids to be had', { reason: error.message })
    }
    return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }
}
