/**
 * The rows of all partitions in one order: by timestamp across partitions, by offset within one.
 *
 * A row may be given out once no partition can still bring one that belongs before it: every other partition is done, has a
 * later row waiting, or has read past that time.
 */
import type { NewRow } from './row-store.ts'

/** A partition as the merge sees it. */
export interface MergeSource {
  readonly partition: number
  /** Rows found, the next one last. */
  readonly pending: NewRow[]
  /** Everything that belongs before this time has been read. */
  readonly frontierMs: number
  readonly isDone: boolean
}

/** Positive when a belongs before b. */
type Precedence = (aMs: number, bMs: number) => number

export class Merge<Source extends MergeSource> {
  private readonly scans: readonly Source[]
  private readonly precedence: Precedence

  constructor(scans: readonly Source[], isNewestFirst: boolean) {
    this.scans = scans
    this.precedence = isNewestFirst ? (aMs, bMs) => aMs - bMs : (aMs, bMs) => bMs - aMs
  }

  /** Gives rows to `take`, in order, as long as their place is certain and `take` answers true. */
  drain(take: (row: NewRow) => boolean): void {
    const heap = new SourceHeap<Source>(this.precedence)
    let blockedMs: number | null = null
    const block = (scan: Source): void => {
      if (scan.isDone) return
      if (blockedMs === null || this.precedence(scan.frontierMs, blockedMs) > 0) blockedMs = scan.frontierMs
    }
    for (const scan of this.scans) {
      if (scan.pending.length > 0) heap.push(scan)
      else block(scan)
    }
    for (let scan = heap.pop(); scan !== null; scan = heap.pop()) {
      const row = scan.pending.at(-1)
      if (row === undefined) continue
      if (blockedMs !== null && this.precedence(row.timestampMs, blockedMs) < 0) return
      if (!take(row)) return
      scan.pending.pop()
      if (scan.pending.length > 0) heap.push(scan)
      else block(scan)
    }
  }

  /** Scans to read on, those first whose records belong first. */
  byNeed(scans: readonly Source[]): Source[] {
    return scans.filter((scan) => !scan.isDone).sort((a, b) => this.precedence(b.frontierMs, a.frontierMs) || a.partition - b.partition)
  }
}

/** Scans by their next row. */
class SourceHeap<Source extends MergeSource> {
  private readonly items: Source[] = []
  private readonly precedence: Precedence

  constructor(precedence: Precedence) {
    this.precedence = precedence
  }

  push(scan: Source): void {
    const { items } = this
    items.push(scan)
    let at = items.length - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.isBefore(at, parent)) return
      this.swap(at, parent)
      at = parent
    }
  }

  pop(): Source | null {
    const { items } = this
    const first = items[0]
    if (first === undefined) return null
    const last = items.pop()
    if (last !== undefined && items.length > 0) {
      items[0] = last
      this.sink()
    }
    return first
  }

  private sink(): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      let best = at
      if (left < this.items.length && this.isBefore(left, best)) best = left
      if (right < this.items.length && this.isBefore(right, best)) best = right
      if (best === at) return
      this.swap(at, best)
      at = best
    }
  }

  private isBefore(a: number, b: number): boolean {
    const [scanA, scanB] = [this.items[a], this.items[b]]
    if (scanA === undefined || scanB === undefined) return false
    const difference = this.precedence(scanA.pending.at(-1)?.timestampMs ?? 0, scanB.pending.at(-1)?.timestampMs ?? 0)
    return difference > 0 || (difference === 0 && scanA.partition < scanB.partition)
  }

  private swap(a: number, b: number): void {
    const [scanA, scanB] = [this.items[a], this.items[b]]
    if (scanA === undefined || scanB === undefined) return
    this.items[a] = scanB
    this.items[b] = scanA
  }
}
