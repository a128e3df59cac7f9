/**
 * How fast replicas that are being moved may be copied (KIP-73): so that a reassignment leaves room for those who produce and read.
 *
 * Throttled are the replicas a topic names in follower.replication.throttled.replicas, while they are not in sync; they share one
 * rate per broker, follower.replication.throttled.rate. What came too fast is made up for by a pause.
 */

/** A pause is never longer: a rate that was set too low by mistake can be corrected meanwhile. */
const PAUSE_MS_MAX = 10_000
/** So much may come at once after a time without any, in seconds of the rate. */
const BURST_SECONDS = 1

/** `list` is "*" or comma-separated "partition:broker" pairs. */
export function isThrottled(list: string, partition: number, brokerId: number): boolean {
  if (list.trim() === '*') return true
  return list.split(',').some((pair) => pair.trim() === `${partition}:${brokerId}`)
}

export class ReplicationThrottle {
  /** Monotonic: by then, all that came so far is within the rate. */
  #evenAtMs = -Infinity

  /** Notes bytes that came; the pause, in milliseconds, that keeps to the rate. */
  spend(bytes: number, bytesPerSecond: number, nowMs: number): number {
    const from = Math.max(this.#evenAtMs, nowMs - BURST_SECONDS * 1_000)
    this.#evenAtMs = Math.min(from + (bytes / bytesPerSecond) * 1_000, nowMs + PAUSE_MS_MAX)
    return Math.max(0, this.#evenAtMs - nowMs)
  }
}
