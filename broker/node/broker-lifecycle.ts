/**
 * A broker's membership in the cluster, from its own side.
 *
 *   new        -> registered : the controller took the registration and named the broker epoch
 *   registered -> unfenced   : `unfence` was called and the controller answered a heartbeat so
 *   unfenced   -> registered : the controller fenced it; heartbeats go on and end that
 *   any        -> registered : the controller does not know the epoch any more; it registers anew, in the same life
 *   any        -> leaving    : `leave` was called; heartbeats ask to go until the controller agrees or time is up
 *
 * Heartbeats are sent one at a time, every `heartbeatIntervalMs`, and at once when what they say changes.
 */
import { brokerHeartbeat } from '../api/63-broker-heartbeat.schema.ts'
import { brokerRegistration } from '../api/62-broker-registration.schema.ts'
import { supportedFeatures } from '../cluster/features.ts'
import type { Endpoint } from '../cluster/image.ts'
import type { Env } from '../env/types.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import type { ControllerCalls } from './controller-calls.ts'

export interface BrokerLifecycleOptions {
  readonly nodeId: number
  readonly clusterId: string
  readonly calls: ControllerCalls
  readonly endpoints: readonly Endpoint[]
  readonly directoryId: string
  /** The log directory failed in this life. */
  readonly isDirectoryOffline: () => boolean
  /** Of this life, and of one before it that never heard its epoch. */
  readonly incarnationId: string
  /** Of the last life if it left all it wrote, -1 otherwise (KIP-966). */
  readonly previousBrokerEpoch: number
  readonly heartbeatIntervalMs: number
  readonly sessionTimeoutMs: number
  /** Offset of the last metadata record applied. */
  readonly metadataOffset: () => number
  /** The controller took a registration, the first or another. The epoch is not used before this has resolved. */
  readonly onRegistered: (brokerEpoch: number) => Promise<void>
}

const REGISTRATION_VERSION = 4
const HEARTBEAT_VERSION = 1
const REGISTRATION_RETRY_MS = 100
const LEAVING_HEARTBEAT_MS = 50
const UNFENCING_HEARTBEAT_MS = 50
const LEAVE_TIMEOUT_MS = 5_000

/** Answers that no repetition changes. */
const hopeless: ReadonlySet<number> = new Set([
  ErrorCode.INCONSISTENT_CLUSTER_ID,
  ErrorCode.UNSUPPORTED_VERSION,
  ErrorCode.INVALID_REGISTRATION,
])

export class BrokerLifecycle {
  readonly #env: Env
  readonly #options: BrokerLifecycleOptions
  readonly #closed = new AbortController()
  readonly #unfenced = Promise.withResolvers<void>()
  readonly #left = Promise.withResolvers<void>()
  #brokerEpoch = -1
  #wantsFence = true
  #isFenced = true
  #isLeaving = false
  #isBeating = false
  /** Something to say came up since the last heartbeat was put together. */
  #hasNews = false
  #endPause: () => void = () => undefined

  constructor(env: Env, options: BrokerLifecycleOptions) {
    this.#env = env
    this.#options = options
  }

  /** -1 until registered. */
  get brokerEpoch(): number {
    return this.#brokerEpoch
  }

  /**
   * Resolves with the broker epoch once the controller took the registration; rejects when it never will. Stays pending when it is
   * closed before: then nothing that waits for it may happen any more.
   */
  async register(): Promise<number> {
    await this.#register()
    if (this.#closed.signal.aborted) return new Promise<never>(() => undefined)
    if (!this.#isBeating) {
      this.#isBeating = true
      void this.#beat()
    }
    return this.#brokerEpoch
  }

  /** Ready to lead and serve. Resolves when the controller agrees. */
  unfence(): Promise<void> {
    this.#wantsFence = false
    this.#say()
    return this.#unfenced.promise
  }

  /**
   * Tells the controller at once how far the metadata has come here, for another broker waits to go until all have heard; or that
   * the disk failed, for somebody else must lead.
   */
  report(): void {
    this.#say()
  }

  /** Asks the controller to move leaderships away. Resolves when it has, or when it takes too long to wait for. */
  async leave(): Promise<void> {
    if (!this.#isBeating || this.#isLeaving) return
    this.#isLeaving = true
    this.#say()
    const timer = this.#env.timers.after(LEAVE_TIMEOUT_MS, () => {
      this.#env.log.write('warn', 'the controller did not let this broker go in time; it goes all the same', { waitedMs: LEAVE_TIMEOUT_MS })
      this.#left.resolve()
    })
    await this.#left.promise
    timer.cancel()
  }

