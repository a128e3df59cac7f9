/**
 * How fast a run copies, from the bytes seen at each look. The newest measurement counts most; after another limit was set, the first
 * one counts alone.
 */

const newestWeight = 0.4

export class CopyRate {
  #bytesPerSecond: number | null = null
  #last: { readonly bytes: number; readonly atMs: number } | null = null
  #isOutdated = false

  /** Takes what was copied by now; true when more has come than was there before. */
  measure(bytes: number | null, nowMs: number): boolean {
    const last = this.#last
    if (bytes === null || bytes === last?.bytes) return false
    this.#last = { bytes, atMs: nowMs }
    if (last !== null && nowMs > last.atMs) {
      const newest = (Math.max(0, bytes - last.bytes) * 1_000) / (nowMs - last.atMs)
      const former = this.#isOutdated ? null : this.#bytesPerSecond
      this.#bytesPerSecond = former === null ? newest : former + newestWeight * (newest - former)
      this.#isOutdated = false
    }
    return last === null || bytes > last.bytes
  }

  /** What held it back has changed. */
  outdate(nowMs: number): void {
    if (this.#last !== null) this.#last = { ...this.#last, atMs: nowMs }
    this.#isOutdated = true
  }

  /** Bytes per second, at most `ceiling`: a burst goes beyond a limit, but does not last. `null` until it was measured. */
  within(ceiling: number): number | null {
    return this.#bytesPerSecond === null ? null : Math.min(this.#bytesPerSecond, ceiling)
  }
}
