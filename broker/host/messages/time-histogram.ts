/** Counts over time whose span is not known beforehand: the slots double in width whenever there are too many. */
const slotsMax = 4_096
const firstWidthMs = 100

export class TimeHistogram {
  private widthMs = firstWidthMs
  private counts = new Map<number, number>()

  add(timestampMs: number): void {
    const slot = Math.floor(timestampMs / this.widthMs)
    this.counts.set(slot, (this.counts.get(slot) ?? 0) + 1)
    while (this.counts.size > slotsMax) this.coarsen()
  }

  /** Counts in `buckets` equal parts of [fromMs, toMs); a slot counts where its middle lies. */
  into(buckets: number, fromMs: number, toMs: number): number[] {
    const result = new Array<number>(buckets).fill(0)
    const bucketMs = (toMs - fromMs) / buckets
    if (bucketMs <= 0) return result
    for (const [slot, count] of this.counts) {
      const middleMs = (slot + 0.5) * this.widthMs
      const bucket = Math.min(buckets - 1, Math.max(0, Math.floor((middleMs - fromMs) / bucketMs)))
      result[bucket] = (result[bucket] ?? 0) + count
    }
    return result
  }

  private coarsen(): void {
    const coarser = new Map<number, number>()
    for (const [slot, count] of this.counts) {
      const half = Math.floor(slot / 2)
      coarser.set(half, (coarser.get(half) ?? 0) + count)
    }
    this.counts = coarser
    this.widthMs *= 2
  }
}
