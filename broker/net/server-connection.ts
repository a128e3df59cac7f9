/**
 * One accepted connection: its frames go into the request pipeline, which answers; this is its life around that.
 *
 *   preamble -> open      the first frame proves the secret (listeners that demand it; others begin open)
 *   open     -> draining  the listener closes: nothing more is read, what was started is still answered
 *   any      -> closed    the peer went away, broke the protocol or was idle, or a reply asked for the end
 *
 * Reading stops while the pipeline is full and resumes when it is not.
 */
import type { Address, Connection, Env, Timer, TransportError } from '../env/types.ts'
import { FrameSizeError, FrameSplitter } from './frame.ts'
import type { HeldBytesBudget } from './held-bytes.ts'
import { describeOpening } from './peer-diagnosis.ts'
import { PREAMBLE_BYTES_MAX, decodePreamble } from './preamble.ts'
import { RequestPipeline } from './request-pipeline.ts'
import { ConnectionStatistics } from './connection-statistics.ts'
import { ConnectionRefused } from './types.ts'
import type { ConnectionStats, PeerIdentity, RequestHandler, ServerConnection, ServerLimits } from './types.ts'

/** After its end a connection may take this long to hand over what is still unsent. */
const LINGER_MS = 5_000

export interface AcceptedConnectionOptions {
  readonly id: number
  readonly listenerName: string
  /** `null`: the connection begins open. */
  readonly secret: string | null
  readonly limits: ServerLimits
  readonly handler: RequestHandler
  readonly budget: HeldBytesBudget
  readonly onClosed: (connection: AcceptedConnection) => void
}

export class AcceptedConnection implements ServerConnection {
  readonly id: number
  readonly listenerName: string
  readonly remote: Address
  readonly local: Address
  session: unknown = null

  readonly #env: Env
  readonly #socket: Connection
  readonly #options: AcceptedConnectionOptions
  readonly #statistics: ConnectionStatistics
  readonly #splitter: FrameSplitter
  readonly #pipeline: RequestPipeline
  readonly #abort = new AbortController()
  #peer: PeerIdentity | null = null
  #state: 'preamble' | 'open' | 'draining' | 'closed'
  #isPaused = false
  #lingerTimer: Timer | null = null
  #lastActivityMs: number

