/**
 * One accepted connection: frames in, handlers started in order, replies out in order, bounded in both directions.
 *
 *   preamble -> open      the first frame proves the secret (listeners that demand it; others begin open)
 *   open     -> draining  the listener closes, or a reply asks for the end: nothing more is read, answers still leave
 *   any      -> closed    the peer went away, broke the protocol or was idle; answers still to come are dropped
 *
 * Invariant: a request's handler starts only after the one before it said it is ordered, while the connection is not
 * muted and its unsent replies are within bounds. Reading stops when any bound is reached and resumes below it.
 */
import type { Address, Connection, Env, Timer, TransportError } from '../env/types.ts'
import { FrameSizeError, FrameSplitter } from './frame.ts'
import type { HeldBytesBudget } from './held-bytes.ts'
import { describeOpening } from './peer-diagnosis.ts'
import { Outbox } from './outbox.ts'
import { PREAMBLE_BYTES_MAX, decodePreamble } from './preamble.ts'
import { ReplyQueue } from './reply-queue.ts'
import type { ReplySlot } from './reply-queue.ts'
import { ConnectionStatistics } from './connection-statistics.ts'
import { ConnectionRefused } from './types.ts'
import type { ConnectionStats, PeerIdentity, Reply, RequestHandler, RequestHandling, ServerConnection, ServerLimits } from './types.ts'

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
  readonly #limits: ServerLimits
  readonly #statistics: ConnectionStatistics
  readonly #splitter: FrameSplitter
  readonly #replies = new ReplyQueue()
  readonly #abort = new AbortController()
  #peer: PeerIdentity | null = null
  #state: 'preamble' | 'open' | 'draining' | 'closed'
  /** Frames received and not yet started; more than one chunk's worth never gather, since reading stops. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** The last started handler has not yet said that the next may start. */
  #isOrdering = false
  /** Handlers that answer at once come back here while `#startWaiting` runs; its loop does not nest. */
  #isStarting = false
  #isPaused = false
  #muteTimer: Timer | null = null
  #lingerTimer: Timer | null = null
  readonly #outbox: Outbox
  #flushScheduled = false
  #endReason: string | null = null
  #lastActivityMs: number

  constructor(env: Env, socket: Connection, options: AcceptedConnectionOptions) {
    this.#env = env
    this.#socket = socket
    this.#options = options
    this.#limits = options.limits
    this.id = options.id
    this.listenerName = options.listenerName
    this.remote = socket.remote
    this.local = socket.local
    this.#state = options.secret === null ? 'open' : 'preamble'
    this.#outbox = new Outbox(socket)
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
    return this.#splitter.heldBytes + this.#inflightBytes + this.#replies.heldBytes + this.#outbox.heldBytes
  }

  get requestCount(): number {
    return this.#statistics.requestCount
  }

  get lastActivityMs(): number {
    return this.#lastActivityMs
  }

  /** Nothing is being worked on for the peer, or it does not take its answers. */
  get isIdle(): boolean {
    return this.#inflightCount === 0 || this.#outbox.heldBytes > 0
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
    return this.#statistics.snapshot(this, this.#inflightCount)
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
    this.#waiting = []
    this.#waitingBytes = 0
    this.#updateReading()
    this.#endIfDrained()
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
    this.#startWaiting()
    this.#updateReading()
    this.#account()
  }

  #onFrame(frame: Buffer): boolean {
    if (this.#state === 'preamble') {
      this.#peer = decodePreamble(frame, this.#options.secret as string)
      this.#state = 'open'
      this.#splitter.setFrameBytesMax(this.#limits.frameBytesMax)
      return true
    }
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
    return true
  }

  #startWaiting(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    let started = 0
    while (started < this.#waiting.length && this.#mayStart()) {
      const frame = this.#waiting[started] as Buffer
      started++
      this.#waitingBytes -= frame.length
      this.#start(frame)
    }
    if (started > 0 && this.#waiting.length > 0) this.#waiting.splice(0, started)
    this.#isStarting = false
  }

  #mayStart(): boolean {
    return (
      this.#state === 'open' &&
      !this.#isOrdering &&
      this.#muteTimer === null &&
      this.#replies.count < this.#limits.inflightRequestsMax &&
      this.#unsentBytes <= this.#limits.unsentReplyBytesMax
    )
  }

  #start(frame: Buffer): void {
    const slot = this.#replies.open(frame.length)
    let handling: RequestHandling
    try {
      handling = this.#options.handler(frame, this)
    } catch (error) {
      this.#fail(error)
      return
    }
    const { ordered, reply } = handling
    if (ordered !== null) {
      this.#isOrdering = true
      ordered.then(
        () => this.#onOrdered(),
        (error: unknown) => this.#fail(error),
      )
    }
    if (reply instanceof Promise) {
      if (handling.replyBytesMax !== undefined) this.#replies.reserve(slot, handling.replyBytesMax)
      reply.then(
        (settled) => this.#answer(slot, settled),
        (error: unknown) => this.#fail(error),
      )
    } else {
      this.#answer(slot, reply)
    }
  }

  #onOrdered(): void {
    this.#isOrdering = false
    this.#startWaiting()
    this.#updateReading()
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    if (!(error instanceof ConnectionRefused)) {
      this.#env.log.write('error', 'a request handler failed', { peer: this.#peerText(), error: stackOf(error) })
    }
    this.close(reasonOf(error))
  }

  // -------------------------------------------------------------------------------------------------------------- sending

  #answer(slot: ReplySlot, reply: Reply | null): void {
    if (this.#state === 'closed') return
    this.#replies.answer(slot, reply)
    this.#release()
  }

  /** Moves what may leave to this turn's output. */
  #release(): void {
    while (this.#muteTimer === null && this.#endReason === null) {
      const special = this.#replies.takeReady(this.#outbox)
      if (special === null) break
      if (special.closeReason !== undefined) this.#endReason = special.closeReason
      else this.#mute(special.throttleTimeMs as number)
    }
    if (!this.#outbox.isEmpty || this.#state === 'draining' || this.#endReason !== null) this.#scheduleFlush()
    this.#startWaiting()
    this.#updateReading()
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#env.scheduler.afterTurn(() => this.#flush())
  }

  #flush(): void {
    this.#flushScheduled = false
    if (this.#state === 'closed') return
    const writtenBytes = this.#outbox.flush()
    if (writtenBytes > 0) {
      this.#statistics.bytesOut += writtenBytes
      this.#lastActivityMs = this.#env.clock.monotonicMs()
    }
    if (this.#endReason !== null) {
      this.#env.log.write('info', 'connection ended', { listener: this.listenerName, peer: this.#peerText(), reason: this.#endReason })
      this.#endGently()
      return
    }
    this.#endIfDrained()
    // No drain will be told of when the socket took all of it.
    this.#startWaiting()
    this.#updateReading()
    this.#account()
  }

  #endIfDrained(): void {
    if (this.#state !== 'draining' || this.#replies.count > 0 || !this.#outbox.isEmpty) return
    this.#endGently()
  }

  /** Lets what was written out, but does not wait for ever for a peer that does not take it. */
  #endGently(): void {
    this.#finish()
    this.#socket.end()
    // What still comes is ignored, but only a socket that is read hears its peer close.
    this.#socket.resume()
    this.#lingerTimer = this.#env.timers.after(LINGER_MS, () => this.#socket.destroy())
  }

  #mute(durationMs: number): void {
    this.#muteTimer = this.#env.timers.after(durationMs, () => {
      this.#muteTimer = null
      if (this.#state === 'closed') return
      this.#release()
    })
  }

  #onDrain(): void {
    if (this.#state === 'closed') return
    this.#lastActivityMs = this.#env.clock.monotonicMs()
    this.#outbox.onDrain()
    this.#startWaiting()
    this.#updateReading()
    this.#account()
  }

  // --------------------------------------------------------------------------------------------------------------- bounds

  get #inflightCount(): number {
    return this.#waiting.length + this.#replies.count
  }

  get #inflightBytes(): number {
    return this.#waitingBytes + this.#replies.frameBytes
  }

  get #unsentBytes(): number {
    return this.#replies.expectedBytes + this.#outbox.unsentBytes
  }

  #updateReading(): void {
    if (this.#state === 'closed') return
    const mustPause =
      this.#state === 'draining' ||
      this.#endReason !== null ||
      this.#muteTimer !== null ||
      this.#inflightCount >= this.#limits.inflightRequestsMax ||
      this.#inflightBytes >= this.#limits.inflightBytesMax ||
      this.#unsentBytes > this.#limits.unsentReplyBytesMax
    if (mustPause === this.#isPaused) return
    this.#isPaused = mustPause
    if (mustPause) this.#socket.pause()
    else this.#socket.resume()
  }

  #account(): void {
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

  #finish(): void {
    this.#state = 'closed'
    this.#waiting = []
    this.#outbox.clear()
    this.#muteTimer?.cancel()
    this.#muteTimer = null
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
