import { watchNpm } from './parent-watch.ts'

/** Aborted when this process is asked to end. */
export type Asked = AbortSignal

export interface CommandContext {
  readonly asked: Asked
  /** To be called once the command has done its start-up work. */
  readonly onReady: () => void
}

/**
 * Tells when this process is asked to end: SIGINT, SIGTERM or SIGHUP, or, when npm started it, the end of npm. A second signal ends it at
 * once; the watchdog then ends the nodes.
 */
export function untilAskedToEnd(): Asked {
  const asked = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The script that starts this bundle ends at once on them, as long as there is nothing to be stopped.
    process.removeAllListeners(signal)
    process.on(signal, () => {
      if (asked.signal.aborted) process.exit(1)
      asked.abort(new Error(`asked to end by ${signal}`))
    })
  }
  void watchNpm(() => asked.abort(new Error('asked to end by the end of npm')))
  // A reader that has gone must not end a cluster in the middle of its shutdown.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  return asked.signal
}

/** Resolves with what `start` does, or with `null` when it was given up because this process is to end. */
export async function unlessAsked<Started>(asked: Asked, start: () => Promise<Started>): Promise<Started | null> {
  try {
    return await start()
  } catch (error) {
    if (asked.aborted && error === asked.reason) return null
    throw error
  }
}

/** Resolves with `true` once `ready` has, or with `false` as soon as this process is asked to end. Rejects as `ready` does. */
export function readyBefore(asked: Asked, ready: Promise<unknown>): Promise<boolean> {
  return Promise.race([ready.then(() => true), whenAsked(asked).then(() => false)])
}

export function whenAsked(asked: Asked): Promise<void> {
  if (asked.aborted) return Promise.resolve()
  return new Promise((resolve) => asked.addEventListener('abort', () => resolve(), { once: true }))
}