  close(): void {
    this.#closed.abort()
    this.#left.resolve()
    this.#say()
  }

  async #register(): Promise<void> {
    const { nodeId, clusterId, endpoints, directoryId, incarnationId, previousBrokerEpoch, calls, sessionTimeoutMs } = this.#options
    const features = [...supportedFeatures].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
    const request = {
      brokerId: nodeId,
      clusterId,
      incarnationId,
      listeners: endpoints.map((endpoint) => ({ ...endpoint })),
      features,
      rack: null,
      logDirs: [directoryId],
      previousBrokerEpoch,
    }
    while (!this.#closed.signal.aborted) {
      this.#hasNews = false
      const { signal } = this.#closed
      const answer = await calls
        .call(brokerRegistration, REGISTRATION_VERSION, request, { timeoutMs: sessionTimeoutMs, signal })
        .catch((error: unknown) => {
          this.#env.log.write('warn', 'this broker is not registered yet', {
            reason: error instanceof Error ? error.message : String(error),
          })
          return null
        })
      if (answer?.errorCode === ErrorCode.NONE) {
        await this.#options.onRegistered(answer.brokerEpoch)
        this.#brokerEpoch = answer.brokerEpoch
        return
      }
      if (answer !== null) this.#refused(answer.errorCode)
      await this.#pause(REGISTRATION_RETRY_MS)
    }
  }

  #refused(errorCode: number): void {
    const reason = errorName(errorCode)
    if (hopeless.has(errorCode)) throw new Error(`the controller refuses broker ${this.#options.nodeId}: ${reason}`)
    this.#env.log.write('warn', 'the controller does not register this broker yet', { reason })
  }

  async #beat(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      const answer = await this.#heartbeat()
      if (answer !== null) await this.#heard(answer)
      await this.#pause(this.#heartbeatDelayMs())
    }
  }

  /** What this broker waits for, the next heartbeat may bring. */
  #heartbeatDelayMs(): number {
    if (this.#isLeaving) return LEAVING_HEARTBEAT_MS
    return this.#isFenced && !this.#wantsFence ? UNFENCING_HEARTBEAT_MS : this.#options.heartbeatIntervalMs
  }

  #say(): void {
    this.#hasNews = true
    this.#endPause()
  }

  /** Null when no controller answered within the session: the next heartbeat tries again. */
  #heartbeat(): Promise<Decoded<typeof brokerHeartbeat.response> | null> {
    const { nodeId, calls, sessionTimeoutMs, metadataOffset, directoryId, isDirectoryOffline } = this.#options
    this.#hasNews = false
    const request = {
      brokerId: nodeId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: metadataOffset(),
      wantFence: this.#wantsFence,
      wantShutDown: this.#isLeaving,
      offlineLogDirs: isDirectoryOffline() ? [directoryId] : [],
    }
    return calls
      .call(brokerHeartbeat, HEARTBEAT_VERSION, request, { timeoutMs: sessionTimeoutMs, signal: this.#closed.signal })
      .catch((error: unknown) => {
        if (!this.#closed.signal.aborted)
          this.#env.log.write('warn', 'no controller heard this broker', { reason: error instanceof Error ? error.message : String(error) })
        return null
      })
  }

  async #heard(answer: Decoded<typeof brokerHeartbeat.response>): Promise<void> {
    const { errorCode, isFenced, shouldShutDown } = answer
    if (errorCode === ErrorCode.STALE_BROKER_EPOCH || errorCode === ErrorCode.BROKER_ID_NOT_REGISTERED) {
      if (this.#isLeaving) return this.#left.resolve()
      this.#env.log.write('warn', 'the controller knows this broker no more; it registers anew', { reason: errorName(errorCode) })
      return this.#register().catch((error: unknown) => this.#unfenced.reject(error))
    }
    if (errorCode !== ErrorCode.NONE) {
      this.#env.log.write('warn', 'the controller refused a heartbeat', { reason: errorName(errorCode) })
      return
    }
    if (this.#isLeaving && shouldShutDown) return this.#left.resolve()
    if (isFenced !== this.#isFenced)
      this.#env.log.write('info', isFenced ? 'fenced by the controller' : 'unfenced', { brokerEpoch: this.#brokerEpoch })
    this.#isFenced = isFenced
    if (!isFenced) this.#unfenced.resolve()
  }

  /** Until then, or until there is something new to say. */
  #pause(ms: number): Promise<void> {
    if (this.#hasNews) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#env.timers.after(ms, resolve)
      this.#endPause = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
