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
  failures: number
}

export interface DueReplicas {
  readonly due: readonly Followed[]
  /** Until another becomes due by itself; null when none will. */
  readonly nextAfterMs: number | null
}

const RETRY_SOON_MIN_MS = 10
const RETRY_SOON_MAX_MS = 500
/** replica.fetch.backoff.ms */
const RETRY_LATER_MS = 1_000

export class FollowedReplicas {
  readonly #clock: Clock
  readonly #leaderId: number
  readonly #followed = new Map<string, Followed>()

  constructor(clock: Clock, leaderId: number) {
    this.#clock = clock
    this.#leaderId = leaderId
  }

  get size(): number {
    return this.#followed.size
  }

  /** Returns whether that is news. */
  add(partition: Partition, leaderEpoch: number): boolean {
    const key = keyOf(partition.topicId, partition.partition)
    const known = this.#followed.get(key)
    if (known?.partition === partition && known.leaderEpoch === leaderEpoch) return false
    this.#followed.set(key, { partition, leaderEpoch, notBeforeMs: 0, failures: 0 })
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
      if (followed.notBeforeMs > nowMs) nextMs = Math.min(nextMs, followed.notBeforeMs)
      else if (this.isCurrent(followed)) due.push(followed)
    }
    return { due, nextAfterMs: nextMs === Infinity ? null : nextMs - nowMs }
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
