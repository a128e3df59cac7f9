/**
 * One node: its process, its state (the table is in types.ts, the transitions in node-state.ts) and what it was asked.
 * Owned by the cluster; only this file moves the state.
 */
import type { Env, Timer } from '../env/types.ts'
import type { Launcher, NodeProcess, NodeProcessExit } from './launcher.ts'
import type { FromNode, NodeConfig, NodeListener, ToNode } from './node-protocol.ts'
import { hasProcess, nextNodeState, type NodeEvent } from './node-state.ts'
import {
  RuntimeError,
  type NodeConnection,
  type NodeExit,
  type NodeRole,
  type NodeState,
  type NodeView,
  type RestartPolicy,
} from './types.ts'

export const STOP_WITHIN_MS = 15_000
const readyWithinMs = 120_000
const endWithinMs = 10_000
const connectionsWithinMs = 1_000
const restartBackoffMs = { first: 500, max: 30_000, forgottenAfter: 60_000 } as const

export interface NodeSpec {
  readonly id: number
  readonly role: NodeRole
  readonly dataDirectory: string
  readonly logFile: string
  readonly restart: RestartPolicy
  /** The voter that runs in this broker's process. */
  readonly voterId: number | null
  /** Where it will listen, when that is known before it does. */
  readonly port: number | null
  /** Made anew for every process: addresses change. */
  config(): NodeConfig | Promise<NodeConfig>
}

export interface NodeHooks {
  onChange(): void
  onListening(listeners: readonly NodeListener[]): void
  onProcess(event: 'started' | 'ended', pid: number): void
}

export interface SupervisedNode {
  readonly id: number
  readonly role: NodeRole
  readonly voterId: number | null
  view(): NodeView
  /** Makes the process; `untilState` tells how it went on. */
  launch(): void
  /** Resolves in one of these states; rejects with NODE_FAILED as soon as the process is gone and none of them is reached, or TIMED_OUT. */
  untilState(states: readonly NodeState[], timeoutMs: number): Promise<NodeView>
  start(): Promise<NodeView>
  /** Ends the broker of a process that holds a voter too. Resolves when that is done, took too long, or there is none. */
  leave(): Promise<void>
  stop(withinMs?: number): Promise<NodeView>
  kill(): Promise<NodeView>
  pause(): NodeView
  resume(): NodeView
  send(message: ToNode): void
  /** `null` when it does not answer in time. */
  connections(): Promise<readonly NodeConnection[] | null>
  setPort(port: number): void
  /** No restart by policy from now on. */
  retire(): void
}

