/**
 * What a partition appended and its high watermark has not passed: whom to tell when it does, and how many bytes become
 * visible then. Ordered by end offset; owned by one partition.
 *
 * Bounded by the log's own bound on bytes appended and not yet written, and by the connections' bound on requests in
 * flight: an entry leaves when the high watermark passes it or leadership goes, whichever is first.
 */
import type { Timer, Timers } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'

interface PendingAppend {
  readonly endOffset: number
  readonly bytes: number
  readonly deadlineMs: number
  /** Null once answered, or when nobody waits. */
  answer: ((error: ErrorCode) => void) | null
}

export class PendingAppends {
  readonly #timers: Timers
  readonly #monotonicMs: () => number
  readonly #entries: PendingAppend[] = []
  #timer: Timer | null = null

  constructor(timers: Timers, monotonicMs: () => number) {
    this.#timers = timers
    this.#monotonicMs = monotonicMs
  }

  /** Notes an append that nobody waits for. */
  note(endOffset: number, bytes: number): void {
    this.#insert({ endOffset, bytes, deadlineMs: Infinity, answer: null })
  }

  /** Resolves with NONE when the high watermark reaches `endOffset`, REQUEST_TIMED_OUT after `timeoutMs`, or `fail`'s error. */
  wait(endOffset: number, bytes: number, timeoutMs: number): Promise<ErrorCode> {
    return new Promise((resolve) => {
      const deadlineMs = this.#monotonicMs() + timeoutMs
      this.#insert({ endOffset, bytes, deadlineMs, answer: resolve })
      this.#timer ??= this.#timers.after(timeoutMs, () => this.#expire())
    })
  }

  /** Acknowledges everything below `highWatermark`; returns the bytes that became visible. */
  reached(highWatermark: number): number {
    let passed = 0
    let bytes = 0
    for (const entry of this.#entries) {
      if (entry.endOffset > highWatermark) break
      passed++
      bytes += entry.bytes
      entry.answer?.(ErrorCode.NONE)
    }
    if (passed > 0) this.#entries.splice(0, passed)
    return bytes
  }

  /** Answers all who wait; their bytes may still become visible. */
  refuse(error: ErrorCode): void {
    for (const entry of this.#entries) {
      entry.answer?.(error)
      entry.answer = null
    }
  }

  /** Answers all who wait, and forgets everything. */
  fail(error: ErrorCode): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const entry of this.#entries.splice(0)) entry.answer?.(error)
  }

  #insert(entry: PendingAppend): void {
    // Nearly always last; only a duplicate of an earlier batch waits for an offset that others are behind.
    let index = this.#entries.length
    while (index > 0 && this.#entries[index - 1]!.endOffset > entry.endOffset) index--
    if (index === this.#entries.length) this.#entries.push(entry)
    else this.#entries.splice(index, 0, entry)
  }

  #expire(): void {
    this.#timer = null
    const nowMs = this.#monotonicMs()
    let nextMs = Infinity
    for (const entry of this.#entries) {
      if (entry.answer === null) continue
      if (entry.deadlineMs > nowMs) {
        nextMs = Math.min(nextMs, entry.deadlineMs)
        continue
      }
      entry.answer(ErrorCode.REQUEST_TIMED_OUT)
      entry.answer = null
    }
    if (nextMs !== Infinity) this.#timer = this.#timers.after(Math.max(1, nextMs - nowMs), () => this.#expire())
  }
}
