/**
 * A listener: accepts connections, bounds their number, ends idle ones.
 *
 * Each connection lives in server-connection.ts; the listener owns the set of them.
 */
import type { Address, Connection, Env, Listener, Timer } from '../env/types.ts'
import { HeldBytesBudget } from './held-bytes.ts'
import { AcceptedConnection } from './server-connection.ts'
import { defaultServerLimits } from './types.ts'
import type { ConnectionStats, ListenerOptions, RequestHandler, Server, ServerLimits } from './types.ts'

/** Idle connections are looked for this often, or four times per idle period if that is shorter. */
const IDLE_SWEEP_MS = 30_000
const CLOSE_GRACE_MS = 1_000

/** Listens and hands every request to `handler`. Rejects with a `TransportError` (EADDRINUSE ...) when it cannot. */
export async function serve(env: Env, options: ListenerOptions, handler: RequestHandler): Promise<Server> {
  const server = new ListeningServer(env, options, handler)
  await server.listen(options.address)
  return server
}

class ListeningServer implements Server {
  readonly name: string
  readonly #env: Env
  readonly #handler: RequestHandler
  readonly #secret: string | null
  readonly #limits: ServerLimits
  readonly #budget: HeldBytesBudget
  readonly #connections = new Set<AcceptedConnection>()
  #listener: Listener | null = null
  #sweepTimer: Timer | null = null
  #nextId = 1
  #isClosing = false
  #onAllClosed: (() => void) | null = null

  constructor(env: Env, options: ListenerOptions, handler: RequestHandler) {
    this.name = options.name
    this.#env = env
    this.#handler = handler
    this.#secret = options.preamble?.secret ?? null
    this.#limits = { ...defaultServerLimits, ...options.limits }
    this.#budget = new HeldBytesBudget(this.#limits.heldBytesMax)
  }

  get address(): Address {
    if (this.#listener === null) throw new Error(`listener ${this.name} is not up`)
    return this.#listener.address
  }

  async listen(at: Address): Promise<void> {
    this.#listener = await this.#env.transport.listen(at, (socket) => this.#onConnection(socket))
    this.#scheduleSweep()
  }

  connections(): ConnectionStats[] {
    return Array.from(this.#connections, (connection) => connection.stats())
  }

  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#sweepTimer?.cancel()
    const stopped = this.#listener?.close()
    await this.#drainAll(options.graceMs ?? CLOSE_GRACE_MS)
    await stopped
  }

  async #drainAll(graceMs: number): Promise<void> {
    const drained = new Promise<void>((resolve) => {
      this.#onAllClosed = resolve
    })
    const timer = this.#env.timers.after(graceMs, () => {
      for (const connection of [...this.#connections]) connection.drop()
    })
    for (const connection of [...this.#connections]) connection.drain()
    if (this.#connections.size > 0) await drained
    timer.cancel()
  }

  #onConnection(socket: Connection): void {
    if (this.#isClosing || !this.#makeRoom()) {
      socket.setHandlers({ onData: ignore, onClose: ignore })
      socket.destroy()
      if (!this.#isClosing) this.#sayRefused(socket)
      return
    }
    const connection = new AcceptedConnection(this.#env, socket, {
      id: this.#nextId++,
      listenerName: this.name,
      secret: this.#secret,
      limits: this.#limits,
      handler: this.#handler,
      budget: this.#budget,
      onClosed: (closed) => this.#onClosed(closed),
    })
    this.#connections.add(connection)
  }

  #onClosed(connection: AcceptedConnection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#onAllClosed?.()
  }

  /** Whether one more fits. At the bound, the longest silent connection that never asked anything makes room. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#limits.connectionsMax) return true
    let silent: AcceptedConnection | null = null
    for (const connection of this.#connections) {
      if (connection.requestCount > 0) continue
      if (silent === null || connection.lastActivityMs < silent.lastActivityMs) silent = connection
    }
    silent?.close(`made room: ${this.#limits.connectionsMax} connections are open and this one asked nothing yet`)
    return silent !== null
  }

  #sayRefused(socket: Connection): void {
    this.#env.log.write('warn', 'connection refused', {
      listener: this.name,
      peer: `${socket.remote.host}:${socket.remote.port}`,
      reason: `${this.#limits.connectionsMax} connections are open`,
    })
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.#env.timers.after(Math.min(IDLE_SWEEP_MS, this.#limits.idleMs / 4), () => {
      const silentSinceMs = this.#env.clock.monotonicMs() - this.#limits.idleMs
      for (const connection of [...this.#connections]) {
        if (connection.isIdle && connection.lastActivityMs <= silentSinceMs) connection.drop()
      }
      this.#scheduleSweep()
    })
  }
}

function ignore(): void {}
