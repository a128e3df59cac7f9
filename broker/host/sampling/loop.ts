import type { Env } from '../../env/types.ts'
import { pause } from '../rpc/waiting.ts'

/** Sampling takes at most this part of the time: a round that took 1 s is followed by a pause of at least 9 s. */
const dutyShare = 0.1
const pauseMaxMs = 60_000

export interface Round {
  /** Ends the pause before the next round, now or as soon as the running one is over. */
  hurry(): void
}

/**
 * Runs `round` again and again until `signal` aborts, never twice at a time. The pause is `intervalMs`, longer when rounds
 * are slow (large cluster, dead broker), or what the round answers. A round must not reject.
 */
export function runRounds(env: Env, options: { intervalMs: number; signal: AbortSignal; round: () => Promise<number | void> }): Round {
  let skipPause = new AbortController()
  const run = async (): Promise<void> => {
    while (!options.signal.aborted) {
      const startMs = env.clock.monotonicMs()
      const wishedMs = await options.round()
      const elapsedMs = env.clock.monotonicMs() - startMs
      const either = AbortSignal.any([options.signal, skipPause.signal])
      await pause(env, wishedMs ?? Math.max(options.intervalMs, pauseByDuty(elapsedMs)), either)
      if (skipPause.signal.aborted) skipPause = new AbortController()
    }
  }
  void run()
  return { hurry: () => skipPause.abort() }
}

/** Looked at closely for this long after something happened or was about to. */
const attentionMs = 6_000
const attentiveIntervalMs = 250

export interface AttentiveRound {
  /** Looks at once, and closely for a while: something happened. */
  attend(): void
}

export interface AttentivePace {
  attend(): void
  /** The pause after a round that took so long: short while attending, as long as rounds are quick. */
  pauseMs(elapsedMs: number): number
}

export function attentivePace(env: Env, intervalMs: number): AttentivePace {
  let attendsUntilMs = Number.NEGATIVE_INFINITY
  return {
    attend: () => void (attendsUntilMs = env.clock.monotonicMs() + attentionMs),
    pauseMs(elapsedMs) {
      const wishedMs = env.clock.monotonicMs() < attendsUntilMs ? attentiveIntervalMs : intervalMs
      return Math.max(wishedMs, pauseByDuty(elapsedMs))
    },
  }
}

function pauseByDuty(elapsedMs: number): number {
  return Math.min(pauseMaxMs, (elapsedMs * (1 - dutyShare)) / dutyShare)
}

/** `items` in runs of at most `size`. */
export function* slicesOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[], void, void> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}
