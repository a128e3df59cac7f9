/**
 * Calls of a broker to the active controller, wherever it is: repeated when the controller moved, was not known yet, or
 * its connection broke, until one answered or time is up. For calls that may be carried out twice without harm.
 */
import { ControllerUnavailable } from '../api/context.ts'
import type { Env } from '../env/types.ts'
import { ChannelError } from '../net/channel-error.ts'
import type { ApiDefinition } from '../net/request-channel.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import type { ControllerChannels } from './controller-channels.ts'
import type { MetadataObserver } from './metadata-observer.ts'

export interface CallOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** How long to wait for news of a controller before looking again. */
const RETRY_MS = 50

export class ControllerCalls {
  readonly #env: Env
  readonly #channels: ControllerChannels
  readonly #observer: Pick<MetadataObserver, 'leaderId' | 'onceLeaderChanges'>
  /** Calls that wait for news; bounded by the callers' own bounds. */
  readonly #waiting = new Set<() => void>()
  #hearsLeader = false
  #hearsAddresses = false

  constructor(env: Env, channels: ControllerChannels, observer: Pick<MetadataObserver, 'leaderId' | 'onceLeaderChanges'>) {
    this.#env = env
    this.#channels = channels
    this.#observer = observer
  }

  /** Rejects with `ControllerUnavailable`. An answer other than NOT_CONTROLLER is an answer, whatever error it names. */
  async call<A extends ApiDefinition>(
    api: A,
    version: number,
    body: Encodable<A['request']>,
    options: CallOptions,
  ): Promise<Decoded<A['response']>> {
    const deadlineMs = this.#env.clock.monotonicMs() + options.timeoutMs
    let problem = 'no controller is known'
    for (;;) {
      const remainingMs = deadlineMs - this.#env.clock.monotonicMs()
      if (remainingMs <= 0 || options.signal?.aborted === true) {
        throw new ControllerUnavailable(`${api.name} got no answer from a controller in ${options.timeoutMs} ms: ${problem}`)
      }
      const { leaderId } = this.#observer
      if (leaderId !== null) {
        const outcome = await this.#attempt(leaderId, api, version, body, { ...options, timeoutMs: remainingMs })
        if (typeof outcome !== 'string') return outcome
        problem = outcome
      }
      await this.#news()
    }
  }

  /** The answer, or why there is none. */
  async #attempt<A extends ApiDefinition>(
    id: number,
    api: A,
    version: number,
    body: Encodable<A['request']>,
    options: CallOptions,
  ): Promise<Decoded<A['response']> | string> {
    try {
      const answer = await this.#channels.request({ id, purpose: 'call' }, api, version, body, options)
      const { errorCode } = answer as { errorCode?: number }
      return errorCode === ErrorCode.NOT_CONTROLLER ? `node ${id} is not the active controller` : answer
    } catch (error) {
      if (error instanceof ChannelError) return error.message
      throw error
    }
  }

  /** Resolves when another controller leads, an address is known, or it is time to look again. */
  #news(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#env.timers.after(RETRY_MS, wake)
      this.#waiting.add(wake)
      this.#listen()
    })
  }

  /** One registration each, however often is waited. */
  #listen(): void {
    const wakeAll = (): void => {
      for (const wake of this.#waiting) wake()
    }
    if (!this.#hearsLeader) {
      this.#hearsLeader = true
      this.#observer.onceLeaderChanges(() => {
        this.#hearsLeader = false
        wakeAll()
      })
    }
    if (!this.#hearsAddresses) {
      this.#hearsAddresses = true
      this.#channels.onceAddressesChange(() => {
        this.#hearsAddresses = false
        wakeAll()
      })
    }
  }
}
