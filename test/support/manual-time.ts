/** A clock and timers that move only when told to. */
import type { Timers } from '../../broker/env/types.ts'

export interface ManualTime {
  readonly timers: Timers
  nowMs(): number
  /** Runs everything due on the way, in order. */
  advance(ms: number): void
}

export function manualTime(startMs = 0): ManualTime {
  let nowMs = startMs
  const due: { atMs: number; callback: () => void }[] = []
  const timers: Timers = {
    after(delayMs, callback) {
      const entry = { atMs: nowMs + delayMs, callback }
      due.push(entry)
      return {
        cancel() {
          const index = due.indexOf(entry)
          if (index >= 0) due.splice(index, 1)
        },
      }
    },
  }
  return {
    timers,
    nowMs: () => nowMs,
    advance(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const next = due.toSorted((one, other) => one.atMs - other.atMs)[0]
        if (next === undefined || next.atMs > untilMs) break
        due.splice(due.indexOf(next), 1)
        nowMs = next.atMs
        next.callback()
      }
      nowMs = untilMs
    },
  }
}
