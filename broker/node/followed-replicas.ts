/**
 * The replicas that one fetcher copies, and from when on each may be fetched for.
 *
 * Invariant: one look at the clock tells both who is due and how long until the next one is. With two looks a replica
 * could become due in between, and be slept past for ever.
 */
import type { Clock } from '../env/types.ts'
import type { Partition } from './partition.ts'

export interface Followed {
  readonly partition: Partition
  readonly leaderEpoch: number
  /** Monotonic; not fetched for before. */
  notBeforeMs: number
  /** It came too fast: before the next fetch it is asked again whether that is made up for. */
  isThrottled: boolean
  failures: number
}

/** Notes what came for a replica; how long nothing more is to be asked for, 0 for not at all. */
export type ThrottleMs = (partition: Partition, bytes: number) => number

export interface DueReplicas {
  readonly due: readonly Followed[]
  /** Until another becomes due by itself; null when none will. */
  readonly nextAfterMs: number | null
}

const RETRY_SOON_MIN_MS = 10
const RETRY_SOON_MAX_MS = 500
/** replica.fetch.backoff.ms */
const RETRY_LATER_MS = 1_000
/** A pause is looked at again so often, as the rate that asks for it may change. */
const THROTTLE_CHECK_MS = 1_000

export class FollowedReplicas {
  readonly #clock: Clock
  readonly #leaderId: number
  readonly #throttleMs: ThrottleMs
  readonly #followed = new Map<string, Followed>()

  constructor(clock: Clock, leaderId: number, throttleMs: ThrottleMs) {
    this.#clock = clock
    this.#leaderId = leaderId
    this.#throttleMs = throttleMs
  }

  get size(): number {
    return this.#followed.size
  }

  /** Returns whether that is news. */
  add(partition: Partition, leaderEpoch: number): boolean {
    const key = keyOf(partition.topicId, partition.partition)
    const known = this.#followed.get(key)
    if (known?.partition === partition && known.leaderEpoch === leaderEpoch) return false
    this.#followed.set(key, { partition, leaderEpoch, notBeforeMs: 0, isThrottled: false, failures: 0 })
    return true
  }

  remove(partition: Partition): void {
    const key = keyOf(partition.topicId, partition.partition)
    if (this.#followed.get(key)?.partition === partition) this.#followed.delete(key)
  }

  clear(): void {
    this.#followed.clear()
  }

  /** Still followed in that epoch, from that leader, and not being cut. */
  isCurrent(followed: Followed): boolean {
    const { partition, leaderEpoch } = followed
    const leader = partition.followed
    if (leader?.leaderId !== this.#leaderId || leader.leaderEpoch !== leaderEpoch) return false
    return this.#followed.get(keyOf(partition.topicId, partition.partition)) === followed
  }

  look(): DueReplicas {
    const nowMs = this.#clock.monotonicMs()
    const due: Followed[] = []
    let nextMs = Infinity
    for (const followed of this.#followed.values()) {
      if (followed.isThrottled && followed.notBeforeMs <= nowMs) this.taken(followed, 0)
      if (followed.notBeforeMs > nowMs) nextMs = Math.min(nextMs, followed.notBeforeMs)
      else if (this.isCurrent(followed)) due.push(followed)
    }
    return { due, nextAfterMs: nextMs === Infinity ? null : nextMs - nowMs }
  }

  /** Notes what came: more than the rate allows is made up for by a pause (KIP-73). */
  taken(followed: Followed, bytes: number): void {
    const pauseMs = this.#throttleMs(followed.partition, bytes)
    followed.isThrottled = pauseMs > 0
    if (followed.isThrottled) this.holdBack(followed, Math.min(pauseMs, THROTTLE_CHECK_MS))
  }

  holdBack(followed: Followed, durationMs: number): void {
    followed.notBeforeMs = this.#clock.monotonicMs() + durationMs
  }

  /** For what passes by itself; longer each time. Returns how long that is. */
  retrySoon(followed: Followed): number {
    const delayMs = Math.min(RETRY_SOON_MAX_MS, RETRY_SOON_MIN_MS * 2 ** Math.min(followed.failures++, 10))
    this.holdBack(followed, delayMs)
    return delayMs
  }

  /** For what does not pass by itself. */
  retryLater(followed: Followed): void {
    this.holdBack(followed, RETRY_LATER_MS)
  }
}

export function keyOf(topicId: string, partition: number): string {
  return `${topicId}/${partition}`
}
