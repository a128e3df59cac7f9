/**
 * A network in memory, shared by all processes of a simulated world. Bytes of one connection arrive in order, after a
 * random latency; a cut link holds them back (and connecting across it times out) until it is healed, as TCP does.
 */
import type { SimulatedLoop, SimulatedProcess } from './sim-loop.ts'
import type { SimulatedRandom } from './sim-random.ts'
import { type Address, type Connection, type ConnectionHandlers, type Listener, type Transport, TransportError } from './types.ts'

const sendBufferBytes = 64 * 1024
const firstFreePort = 30_000

interface ListeningSocket {
  readonly address: Address
  readonly process: SimulatedProcess
  readonly onConnection: (connection: Connection) => void
}

export class SimulatedNetwork {
  readonly loop: SimulatedLoop
  readonly #random: SimulatedRandom
  readonly #latencyMsMax: number
  readonly #listeners = new Map<number, ListeningSocket>()
  readonly #connections = new Set<SimulatedConnection>()
  readonly #cutLinks = new Set<string>()
  readonly #slowLinks = new Map<string, number>()
  #nextPort = firstFreePort

  constructor(loop: SimulatedLoop, random: SimulatedRandom, latencyMsMax: number) {
    this.loop = loop
    this.#random = random
    this.#latencyMsMax = latencyMsMax
  }

  /** Nothing passes from process `from` to process `to` until healed. */
  cut(from: string, to: string): void {
    this.#cutLinks.add(linkName(from, to))
  }

