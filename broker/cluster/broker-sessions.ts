/**
 * Which brokers have been heard of lately. Soft state of the active controller: a new one starts with every unfenced broker
 * given a full session, so that a change of controller fences nobody.
 *
 * Times are monotonic milliseconds, passed in.
 */
import type { MetadataImage } from './image.ts'

const BROKER_SESSION_TIMEOUT_MS = 9_000

interface Session {
  readonly brokerEpoch: number
  readonly lastContactMs: number
  /** How far the broker has applied the metadata log, as it last said. */
  readonly metadataOffset: number
}

export class BrokerSessions {
  readonly #timeoutMs: number
  readonly #sessions = new Map<number, Session>()
  /** Broker -> the offset at which its shutdown began. */
  readonly #shutdowns = new Map<number, number>()

  constructor(image: MetadataImage, nowMs: number, timeoutMs: number = BROKER_SESSION_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
    for (const { id, fenced, brokerEpoch, inControlledShutdown } of image.brokers.values()) {
      if (fenced) continue
      this.#sessions.set(id, { brokerEpoch, lastContactMs: nowMs, metadataOffset: -1 })
      if (inControlledShutdown) this.#shutdowns.set(id, image.offset)
    }
  }

  touch(brokerId: number, contact: { readonly brokerEpoch: number; readonly metadataOffset: number; readonly nowMs: number }): void {
    const { brokerEpoch, metadataOffset, nowMs } = contact
    if (this.#sessions.get(brokerId)?.brokerEpoch !== brokerEpoch) this.#shutdowns.delete(brokerId)
    this.#sessions.set(brokerId, { brokerEpoch, lastContactMs: nowMs, metadataOffset })
  }

  has(brokerId: number, nowMs: number): boolean {
    const session = this.#sessions.get(brokerId)
    return session !== undefined && nowMs - session.lastContactMs < this.#timeoutMs
  }

  /** Ends a session before its time: someone saw the process end, or the broker is fenced or gone. */
  end(brokerId: number): void {
    this.#sessions.delete(brokerId)
    this.#shutdowns.delete(brokerId)
  }

  /** Unfenced brokers whose session has run out or was ended. Sessions that ran out are forgotten. */
  takeExpired(image: MetadataImage, nowMs: number): number[] {
    for (const id of [...this.#sessions.keys()]) if (!this.has(id, nowMs)) this.end(id)
    return [...image.brokers.values()].filter(({ id, fenced }) => !fenced && !this.#sessions.has(id)).map(({ id }) => id)
  }

  /** Until the next session runs out; null when there is none. */
  nextExpiryMs(nowMs: number): number | null {
    const expiries = [...this.#sessions.values()].map(({ lastContactMs }) => lastContactMs + this.#timeoutMs - nowMs)
    return expiries.length === 0 ? null : Math.max(0, Math.min(...expiries))
  }

  beginShutdown(brokerId: number, atOffset: number): void {
    this.#shutdowns.set(brokerId, atOffset)
  }

  shutdownOffset(brokerId: number): number | null {
    return this.#shutdowns.get(brokerId) ?? null
  }

  /** The metadata offset every live broker other than `exceptId` has reached. */
  lowestActiveOffset(image: MetadataImage, exceptId: number, nowMs: number): number {
    const others = [...this.#sessions].filter(([id]) => id !== exceptId && image.isUnfenced(id) && this.has(id, nowMs))
    return Math.min(Number.MAX_SAFE_INTEGER, ...others.map(([, { metadataOffset }]) => metadataOffset))
  }
}
