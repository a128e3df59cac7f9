import { watchNpm } from './parent-watch.ts'

/**
 * Resolves when this process is asked to end: SIGINT, SIGTERM or SIGHUP, or, when npm started it, the end of npm. A second signal ends it at
 * once; the watchdog then ends the nodes.
 */
export function untilAskedToEnd(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let isAsked = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isAsked) process.exit(1)
      isAsked = true
      resolve(signal)
    })
  }
  void watchNpm(() => resolve('the end of npm'))
  // A reader that has gone must not end a cluster in the middle of its shutdown.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  return promise
}
