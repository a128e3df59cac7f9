/**
 * One node: its process, and what that was asked. Where the node is in its life is kept by node-life.ts, whether it comes back by
 * node-restarts.ts. Owned by the cluster. Invariant: at most one process at a time, and every one that was made is told to have ended.
 */
import type { Env } from '../env/types.ts'
import { AwaitedReply } from './awaited-reply.ts'
import type { Launcher, NodeProcess, NodeProcessExit } from './launcher.ts'
import { NodeLife } from './node-life.ts'
import type { FromNode, NodeConfig, NodeListener, ToNode } from './node-protocol.ts'
import { NodeRestarts } from './node-restarts.ts'
import { RuntimeError, type NodeConnection, type NodeRole, type NodeState, type NodeView, type RestartPolicy } from './types.ts'

export const STOP_WITHIN_MS = 15_000
const readyWithinMs = 120_000
const endWithinMs = 10_000
const connectionsWithinMs = 1_000

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
  return new ProcessNode(env, launcher, spec, hooks)
}

class ProcessNode implements SupervisedNode {
  readonly id: number
  readonly role: NodeRole
  readonly voterId: number | null
  readonly #env: Env
  readonly #launcher: Launcher
  readonly #spec: NodeSpec
  readonly #hooks: NodeHooks
  readonly #life: NodeLife
  readonly #restarts: NodeRestarts
  readonly #left: AwaitedReply<void>
  readonly #connections: AwaitedReply<readonly NodeConnection[] | null>
  #child: NodeProcess | null = null
  #port: number | null
  #fatalReason: string | null = null

  constructor(env: Env, launcher: Launcher, spec: NodeSpec, hooks: NodeHooks) {
    this.id = spec.id
    this.role = spec.role
    this.voterId = spec.voterId
    this.#env = env
    this.#launcher = launcher
    this.#spec = spec
    this.#hooks = hooks
    this.#life = new NodeLife(env, spec, () => hooks.onChange())
    this.#restarts = new NodeRestarts(env, spec.restart, () => this.launch())
    this.#left = new AwaitedReply<void>(env, undefined)
    this.#connections = new AwaitedReply<readonly NodeConnection[] | null>(env, null)
    this.#port = spec.port
  }

  view(): NodeView {
    return {
      id: this.id,
      role: this.role,
      state: this.#life.state,
      pid: this.#life.hasProcess ? (this.#child?.pid ?? null) : null,
      port: this.#port,
      startedMs: this.#life.startedMs,
      exit: this.#life.exit,
      restarts: this.#restarts.count,
      dataDirectory: this.#spec.dataDirectory,
      logFile: this.#spec.logFile,
    }
  }

  async untilState(states: readonly NodeState[], timeoutMs: number): Promise<NodeView> {
    await this.#life.until(states, timeoutMs)
    return this.view()
  }

  launch(): void {
    this.#restarts.cancel()
    this.#life.demand('launch', 'started')
    this.#fatalReason = null
    void Promise.resolve(this.#spec.config()).then(
      (config) => this.#launchProcess(config),
      (error: unknown) => this.#onExit(null, neverWas(error)),
    )
  }

  #launchProcess(config: NodeConfig): void {
    // Stopped or killed while its configuration was made: there is nothing to end.
    if (this.#life.state !== 'starting') return this.#onExit(null, { code: 0, signal: null, failure: null })
    try {
      const launched = this.#launcher.launch(
        config,
        { logFile: this.#spec.logFile },
        { onMessage: (message) => this.#onMessage(message), onExit: (how) => this.#onExit(launched, how) },
      )
      this.#child = launched
      if (launched.pid !== null) this.#hooks.onProcess('started', launched.pid)
      this.#hooks.onChange()
    } catch (error) {
      this.#onExit(null, neverWas(error))
    }
  }

  #onMessage(message: FromNode): void {
    switch (message.type) {
      case 'listening':
        this.#hooks.onListening(message.listeners)
        break
      case 'ready':
        this.#life.move('ready')
        break
      case 'fatal':
        this.#fatalReason = message.reason
        break
      case 'connections':
        this.#connections.settle(message.list)
        break
      case 'left':
        this.#left.settle()
        break
      case 'stopping':
      case 'stopped':
        // Its exit follows and says more.
        break
    }
  }

  #onExit(process: NodeProcess | null, { code, signal, failure }: NodeProcessExit): void {
    if (process?.pid != null) this.#hooks.onProcess('ended', process.pid)
    this.#child = null
    this.#connections.settle(null)
    this.#left.settle()
    const reason = failure ?? this.#fatalReason
    const wasAsked = this.#life.end({ code, signal, reason })
    if (wasAsked) return
    this.#env.log.write('warn', `${this.#life.name} ended unasked`, { code, signal, reason, log: this.#spec.logFile })
    if (this.#life.state === 'crashed') this.#restarts.onCrash(this.#env.clock.nowMs() - (this.#life.startedMs ?? 0))
  }

  async start(): Promise<NodeView> {
    this.launch()
    return this.untilState(['running'], readyWithinMs)
  }

  async leave(): Promise<void> {
    if (this.voterId === null || this.#life.state !== 'running') return
    const left = this.#left.wait(STOP_WITHIN_MS)
    this.send({ type: 'leave' })
    await left
  }

  /** A crashed node that waits for its restart is stopped by not restarting it. */
  async stop(withinMs = STOP_WITHIN_MS): Promise<NodeView> {
    if (this.#restarts.cancel()) return this.view()
    const wasPaused = this.#life.state === 'paused'
    this.#life.demand('stop', 'stopped')
    if (wasPaused) this.#child?.signal('SIGCONT')
    this.send({ type: 'stop' })
    const deadline = this.#env.timers.after(withinMs, () => {
      this.#env.log.write('warn', `${this.#life.name} did not stop in ${withinMs / 1000} s and is killed`)
      this.#child?.signal('SIGKILL')
    })
    try {
      return await this.untilState(['stopped'], withinMs + endWithinMs)
    } finally {
      deadline.cancel()
    }
  }

  async kill(): Promise<NodeView> {
    if (this.#restarts.cancel()) return this.view()
    this.#life.demand('kill', 'killed')
    this.#child?.signal('SIGKILL')
    return this.untilState(['stopped'], endWithinMs)
  }

  pause(): NodeView {
    return this.#freeze('pause', 'paused')
  }

  resume(): NodeView {
    return this.#freeze('resume', 'resumed')
  }

  #freeze(event: 'pause' | 'resume', verb: string): NodeView {
    if (process.platform === 'win32')
      throw new RuntimeError('UNSUPPORTED', `Windows cannot stop a process: ${this.#life.name} cannot be ${verb}.`)
    this.#life.demand(event, verb)
    this.#child?.signal(event === 'pause' ? 'SIGSTOP' : 'SIGCONT')
    return this.view()
  }

  send(message: ToNode): void {
    this.#child?.send(message)
  }

  async connections(): Promise<readonly NodeConnection[] | null> {
    if (this.#life.state !== 'running' || this.#child === null) return null
    const isAsked = this.#connections.isAwaited
    const reply = this.#connections.wait(connectionsWithinMs)
    if (!isAsked) this.send({ type: 'connections' })
    return reply
  }

  setPort(port: number): void {
    this.#port = port
    this.#hooks.onChange()
  }

  retire(): void {
    this.#restarts.retire()
  }
}

/** The end of a process that could not be made. */
function neverWas(error: unknown): NodeProcessExit {
  return { code: null, signal: null, failure: error instanceof Error ? error.message : String(error) }
}
