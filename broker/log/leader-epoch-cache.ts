/**
 * Which offsets were written under which leader epoch: the first offset of each epoch, ascending in both. It is what lets
 * a follower find where its log parts from the leader's (KIP-101, KIP-279).
 *
 * Owned by one log; `isChanged` tells it when the checkpoint file is behind.
 */
import type { EpochEntry } from './checkpoints.ts'
import type { EpochEndOffset } from './types.ts'

export const unknownEpochEnd: EpochEndOffset = { leaderEpoch: -1, endOffset: -1 }

export class LeaderEpochCache {
  #entries: EpochEntry[]
  isChanged = false

  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [...entries]
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  /**
   * `epoch` has a record at `startOffset`. Nothing changes when it is known to have begun before; what contradicts it
   * (later epochs, epochs that begin at or beyond) is dropped.
   */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0) return
    for (let last = this.#entries.at(-1); last !== undefined; last = this.#entries.at(-1)) {
      if (last.epoch === epoch && last.startOffset <= startOffset) return
      if (last.epoch < epoch && last.startOffset < startOffset) break
      this.#entries.pop()
      this.isChanged = true
    }
    this.#entries.push({ epoch, startOffset })
    this.isChanged = true
  }

  /** The end of the largest epoch <= `epoch`: the start of the next, or `logEndOffset` for the latest. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEndOffset {
    const { latestEpoch } = this
    if (epoch < 0 || latestEpoch < 0) return unknownEpochEnd
    if (epoch === latestEpoch) return { leaderEpoch: epoch, endOffset: logEndOffset }
    if (epoch > latestEpoch) return unknownEpochEnd
    const nextIndex = this.#entries.findIndex((entry) => entry.epoch > epoch)
    const next = this.#entries[nextIndex]
    const floor = this.#entries[nextIndex - 1]
    if (next === undefined) return unknownEpochEnd
    // Before the first known epoch: nothing of it is left here, so it ends where the log begins.
    if (floor === undefined) return { leaderEpoch: epoch, endOffset: next.startOffset }
    return { leaderEpoch: floor.epoch, endOffset: next.startOffset }
  }

  /** -1 when no epoch covers the offset. */
  epochForOffset(offset: number): number {
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const entry = this.#entries[index]
      if (entry !== undefined && entry.startOffset <= offset) return entry.epoch
    }
    return -1
  }

  truncateFromEnd(endOffset: number): void {
    while ((this.#entries.at(-1)?.startOffset ?? -1) >= endOffset) {
      this.#entries.pop()
      this.isChanged = true
    }
  }

  /** Drops epochs that ended before `startOffset`; the one that covers it now begins there. */
  truncateFromStart(startOffset: number): void {
    const kept = this.#entries.filter((entry, index) => (this.#entries[index + 1]?.startOffset ?? Infinity) > startOffset)
    const first = kept[0]
    if (first !== undefined && first.startOffset < startOffset) kept[0] = { epoch: first.epoch, startOffset }
    if (kept.length !== this.#entries.length || kept[0] !== first) this.isChanged = true
    this.#entries = kept
  }

  clear(): void {
    this.isChanged ||= this.#entries.length > 0
    this.#entries = []
  }
}
