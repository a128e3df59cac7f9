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
      const byDutyMs = Math.min(pauseMaxMs, (elapsedMs * (1 - dutyShare)) / dutyShare)
      const either = AbortSignal.any([options.signal, skipPause.signal])
      await pause(env, wishedMs ?? Math.max(options.intervalMs, byDutyMs), either)
      if (skipPause.signal.aborted) skipPause = new AbortController()
    }
  }
  void run()
  return { hurry: () => skipPause.abort() }
}

/** `items` in runs of at most `size`. */
export function* slicesOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[], void, void> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}
