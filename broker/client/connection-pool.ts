/**
 * The connections of one client: at most one per (address, lane), made when first asked for, made again with backoff.
 *
 *   idle -> connecting -> ready -> idle      lost, or unused for too long
 *           connecting -> waiting -> idle    failed; not tried again before the backoff is over, callers hear why at once
 *
 * The pool owns the connections; users borrow one per request and never close it.
 */
import type { Address, Env, Timer } from '../env/types.ts'
import { addressText } from '../net/request-channel.ts'
import { openBrokerConnection } from './broker-connection.ts'
import type { BrokerConnection, BrokerConnectionOptions } from './broker-connection.ts'
import type { Call } from './call.ts'
import { ClientError } from './error.ts'
import type { ConnectionView } from './types.ts'

export interface ConnectionPoolOptions extends BrokerConnectionOptions {
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly connectionIdleMs: number
}

/** A peer that let a request's deadline pass is asked last for this long. */
const SUSPECT_MS = 10_000

interface Slot {
  readonly address: Address
  readonly lane: string
  connection: BrokerConnection | null
  connecting: Promise<BrokerConnection> | null
  failureCount: number
  /** How often in a row the peer hung up on the first request. */
  refusedUnanswered: number
  retryAtMs: number
  suspectUntilMs: number
  lastError: ClientError | null
}

export class ConnectionPool {
  readonly #env: Env
  readonly #options: ConnectionPoolOptions
  readonly #slots = new Map<string, Slot>()
  readonly #abort = new AbortController()
  #idleTimer: Timer | null = null

  constructor(env: Env, options: ConnectionPoolOptions) {
    this.#env = env
    this.#options = options
    this.#scheduleIdleSweep()
  }

  /** A connection ready for use. Rejects with what is wrong; within the backoff at once, with the last failure. */
  async get(address: Address, lane: string, call: Call): Promise<BrokerConnection> {
    if (this.#abort.signal.aborted) throw closedError()
    const slot = this.#slot(address, lane)
    if (slot.connection?.isOpen) return slot.connection
    if (slot.connecting === null) {
      if (slot.lastError !== null && this.#env.clock.monotonicMs() < slot.retryAtMs) throw slot.lastError
      slot.connecting = this.#connect(slot)
      // A caller that no longer waits must not leave a rejection unheard.
      slot.connecting.catch(() => undefined)
    }
    return call.race(slot.connecting)
  }

  /** Lower is better: how promising it is to ask this address next. */
  rank(address: Address, lane: string): number {
    const slot = this.#slots.get(keyOf(address, lane))
    const nowMs = this.#env.clock.monotonicMs()
    if (slot === undefined) return 1
    if (slot.suspectUntilMs > nowMs) return 4
    if (slot.connection?.isOpen) return 0
    return slot.retryAtMs > nowMs ? 3 : 1
  }

  /** A request's deadline passed there. */
  suspect(address: Address, lane: string): void {
    const slot = this.#slots.get(keyOf(address, lane))
    if (slot !== undefined) slot.suspectUntilMs = this.#env.clock.monotonicMs() + SUSPECT_MS
  }

  isSuspect(address: Address, lane: string): boolean {
    return (this.#slots.get(keyOf(address, lane))?.suspectUntilMs ?? 0) > this.#env.clock.monotonicMs()
  }

  /** It has answered. */
  trust(address: Address, lane: string): void {
    const slot = this.#slots.get(keyOf(address, lane))
    if (slot !== undefined) slot.suspectUntilMs = 0
  }

  /** Closes every connection of a lane that is no longer needed. */
  closeLane(lane: string): void {
    for (const [key, slot] of this.#slots) {
      if (slot.lane !== lane) continue
      this.#slots.delete(key)
      slot.connection?.close('no longer needed')
      slot.connecting?.then(
        (connection) => connection.close('no longer needed'),
        () => undefined,
      )
    }
  }

  views(nodeIdOf: (address: string) => number | null): ConnectionView[] {
    return Array.from(this.#slots.values(), (slot) => ({
      nodeId: nodeIdOf(addressText(slot.address)),
      address: addressText(slot.address),
      lane: slot.lane,
      state: this.#stateOf(slot),
      inflightCount: slot.connection?.inflightCount ?? 0,
      lastError: slot.lastError,
    }))
  }

  close(): void {
    this.#idleTimer?.cancel()
    this.#abort.abort()
    for (const slot of this.#slots.values()) slot.connection?.close('the client was closed')
    this.#slots.clear()
  }

  #slot(address: Address, lane: string): Slot {
    const key = keyOf(address, lane)
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = {
        address,
        lane,
        connection: null,
        connecting: null,
        failureCount: 0,
        refusedUnanswered: 0,
        retryAtMs: 0,
        suspectUntilMs: 0,
        lastError: null,
      }
      this.#slots.set(key, slot)
    }
    return slot
  }

  async #connect(slot: Slot): Promise<BrokerConnection> {
    try {
      const connection = await openBrokerConnection(this.#env, slot.address, this.#options, { signal: this.#abort.signal })
      slot.connection = connection
      slot.failureCount = 0
      slot.suspectUntilMs = 0
      connection.onClosed(() => this.#onLost(slot, connection))
      return connection
    } catch (error) {
      const failure = this.#abort.signal.aborted ? closedError() : ClientError.from(error)
      this.#backOff(slot, failure)
      throw failure
    } finally {
      slot.connecting = null
    }
  }

  #onLost(slot: Slot, connection: BrokerConnection): void {
    if (slot.connection === connection) slot.connection = null
    if (!connection.wasRefusedUnanswered) {
      slot.refusedUnanswered = 0
      return
    }
    slot.refusedUnanswered++
    // Once may be a broker that just ended; twice in a row it is a listener that wants something else first.
    if (slot.refusedUnanswered < 2) return
    const address = addressText(slot.address)
    this.#backOff(
      slot,
      new ClientError(
        'AUTHENTICATION_REQUIRED',
        `${address} named its versions and then closed the connection on the first request. It most likely demands SASL authentication.`,
        { address },
      ),
    )
  }

  #backOff(slot: Slot, failure: ClientError): void {
    const { reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options
    const delayMs = Math.min(reconnectBackoffMaxMs, reconnectBackoffMs * 2 ** Math.min(slot.failureCount, 16))
    slot.failureCount++
    slot.lastError = failure
    if (failure.code === 'CONNECT_TIMED_OUT') this.suspect(slot.address, slot.lane)
    slot.retryAtMs = this.#env.clock.monotonicMs() + delayMs
  }

  #stateOf(slot: Slot): ConnectionView['state'] {
    if (slot.connection?.isOpen) return 'ready'
    if (slot.connecting !== null) return 'connecting'
    return slot.retryAtMs > this.#env.clock.monotonicMs() ? 'waiting' : 'closed'
  }

  #scheduleIdleSweep(): void {
    this.#idleTimer = this.#env.timers.after(this.#options.connectionIdleMs / 4, () => {
      const unusedSinceMs = this.#env.clock.monotonicMs() - this.#options.connectionIdleMs
      for (const [key, slot] of this.#slots) {
        if (slot.connecting !== null) continue
        if (slot.connection === null) this.#slots.delete(key)
        else if (slot.connection.inflightCount === 0 && slot.connection.lastUsedMs < unusedSinceMs) slot.connection.close('unused')
      }
      this.#scheduleIdleSweep()
    })
  }
}

function keyOf(address: Address, lane: string): string {
  return `${addressText(address)} ${lane}`
}

function closedError(): ClientError {
  return new ClientError('CLOSED', 'The client was closed.')
}
