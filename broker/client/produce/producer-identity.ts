import { initProducerId } from '../../api/22-init-producer-id.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { ProducerIdentity } from './producer-batch.ts'

/** 'if-possible': without, where the cluster gives out no producer ids. */
export type Idempotence = 'required' | 'if-possible' | 'off'

/** The newest version this producer knows the meaning of; v6 prepares transactions in two phases. */
const INIT_PRODUCER_ID_VERSION_MAX = 5

/**
 * Under which id a producer writes.
 *
 *   missing -> acquiring -> present    the cluster gave one out
 *              acquiring -> missing    it could not now; not asked again before a while has passed
 *              acquiring -> unneeded   it cannot at all, and the producer does without
 *   present -> missing                 the producer lost its place: only a new id makes sequences sure again
 */
export class IdentityKeeper {
  /** `null` while missing, and when unneeded. */
  identity: ProducerIdentity | null = null
  /** Monotonic. */
  #retryAtMs = 0
  readonly #core: ClientCore
  readonly #options: { readonly idempotence: Idempotence; readonly requestTimeoutMs: number; readonly signal: AbortSignal }
  #state: 'missing' | 'acquiring' | 'present' | 'unneeded'

  constructor(
    core: ClientCore,
    options: { readonly idempotence: Idempotence; readonly requestTimeoutMs: number; readonly signal: AbortSignal },
  ) {
    this.#core = core
    this.#options = options
    this.#state = options.idempotence === 'off' ? 'unneeded' : 'missing'
  }

  /** Whether records may be sent. */
  get isReady(): boolean {
    return this.#state === 'present' || this.#state === 'unneeded'
  }

  /** When to ask for an id, monotonic; never while none is missing. */
  get dueAtMs(): number {
    return this.#state === 'missing' ? this.#retryAtMs : Infinity
  }

  lose(): void {
    if (this.#state !== 'present') return
    this.#state = 'missing'
    this.identity = null
  }

  /** Asks the cluster. Resolves with what is wrong, `null` when ready. */
  async acquire(): Promise<ClientError | null> {
    this.#state = 'acquiring'
    const { requestTimeoutMs, signal, idempotence } = this.#options
    const call = this.#core.call('Getting a producer id', { timeoutMs: requestTimeoutMs, signal })
    try {
      this.identity = await this.#core.retrying(call, async () => {
        const reply = await this.#core.requestAny(initProducerId, { transactionalId: null, transactionTimeoutMs: 0x7fffffff }, call, {
          maxVersion: INIT_PRODUCER_ID_VERSION_MAX,
          isRepeatable: true,
        })
        if (reply.errorCode === ErrorCode.NONE) return { producerId: reply.producerId, producerEpoch: reply.producerEpoch }
        throw ClientError.ofBroker(reply.errorCode, 'No producer id was given out', { api: initProducerId.name })
      })
      this.#state = 'present'
      return null
    } catch (error) {
      const failure = ClientError.from(error)
      const isDispensable = failure.code === 'UNSUPPORTED_VERSION' && idempotence === 'if-possible'
      this.#state = isDispensable ? 'unneeded' : 'missing'
      this.#retryAtMs = this.#core.env.clock.monotonicMs() + this.#core.options.retryBackoffMaxMs
      return isDispensable ? null : failure
    }
  }
}