  heal(from: string, to: string): void {
    this.#cutLinks.delete(linkName(from, to))
    for (const connection of this.#connections) connection.deliverHeld()
  }

  isCut(from: SimulatedProcess, to: SimulatedProcess): boolean {
    return this.#cutLinks.has(linkName(from.name, to.name))
  }

  /** Each write from `from` to `to` takes up to `extraMsMax` longer, and so may overtake those of other connections; 0 ends it. */
  delay(from: string, to: string, extraMsMax: number): void {
    if (extraMsMax > 0) this.#slowLinks.set(linkName(from, to), extraMsMax)
    else this.#slowLinks.delete(linkName(from, to))
  }

  /** Every connection between the two breaks; what is under way is lost. Returns how many there were. */
  reset(one: string, other: string): number {
    let count = 0
    for (const connection of [...this.#connections]) {
      const { peer } = connection
      if (peer === null || connection.owner.name !== one || peer.owner.name !== other) continue
      connection.break()
      peer.break()
      count++
    }
    return count
  }

  latencyMs(from: SimulatedProcess, to: SimulatedProcess | null): number {
    const extraMsMax = to === null || this.#slowLinks.size === 0 ? 0 : (this.#slowLinks.get(linkName(from.name, to.name)) ?? 0)
    return this.#random.fraction() * (this.#latencyMsMax + extraMsMax)
  }

  /** Its listeners vanish; its peers see their connections reset. */
  processEnded(process: SimulatedProcess): void {
    for (const [port, listener] of this.#listeners) if (listener.process === process) this.#listeners.delete(port)
    for (const connection of [...this.#connections]) if (connection.owner === process) connection.vanish()
  }

  forget(connection: SimulatedConnection): void {
    this.#connections.delete(connection)
  }

  boundTo(process: SimulatedProcess): Transport {
    return {
      listen: (at, onConnection) => this.#listen(process, at, onConnection),
      connect: (to, options) => this.#connect(process, to, options),
    }
  }

  async #listen(process: SimulatedProcess, at: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    const port = at.port === 0 ? this.#freePort() : at.port
    if (this.#listeners.has(port)) {
      throw new TransportError('EADDRINUSE', `cannot listen on ${at.host}:${port}: address already in use`)
    }
    const listener = { address: { host: at.host, port }, process, onConnection }
    this.#listeners.set(port, listener)
    return {
      address: listener.address,
      close: async () => {
        if (this.#listeners.get(port) === listener) this.#listeners.delete(port)
      },
    }
  }

  #freePort(): number {
    while (this.#listeners.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }

  #connect(process: SimulatedProcess, to: Address, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Connection> {
    const target = `${to.host}:${to.port}`
    return new Promise((resolve, reject) => {
      const fail = (code: string, message: string): void => {
        attempt.cancel()
        deadline.cancel()
        options.signal?.removeEventListener('abort', onAbort)
        reject(new TransportError(code, message))
      }
      const onAbort = (): void => fail('ABORTED', `connecting to ${target} was cancelled`)
      const attempt = this.loop.schedule(process, this.latencyMs(process, null), () => {
        const listener = this.#listeners.get(to.port)
        if (listener === undefined) return fail('ECONNREFUSED', `cannot connect to ${target}: connection refused`)
        // A SYN into a cut link is never answered: the deadline decides.
        if (this.isCut(process, listener.process) || this.isCut(listener.process, process)) return
        deadline.cancel()
        options.signal?.removeEventListener('abort', onAbort)
        resolve(this.#pair(process, listener))
      })
      const deadline = this.loop.schedule(process, options.timeoutMs, () =>
        fail('ETIMEDOUT', `${target} did not answer within ${options.timeoutMs} ms`),
      )
      if (options.signal?.aborted) onAbort()
      else options.signal?.addEventListener('abort', onAbort)
    })
  }

  #pair(process: SimulatedProcess, listener: ListeningSocket): Connection {
    const clientAddress = { host: '127.0.0.1', port: this.#freePort() }
    const client = new SimulatedConnection(this, process, clientAddress, listener.address)
    const server = new SimulatedConnection(this, listener.process, listener.address, clientAddress)
    client.peer = server
    server.peer = client
    this.#connections.add(client).add(server)
    this.loop.schedule(listener.process, 0, () => listener.onConnection(server))
    return client
  }
}

type Segment = { readonly kind: 'data'; readonly bytes: Buffer } | { readonly kind: 'close'; readonly error: TransportError | null }

export class SimulatedConnection implements Connection {
  readonly local: Address
  readonly remote: Address
  readonly owner: SimulatedProcess
  peer: SimulatedConnection | null = null
  pendingBytes = 0
  readonly #network: SimulatedNetwork
  #handlers: ConnectionHandlers | null = null
  /** Sent by the peer, held by a cut link or by our own `pause`. */
  #inbox: Segment[] = []
  #lastArrivalMs = 0
  #isPaused = false
  #hasEnded = false
  #isClosed = false
  #wantsDrain = false

  constructor(network: SimulatedNetwork, owner: SimulatedProcess, local: Address, remote: Address) {
    this.#network = network
    this.owner = owner
    this.local = local
    this.remote = remote
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isClosed || this.#hasEnded) return true
    const bytes = Buffer.concat(chunks)
    this.pendingBytes += bytes.length
    this.#send({ kind: 'data', bytes })
    this.#wantsDrain ||= this.pendingBytes >= sendBufferBytes
    return !this.#wantsDrain
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.deliverHeld()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.deliverHeld()
  }

  end(): void {
    if (this.#isClosed || this.#hasEnded) return
    this.#hasEnded = true
    this.#send({ kind: 'close', error: null })
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#send({ kind: 'close', error: new TransportError('ECONNRESET', `${this.local.host}:${this.local.port} reset the connection`) })
    this.#close(null)
  }

  /** The owner's process is gone: no handler of it runs, the peer sees a reset. */
  vanish(): void {
    this.#handlers = null
    this.destroy()
  }

  /** The network lost the connection: both ends learn of it by an error. */
  break(): void {
    this.#close(new TransportError('ECONNRESET', `the connection to ${this.remote.host}:${this.remote.port} was reset`))
  }

  deliverHeld(): void {
    this.#network.loop.schedule(this.owner, 0, () => this.#deliver())
  }

  #send(segment: Segment): void {
    const { peer } = this
    if (peer === null) return
    const { loop } = this.#network
    const arrivalMs = Math.max(peer.#lastArrivalMs, loop.monotonicMs() + this.#network.latencyMs(this.owner, peer.owner))
    peer.#lastArrivalMs = arrivalMs
    loop.schedule(null, arrivalMs - loop.monotonicMs(), () => {
      peer.#inbox.push(segment)
      if (loop.isPaused(peer.owner)) peer.deliverHeld()
      else peer.#deliver()
    })
  }

  #deliver(): void {
    const { peer } = this
    while (peer !== null && !this.#isClosed && this.#handlers !== null && !this.#network.isCut(peer.owner, this.owner)) {
      const next = this.#inbox[0]
      if (next === undefined || (this.#isPaused && next.kind === 'data')) return
      this.#inbox.shift()
      if (next.kind === 'data') {
        peer.#acknowledge(next.bytes.length)
        this.#handlers.onData(next.bytes)
      } else {
        if (!this.#hasEnded && next.error === null) this.end()
        this.#close(next.error)
      }
    }
  }

  #acknowledge(bytes: number): void {
    this.pendingBytes -= bytes
    if (!this.#wantsDrain || this.pendingBytes > 0 || this.#isClosed) return
    this.#wantsDrain = false
    this.#network.loop.schedule(this.owner, 0, () => this.#handlers?.onDrain?.())
  }

  #close(error: TransportError | null): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox = []
    this.#network.forget(this)
    const handlers = this.#handlers
    if (handlers !== null) this.#network.loop.schedule(this.owner, 0, () => handlers.onClose(error))
  }
}

function linkName(from: string, to: string): string {
  return `${from} -> ${to}`
}
