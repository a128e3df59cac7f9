/**
 * The host process and the windows' way to it. Invariant: at most one host runs; every window that asked for a port gets one to the
 * present host, and another one whenever the host is a new one.
 *
 *   stopped -> running: start              running -> stopped: shutdown, and the host ended
 *   running -> waiting: the host ended unasked (windows are told)     waiting -> running: after a pause, longer each time
 */
import { MessageChannelMain, utilityProcess, type UtilityProcess, type WebContents } from 'electron'
import { HOST_LOST_MESSAGE, HOST_PORT_MESSAGE, type FromHost, type ToHost } from './channels.ts'

const restartPauseMs = { first: 300, max: 30_000, forgottenAfter: 60_000 } as const
/** The host stops its brokers in order first; they have 15 s each, side by side. */
const shutdownWithinMs = 40_000

export interface HostSupervisor {
  start(): void
  /** Gives this window a port to the host, now or when there is one. */
  connect(contents: WebContents): void
  /** Stops the cluster in order and ends the host; by force when that takes too long. */
  shutdown(): Promise<void>
}

export interface HostSupervisorOptions {
  /** Path of the host process's bundle. */
  readonly entry: string
  onMessage(message: FromHost): void
  onLost(exitCode: number): void
}

export function createHostSupervisor(options: HostSupervisorOptions): HostSupervisor {
  const windows = new Set<WebContents>()
  let host: UtilityProcess | null = null
  let isEnding = false
  let pauseMs: number = restartPauseMs.first
  let startedMs = 0
  let restartTimer: NodeJS.Timeout | null = null

  const start = (): void => {
    restartTimer = null
    startedMs = Date.now()
    const child = utilityProcess.fork(options.entry, [], { serviceName: 'Weir host', stdio: 'inherit' })
    host = child
    child.on('message', (message: FromHost) => options.onMessage(message))
    child.on('exit', (code) => onExit(child, code))
    for (const contents of windows) handPort(child, contents)
  }

  const onExit = (child: UtilityProcess, code: number): void => {
    if (host !== child) return
    host = null
    if (isEnding) return
    for (const contents of windows) if (!contents.isDestroyed()) contents.postMessage(HOST_LOST_MESSAGE, null)
    options.onLost(code)
    if (Date.now() - startedMs > restartPauseMs.forgottenAfter) pauseMs = restartPauseMs.first
    restartTimer = setTimeout(start, pauseMs)
    pauseMs = Math.min(pauseMs * 2, restartPauseMs.max)
  }

  const handPort = (child: UtilityProcess, contents: WebContents): void => {
    if (contents.isDestroyed()) return
    const { port1, port2 } = new MessageChannelMain()
    child.postMessage({ type: 'connect' } satisfies ToHost, [port1])
    contents.postMessage(HOST_PORT_MESSAGE, null, [port2])
  }

  const connect = (contents: WebContents): void => {
    if (!windows.has(contents)) {
      windows.add(contents)
      contents.once('destroyed', () => windows.delete(contents))
    }
    if (host !== null) handPort(host, contents)
  }

  const shutdown = (): Promise<void> => {
    isEnding = true
    if (restartTimer !== null) clearTimeout(restartTimer)
    const child = host
    if (child === null) return Promise.resolve()
    return new Promise((resolve) => {
      const deadline = setTimeout(() => child.kill(), shutdownWithinMs)
      child.once('exit', () => {
        clearTimeout(deadline)
        resolve()
      })
      child.postMessage({ type: 'shutdown' } satisfies ToHost)
    })
  }

  return { start, connect, shutdown }
}
