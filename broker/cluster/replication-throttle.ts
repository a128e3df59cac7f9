/**
 * How fast replicas that are being moved may be copied (KIP-73): so that a reassignment leaves room for those who produce and read.
 *
 * Throttled are the replicas a topic names, while they are not in sync; on one broker they share one rate for what it sends as a
 * leader and one for what it takes as a follower. What came too fast is made up for by a pause: over any time the rate is kept, but
 * for what one answer carries and for what went unused in `BURST_SECONDS`.
 */

/** Of a time without copying, so much is made up for at once. */
const BURST_SECONDS = 1

export type ThrottledSide = 'leader' | 'follower'

export const throttledReplicasSetting = (side: ThrottledSide): string => `${side}.replication.throttled.replicas`
export const throttledRateSetting = (side: ThrottledSide): string => `${side}.replication.throttled.rate`

const ALL = '*'

/** `list` is "*" or comma-separated "partition:broker" pairs. */
export function isThrottled(list: string, partition: number, brokerId: number): boolean {
  if (list.trim() === ALL) return true
  return list.split(',').some((pair) => pair.trim() === `${partition}:${brokerId}`)
}

/** What is wrong with such a list, as a sentence; null when nothing is. */
export function throttledReplicasProblem(setting: string, list: string): string | null {
  const pairs = list.split(',').map((pair) => pair.trim())
  if (list.trim() === ALL || pairs.every((pair) => pair === '' || /^\d+:\d+$/.test(pair))) return null
  return `${setting} must be "*" or partition:broker pairs such as 0:1,3:2, not ${JSON.stringify(list.slice(0, 200))}.`
}

/** A bucket that fills by the bytes copied and drains at the rate. Times are monotonic milliseconds, rates bytes a second. */
export class ReplicationThrottle {
  #filledBytes = 0
  #atMs = -Infinity

  note(bytes: number, rate: number, nowMs: number): void {
    this.#drain(rate, nowMs)
    this.#filledBytes += bytes
  }

  /** For how long nothing more may be copied. A rate that is changed meanwhile counts at once. */
  pauseMs(rate: number, nowMs: number): number {
    this.#drain(rate, nowMs)
    return Math.max(0, this.#filledBytes / rate - BURST_SECONDS) * 1_000
  }

  #drain(rate: number, nowMs: number): void {
    const elapsedSeconds = Math.max(0, nowMs - this.#atMs) / 1_000
    this.#atMs = Math.max(this.#atMs, nowMs)
    this.#filledBytes = elapsedSeconds === Infinity ? 0 : Math.max(0, this.#filledBytes - elapsedSeconds * rate)
  }
}
