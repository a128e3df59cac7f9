/**
 * The port through which processes are made. Under Node it forks this very Node; under Electron the same call runs
 * Electron's own binary as Node, which ELECTRON_RUN_AS_NODE asks for. What is run is the bundle beside this one, or the
 * `.ts` source when this file itself runs from source.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asNodeMessage, type FromNode, type NodeConfig, type ToNode } from './node-protocol.ts'

export interface NodeProcessExit {
  readonly code: number | null
  readonly signal: string | null
  /** Why it could not even be started. */
  readonly failure: string | null
}

export interface NodeProcessHandlers {
  onMessage(message: FromNode): void
  /** Exactly once. */
  onExit(exit: NodeProcessExit): void
}

export interface NodeProcess {
  /** `null` when it could not be started. */
  readonly pid: number | null
  /** Lost without error when the process is gone: its exit says so. */
  send(message: ToNode): void
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

export interface Launcher {
  launch(config: NodeConfig, options: { readonly logFile: string }, handlers: NodeProcessHandlers): NodeProcess
}

/** A node's log is set aside as `<name>.previous` when it is larger than this at a start. */
const logBytesMax = 8 * 1024 * 1024

/**
 * A node's one thread is what clients wait for, and several nodes share the machine. With V8's defaults each of them compiles and
 * marks on four more threads at a time, and marks a heap of 15 MB every few seconds, so that now and then no core is left
 * for whoever holds a record. One helper thread, marking once the heap has 64 MB and then three times what was alive, and compilers
 * that take their time (efficiency mode) halve the 99th percentile of the end-to-end latency; throughput stays as it was
 * (test/bench/ANALYSIS.md). Under Electron, whose binary is not Node's, its own defaults stay.
 */
const v8Options =
  'electron' in process.versions
    ? []
    : ['--v8-pool-size=1', '--initial-old-space-size=64', '--heap-growing-percent=200', '--efficiency-mode']

export function createLauncher(options: { readonly execArgv?: readonly string[] } = {}): Launcher {
  const execArgv = [...v8Options, ...(options.execArgv ?? [])]
  return {
    launch(config, { logFile }, handlers) {
      const log = openLog(logFile)
      try {
        const child = fork(nodeEntry(), [], {
          execArgv,
          stdio: ['ignore', log, log, 'ipc'],
          // A session of its own: the terminal's Ctrl-C is for the owner alone, who then stops its nodes in order.
          detached: true,
          env: nodeEnvironment(config),
        })
        return track(child, handlers)
      } finally {
        closeSync(log)
      }
    },
  }
}

export function nodeEntry(): string {
  const isSource = import.meta.filename.endsWith('.ts')
  return isSource ? join(import.meta.dirname, '../node/main.ts') : join(import.meta.dirname, 'node-main.js')
}

/** Keeps this process alive while it owns a cluster, even at moments when nothing else is pending. */
export function holdProcess(): { release(): void } {
  const longestMs = 2_147_483_647
  const handle = setInterval(() => undefined, longestMs)
  return { release: () => clearInterval(handle) }
}

function nodeEnvironment(config: NodeConfig): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, WEIR_NODE_CONFIG: JSON.stringify(config) }
  if ('electron' in process.versions) environment['ELECTRON_RUN_AS_NODE'] = '1'
  return environment
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  const present = statSync(path, { throwIfNoEntry: false })
  if (present !== undefined && present.size > logBytesMax) renameSync(path, `${path}.previous`)
  return openSync(path, 'a', 0o600)
}

function track(child: ChildProcess, handlers: NodeProcessHandlers): NodeProcess {
  let isOver = false
  const end = (exit: NodeProcessExit): void => {
    if (isOver) return
    isOver = true
    handlers.onExit(exit)
  }
  child.on('message', (raw) => {
    const message = asNodeMessage(raw)
    if (message !== null && !isOver) handlers.onMessage(message)
  })
  child.on('error', (error) => {
    // Also reported for a failed send or signal to a living process; only a process that never was is over.
    if (child.pid === undefined) end({ code: null, signal: null, failure: error.message })
  })
  child.on('exit', (code, signal) => end({ code, signal, failure: null }))
  return {
    pid: child.pid ?? null,
    send(message) {
      if (!isOver && child.connected) child.send(message, () => undefined)
    },
    signal(name) {
      if (!isOver) child.kill(name)
    },
  }
}