  constructor(env: Env, socket: Connection, options: AcceptedConnectionOptions) {
    this.#env = env
    this.#socket = socket
    this.#options = options
    this.id = options.id
    this.listenerName = options.listenerName
    this.remote = socket.remote
    this.local = socket.local
    this.#state = options.secret === null ? 'open' : 'preamble'
    this.#pipeline = new RequestPipeline(env, socket, options.limits, {
      handle: (frame) => options.handler(frame, this),
      onFailed: (error) => this.#onHandlerFailed(error),
      onWritten: (bytes) => this.#onWritten(bytes),
      onChanged: () => this.#onChanged(),
      onEnded: (reason) => this.#onEnded(reason),
    })
    this.#statistics = new ConnectionStatistics(env.clock.nowMs())
    this.#splitter = new FrameSplitter({
      frameBytesMax: options.secret === null ? options.limits.frameBytesMax : PREAMBLE_BYTES_MAX,
    })
    this.#lastActivityMs = env.clock.monotonicMs()
    socket.setHandlers({
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onClose(error),
    })
  }

  get peer(): PeerIdentity | null {
    return this.#peer
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Memory this connection makes the process hold. */
  get heldBytes(): number {
    if (this.#state === 'closed') return 0
    return this.#splitter.heldBytes + this.#pipeline.heldBytes
  }

  get requestCount(): number {
    return this.#statistics.requestCount
  }

  get lastActivityMs(): number {
    return this.#lastActivityMs
  }

  /** Nothing is being worked on for the peer, or it does not take its answers. */
  get isIdle(): boolean {
    return this.#pipeline.inflightCount === 0 || this.#pipeline.unreadBytes > 0
  }

  setClientId(clientId: string): void {
    this.#statistics.clientId = clientId
  }

  setSoftware(name: string, version: string): void {
    this.#statistics.softwareName = name
    this.#statistics.softwareVersion = version
  }

  countRequest(apiKey: number): void {
    this.#statistics.countRequest(apiKey, this.#env.clock.nowMs())
  }

  recordError(text: string): void {
    this.#statistics.recordError(text, this.#env.clock.nowMs())
  }

  stats(): ConnectionStats {
    return this.#statistics.snapshot(this, this.#pipeline.inflightCount)
  }

  /** Closes now and says why in one line. */
  close(reason: string): void {
    if (this.#state === 'closed') return
    this.#env.log.write('warn', 'connection closed', { listener: this.listenerName, peer: this.#peerText(), reason })
    this.#finish()
    this.#socket.destroy()
  }

  /** Closes now without a line: idle, or the listener's own end. */
  drop(): void {
    if (this.#state === 'closed') return
    this.#finish()
    this.#socket.destroy()
  }

  /** Reads no more; closes when what was started has been answered. */
  drain(): void {
    if (this.#state === 'closed' || this.#state === 'draining') return
    this.#state = 'draining'
    this.#pipeline.dropWaiting()
    this.#onChanged()
  }

  // ------------------------------------------------------------------------------------------------------------ receiving

  #onData(chunk: Buffer): void {
    if (this.#state === 'closed' || this.#state === 'draining') return
    this.#lastActivityMs = this.#env.clock.monotonicMs()
    this.#statistics.bytesIn += chunk.length
    try {
      this.#splitter.push(chunk, (frame) => this.#onFrame(frame))
    } catch (error) {
      this.close(reasonOf(error))
      return
    }
    this.#pipeline.advance()
  }

  #onFrame(frame: Buffer): void {
    if (this.#state !== 'preamble') {
      this.#pipeline.push(frame)
      return
    }
    this.#peer = decodePreamble(frame, this.#options.secret as string)
    this.#state = 'open'
    this.#splitter.setFrameBytesMax(this.#options.limits.frameBytesMax)
  }

  #onDrain(): void {
    if (this.#state === 'closed') return
    this.#lastActivityMs = this.#env.clock.monotonicMs()
    this.#pipeline.onDrain()
  }

  // --------------------------------------------------------------------------------------------------- of the pipeline

  #onHandlerFailed(error: unknown): void {
    if (!(error instanceof ConnectionRefused)) {
      this.#env.log.write('error', 'a request handler failed', { peer: this.#peerText(), error: stackOf(error) })
    }
    this.close(reasonOf(error))
  }

  #onWritten(bytes: number): void {
    this.#statistics.bytesOut += bytes
    this.#lastActivityMs = this.#env.clock.monotonicMs()
  }

  #onEnded(reason: string): void {
    this.#env.log.write('info', 'connection ended', { listener: this.listenerName, peer: this.#peerText(), reason })
    this.#endGently()
  }

  #onChanged(): void {
    if (this.#state === 'closed') return
    if (this.#state === 'draining' && this.#pipeline.isDrained) {
      this.#endGently()
      return
    }
    const mustPause = this.#state === 'draining' || this.#pipeline.isFull
    if (mustPause !== this.#isPaused) {
      this.#isPaused = mustPause
      if (mustPause) this.#socket.pause()
      else this.#socket.resume()
    }
    this.#options.budget.update(this)
  }

  // ------------------------------------------------------------------------------------------------------------- the end

  #onClose(error: TransportError | null): void {
    this.#lingerTimer?.cancel()
    if (this.#state === 'closed') return
    if (error !== null) {
      this.#env.log.write('debug', 'connection lost', { listener: this.listenerName, peer: this.#peerText(), reason: error.message })
    }
    this.#finish()
  }

  /** Lets what was written out, but does not wait for ever for a peer that does not take it. */
  #endGently(): void {
    this.#finish()
    this.#socket.end()
    // What still comes is ignored, but only a socket that is read hears its peer close.
    this.#socket.resume()
    this.#lingerTimer = this.#env.timers.after(LINGER_MS, () => this.#socket.destroy())
  }

  #finish(): void {
    this.#state = 'closed'
    this.#pipeline.close()
    this.#options.budget.remove(this)
    this.#abort.abort()
    this.#options.onClosed(this)
  }

  #peerText(): string {
    const address = `${this.remote.host}:${this.remote.port}`
    return this.#peer === null ? address : `${address} (${this.#peer.role} ${this.#peer.nodeId})`
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof FrameSizeError) {
    const protocol = describeOpening(error.opening)
    return protocol === null ? error.message : `${error.message}; the peer speaks ${protocol}`
  }
  if (error instanceof ConnectionRefused) return error.message
  return 'internal error'
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
