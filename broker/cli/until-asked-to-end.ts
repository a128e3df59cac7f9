/**
 * Resolves when this process is asked to end: SIGINT, SIGTERM or SIGHUP, or, when npm started it, the end of its parent
 * (npm forwards signals, but cannot forward its own death). A second signal ends it at once; the watchdog then ends the nodes.
 */
export function untilAskedToEnd(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let isAsked = false
  const ask = (why: string): void => {
    if (isAsked) process.exit(1)
    isAsked = true
    resolve(why)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal))
  if (process.env['npm_lifecycle_event'] !== undefined) watchParent(() => isAsked || ask('the end of npm'))
  // A reader that has gone must not end a cluster in the middle of its shutdown.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  return promise
}

const parentPollMs = 300

function watchParent(onVanished: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return
    clearInterval(timer)
    onVanished()
  }, parentPollMs)
  timer.unref()
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
