/** The environment of a real process: Node's clock, timers, randomness, files and sockets. Stateless apart from them. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { createRealDisk } from './real-disk.ts'
import { createRealTransport } from './real-transport.ts'
import { createStderrLogger } from './stderr-logger.ts'
import type { Clock, Env, Logger, Random, Scheduler, Timers } from './types.ts'

/** Binds `Env` to Node. `log` replaces the logger, which writes one line per call to stderr. */
export function createRealEnv(options: { readonly log?: Logger } = {}): Env {
  return {
    clock: realClock,
    timers: realTimers,
    random: realRandom,
    disk: createRealDisk(),
    transport: createRealTransport(),
    scheduler: realScheduler,
    log: options.log ?? createStderrLogger(),
  }
}

const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

const realTimers: Timers = {
  after(delayMs, callback) {
    // setTimeout treats longer delays as 1 ms; a timer that far away is re-armed instead.
    const longestDelayMs = 2_147_483_647
    let remainingMs = delayMs
    let handle: NodeJS.Timeout
    const arm = (): void => {
      const stepMs = Math.min(remainingMs, longestDelayMs)
      remainingMs -= stepMs
      handle = setTimeout(remainingMs > 0 ? arm : callback, stepMs)
      handle.unref()
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  },
}

const realRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (bound) => randomInt(bound),
  uuid() {
    for (;;) {
      const text = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
      // A leading dash reads as an option on a command line.
      if (!text.startsWith('-')) return text
    }
  },
}

const realScheduler: Scheduler = {
  afterTurn(callback) {
    setImmediate(callback)
  },
  yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
}
