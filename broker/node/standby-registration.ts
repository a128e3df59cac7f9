/**
 * A controller that does not lead tells the one that does where it listens and what it supports (KIP-919): once per leader, again
 * until it is heard.
 */
import { controllerRegistration } from '../api/70-controller-registration.schema.ts'
import type { registerControllerRecord } from '../cluster/metadata-records.ts'
import type { Env } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import { ControllerCalls } from './controller-calls.ts'
import type { ControllerChannels } from './controller-channels.ts'
import type { QuorumDriver } from './quorum-driver.ts'

const REGISTRATION_TIMEOUT_MS = 5_000
const RETRY_MS = 1_000

export interface StandbyRegistrationOptions {
  readonly driver: QuorumDriver
  readonly channels: ControllerChannels
  readonly registration: () => Parameters<typeof registerControllerRecord>[0]
}

export class StandbyRegistration {
  readonly #env: Env
  readonly #options: StandbyRegistrationOptions
  readonly #calls: ControllerCalls
  readonly #closed = new AbortController()
  #leaderListeners: (() => void)[] = []
  /** The epoch whose leader has been told, or is being told. */
  #toldEpoch = -1

  constructor(env: Env, options: StandbyRegistrationOptions) {
    this.#env = env
    this.#options = options
    const { driver, channels } = options
    const leadership = {
      get leaderId() {
        return driver.state.leaderId
      },
      onceLeaderChanges: (listener: () => void) => {
        this.#leaderListeners.push(listener)
      },
    }
    this.#calls = new ControllerCalls(env, channels, leadership)
    driver.subscribe({ onRoleChanged: () => this.#onRoleChanged() })
  }

  close(): void {
    this.#closed.abort()
  }

  #onRoleChanged(): void {
    const listeners = this.#leaderListeners
    this.#leaderListeners = []
    for (const listener of listeners) listener()
    const { role, epoch } = this.#options.driver.state
    if (role.name !== 'follower' || epoch === this.#toldEpoch) return
    this.#toldEpoch = epoch
    void this.#tell(epoch)
  }

  async #tell(epoch: number): Promise<void> {
    const { endPoints: listeners, ...registration } = this.#options.registration()
    const options = { timeoutMs: REGISTRATION_TIMEOUT_MS, signal: this.#closed.signal }
    const isTold = await this.#calls.call(controllerRegistration, 0, { ...registration, listeners }, options).then(
      ({ errorCode }) => errorCode === ErrorCode.NONE,
      () => false,
    )
    if (isTold || this.#closed.signal.aborted || this.#toldEpoch !== epoch) return
    this.#env.timers.after(RETRY_MS, () => {
      if (this.#toldEpoch === epoch && !this.#closed.signal.aborted) void this.#tell(epoch)
    })
  }
}
