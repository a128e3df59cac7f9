/**
 * Where a node is in its life (the table is in types.ts, the transitions in node-state.ts), when it began and how it ended last, and who
 * waits for it to get somewhere. Only this file moves the state; every move is told.
 */
import type { Env } from '../env/types.ts'
import { hasProcess, nextNodeState, type NodeEvent } from './node-state.ts'
import { RuntimeError, type NodeExit, type NodeRole, type NodeState } from './types.ts'

export interface NodeIdentity {
  readonly id: number
  readonly role: NodeRole
  readonly logFile: string
}

export class NodeLife {
  readonly #env: Env
  readonly #identity: NodeIdentity
  readonly #onChange: () => void
  readonly #waiters = new Set<() => void>()
  #state: NodeState = 'stopped'
  #startedMs: number | null = null
  #exit: NodeExit | null = null

  constructor(env: Env, identity: NodeIdentity, onChange: () => void) {
    this.#env = env
    this.#identity = identity
    this.#onChange = onChange
  }

  get state(): NodeState {
    return this.#state
  }

  get hasProcess(): boolean {
    return hasProcess(this.#state)
  }

  /** When the present (or last) process was launched, wall clock. */
  get startedMs(): number | null {
    return this.#startedMs
  }

  /** Of the last process; `null` from its successor's launch on. */
  get exit(): NodeExit | null {
    return this.#exit
  }

  /** For people. */
  get name(): string {
    return `${this.#identity.role === 'broker' ? 'Broker' : 'Controller'} ${this.#identity.id}`
  }

  /** Answers whether the state allowed it. */
  move(event: NodeEvent): boolean {
    const next = nextNodeState(this.#state, event)
    if (next === null) return false
    if (event === 'launch') {
      this.#startedMs = this.#env.clock.nowMs()
      this.#exit = null
    }
    this.#state = next
    this.#onChange()
    for (const waiter of this.#waiters) waiter()
    return true
  }

  /** Throws WRONG_STATE when the state does not allow it. */
  demand(event: NodeEvent, verb: string): void {
    if (!this.move(event)) throw new RuntimeError('WRONG_STATE', `${this.name} is ${this.#state} and cannot be ${verb}.`)
  }

  /** Answers whether that was asked for. */
  end(exit: Omit<NodeExit, 'atMs'>): boolean {
    const wasAsked = this.#state === 'stopping'
    this.#exit = { ...exit, atMs: this.#env.clock.nowMs() }
    this.move(exit.code === 0 ? 'exited-cleanly' : 'exited-badly')
    return wasAsked
  }

  /** Resolves in one of these states; rejects with NODE_FAILED as soon as there is no process and none of them is reached, or TIMED_OUT. */
  until(states: readonly NodeState[], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiters.delete(check)
        timer.cancel()
        act()
      }
      const check = (): void => {
        if (states.includes(this.#state)) settle(resolve)
        else if (!this.hasProcess) settle(() => reject(this.#failure()))
      }
      const timer = this.#env.timers.after(timeoutMs, () => settle(() => reject(this.#overdue(timeoutMs))))
      this.#waiters.add(check)
      check()
    })
  }

  #failure(): RuntimeError {
    const exit = this.#exit
    const how = exit === null ? 'is not running' : `ended (${exit.reason ?? exit.signal ?? `exit code ${exit.code}`})`
    return new RuntimeError('NODE_FAILED', `${this.name} ${how}. Its log: ${this.#identity.logFile}`)
  }

  #overdue(timeoutMs: number): RuntimeError {
    const message = `${this.name} was still ${this.#state} after ${timeoutMs / 1000} s. Its log: ${this.#identity.logFile}`
    return new RuntimeError('TIMED_OUT', message)
  }
}