export function createSupervisedNode(env: Env, launcher: Launcher, spec: NodeSpec, hooks: NodeHooks): SupervisedNode {
  let state: NodeState = 'stopped'
  let child: NodeProcess | null = null
  let port: number | null = spec.port
  let startedMs: number | null = null
  let exit: NodeExit | null = null
  let fatalReason: string | null = null
  let restarts = 0
  let backoffMs: number = restartBackoffMs.first
  let restartTimer: Timer | null = null
  let isRetired = false
  const stateWaiters = new Set<() => void>()
  const leaveWaiters = new Set<() => void>()
  const connectionWaiters = new Set<(list: readonly NodeConnection[] | null) => void>()

  const view = (): NodeView => ({
    id: spec.id,
    role: spec.role,
    state,
    pid: hasProcess(state) ? (child?.pid ?? null) : null,
    port,
    startedMs,
    exit,
    restarts,
    dataDirectory: spec.dataDirectory,
    logFile: spec.logFile,
  })

  /** Answers whether the state allowed it. */
  const move = (event: NodeEvent): boolean => {
    const next = nextNodeState(state, event)
    if (next === null) return false
    state = next
    hooks.onChange()
    for (const waiter of stateWaiters) waiter()
    return true
  }

  const demand = (event: NodeEvent, verb: string): void => {
    if (!move(event)) throw new RuntimeError('WRONG_STATE', `${name()} is ${state} and cannot be ${verb}.`)
  }

  const name = (): string => `${spec.role === 'broker' ? 'Broker' : 'Controller'} ${spec.id}`

  const onMessage = (message: FromNode): void => {
    switch (message.type) {
      case 'listening':
        hooks.onListening(message.listeners)
        break
      case 'ready':
        move('ready')
        break
      case 'fatal':
        fatalReason = message.reason
        break
      case 'connections':
        settleConnections(message.list)
        break
      case 'left':
        settleLeave()
        break
      case 'stopping':
      case 'stopped':
        // Its exit follows and says more.
        break
    }
  }

  const settleLeave = (): void => {
    for (const waiter of leaveWaiters) waiter()
    leaveWaiters.clear()
  }

  const settleConnections = (list: readonly NodeConnection[] | null): void => {
    for (const waiter of connectionWaiters) waiter(list)
    connectionWaiters.clear()
  }

  const onExit = (process: NodeProcess | null, { code, signal, failure }: NodeProcessExit): void => {
    if (process?.pid != null) hooks.onProcess('ended', process.pid)
    child = null
    exit = { code, signal, atMs: env.clock.nowMs(), reason: failure ?? fatalReason }
    settleConnections(null)
    settleLeave()
    const wasAsked = state === 'stopping'
    move(code === 0 ? 'exited-cleanly' : 'exited-badly')
    if (wasAsked) return
    env.log.write('warn', `${name()} ended unasked`, { code, signal, reason: exit.reason, log: spec.logFile })
    if (state === 'crashed' && spec.restart === 'on-failure' && !isRetired) restartLater()
  }

  const restartLater = (): void => {
    const livedMs = env.clock.nowMs() - (startedMs ?? 0)
    if (livedMs > restartBackoffMs.forgottenAfter) backoffMs = restartBackoffMs.first
    restartTimer = env.timers.after(backoffMs, () => {
      restartTimer = null
      if (isRetired || state !== 'crashed') return
      restarts += 1
      launch()
    })
    backoffMs = Math.min(backoffMs * 2, restartBackoffMs.max)
  }

  const launch = (): void => {
    restartTimer?.cancel()
    restartTimer = null
    fatalReason = null
    exit = null
    startedMs = env.clock.nowMs()
    demand('launch', 'started')
    void Promise.resolve(spec.config()).then(launchProcess, (error: unknown) => onExit(null, failedBefore(error)))
  }

  const launchProcess = (config: NodeConfig): void => {
    // Stopped or killed while its configuration was made: there is nothing to end.
    if (state !== 'starting') return onExit(null, { code: 0, signal: null, failure: null })
    try {
      const launched = launcher.launch(config, { logFile: spec.logFile }, { onMessage, onExit: (how) => onExit(launched, how) })
      child = launched
      if (launched.pid !== null) hooks.onProcess('started', launched.pid)
      hooks.onChange()
    } catch (error) {
      onExit(null, failedBefore(error))
    }
  }

  const failedBefore = (error: unknown): NodeProcessExit => ({
    code: null,
    signal: null,
    failure: error instanceof Error ? error.message : String(error),
  })

  const untilState = (states: readonly NodeState[], timeoutMs: number): Promise<NodeView> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        stateWaiters.delete(check)
        timer.cancel()
        act()
      }
      const check = (): void => {
        if (states.includes(state)) settle(() => resolve(view()))
        else if (!hasProcess(state)) settle(() => reject(failure()))
      }
      const timer = env.timers.after(timeoutMs, () =>
        settle(() =>
          reject(new RuntimeError('TIMED_OUT', `${name()} was still ${state} after ${timeoutMs / 1000} s. Its log: ${spec.logFile}`)),
        ),
      )
      stateWaiters.add(check)
      check()
    })

  const failure = (): RuntimeError => {
    const how = exit === null ? 'is not running' : `ended (${exit.reason ?? exit.signal ?? `exit code ${exit.code}`})`
    return new RuntimeError('NODE_FAILED', `${name()} ${how}. Its log: ${spec.logFile}`)
  }

  const stop = async (withinMs = STOP_WITHIN_MS): Promise<NodeView> => {
    if (cancelRestart()) return view()
    const wasPaused = state === 'paused'
    demand('stop', 'stopped')
    if (wasPaused) child?.signal('SIGCONT')
    child?.send({ type: 'stop' })
    const deadline = env.timers.after(withinMs, () => {
      env.log.write('warn', `${name()} did not stop in ${withinMs / 1000} s and is killed`)
      child?.signal('SIGKILL')
    })
    try {
      return await untilState(['stopped'], withinMs + endWithinMs)
    } finally {
      deadline.cancel()
    }
  }

  const leave = async (): Promise<void> => {
    if (spec.voterId === null || state !== 'running') return
    const { promise, resolve } = Promise.withResolvers<void>()
    leaveWaiters.add(resolve)
    const deadline = env.timers.after(STOP_WITHIN_MS, resolve)
    child?.send({ type: 'leave' })
    await promise
    deadline.cancel()
  }

  /** A crashed node that waits for its restart is stopped by not restarting it. */
  const cancelRestart = (): boolean => {
    if (restartTimer === null) return false
    restartTimer.cancel()
    restartTimer = null
    return true
  }

  const kill = (): Promise<NodeView> => {
    if (cancelRestart()) return Promise.resolve(view())
    demand('kill', 'killed')
    child?.signal('SIGKILL')
    return untilState(['stopped'], endWithinMs)
  }

  const signalled = (event: 'pause' | 'resume', verb: string): NodeView => {
    if (process.platform === 'win32') throw new RuntimeError('UNSUPPORTED', `Windows cannot stop a process: ${name()} cannot be ${verb}.`)
    demand(event, verb)
    child?.signal(event === 'pause' ? 'SIGSTOP' : 'SIGCONT')
    return view()
  }

  const connections = (): Promise<readonly NodeConnection[] | null> => {
    if (state !== 'running' || child === null) return Promise.resolve(null)
    const { promise, resolve } = Promise.withResolvers<readonly NodeConnection[] | null>()
    const isFirst = connectionWaiters.size === 0
    connectionWaiters.add(resolve)
    const timer = env.timers.after(connectionsWithinMs, () => {
      connectionWaiters.delete(resolve)
      resolve(null)
    })
    if (isFirst) child.send({ type: 'connections' })
    return promise.finally(() => timer.cancel())
  }

  return {
    id: spec.id,
    role: spec.role,
    voterId: spec.voterId,
    view,
    launch,
    untilState,
    start: () => {
      launch()
      return untilState(['running'], readyWithinMs)
    },
    leave,
    stop,
    kill: async () => kill(),
    pause: () => signalled('pause', 'paused'),
    resume: () => signalled('resume', 'resumed'),
    send: (message) => child?.send(message),
    connections,
    setPort(value) {
      port = value
      hooks.onChange()
    },
    retire() {
      isRetired = true
      cancelRestart()
    },
  }
}
