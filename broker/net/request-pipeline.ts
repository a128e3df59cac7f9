/**
 * From a connection's frames to its replies: requests started in order, answered in order, bounded on the way.
 *
 *   waiting -> started -> answered -> sent
 *
 * Invariant: a request starts only after the one before it said it is ordered, while the pipeline is not muted, not
 * ending, and its unsent replies are within bounds. Replies of a turn leave in one write. Owned by its connection.
 */
import type { Connection, Env, Timer } from '../env/types.ts'
import { Outbox } from './outbox.ts'
import { ReplyQueue } from './reply-queue.ts'
import type { ReplySlot } from './reply-queue.ts'
import type { Reply, RequestHandling, ServerLimits } from './types.ts'

export interface PipelineOwner {
  handle(frame: Buffer): RequestHandling
  /** A handler threw or rejected: the connection is to close. */
  onFailed(error: unknown): void
  onWritten(bytes: number): void
  /** Bounds may have been reached or left, requests answered. Not called while a handler is being started. */
  onChanged(): void
  /** A reply asked for the end, and has been written. */
  onEnded(reason: string): void
}

export class RequestPipeline {
  readonly #env: Env
  readonly #limits: ServerLimits
  readonly #owner: PipelineOwner
  readonly #replies = new ReplyQueue()
  readonly #outbox: Outbox
  /** Received and not yet started. Never more than a chunk's worth beyond the bounds, since reading stops. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** The last started handler has not yet said that the next may start. */
  #isOrdering = false
  /** Handlers that answer at once come back to `advance` while it runs; its loop does not nest. */
  #isStarting = false
  #muteTimer: Timer | null = null
  #flushScheduled = false
  #endReason: string | null = null
  #isClosed = false

  constructor(env: Env, socket: Connection, limits: ServerLimits, owner: PipelineOwner) {
    this.#env = env
    this.#limits = limits
    this.#owner = owner
    this.#outbox = new Outbox(socket)
  }

  /** Requests received and not answered, or answered and waiting for those before them. */
  get inflightCount(): number {
    return this.#waiting.length + this.#replies.count
  }

  /** Memory in requests and replies. */
  get heldBytes(): number {
    return this.#inflightBytes + this.#replies.heldBytes + this.#outbox.heldBytes
  }

  /** Reply bytes the peer has not taken. */
  get unreadBytes(): number {
    return this.#outbox.heldBytes
  }

  /** Everything started has been answered, and the answers handed to the socket. */
  get isDrained(): boolean {
    return this.#replies.count === 0 && this.#outbox.isEmpty
  }

  /** The peer is to be heard no further for now. */
  get isFull(): boolean {
    return (
      this.#endReason !== null ||
      this.#muteTimer !== null ||
      this.inflightCount >= this.#limits.inflightRequestsMax ||
      this.#inflightBytes >= this.#limits.inflightBytesMax ||
      this.#unsentBytes > this.#limits.unsentReplyBytesMax
    )
  }

  /** Takes a frame in; `advance` starts it. */
  push(frame: Buffer): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
  }

  /** Starts what may start. */
  advance(): void {
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
    if (!this.#isClosed) this.#owner.onChanged()
  }

  /** Starts nothing more; what was started is answered. */
  dropWaiting(): void {
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /** The kernel has taken everything written. */
  onDrain(): void {
    this.#outbox.onDrain()
    this.advance()
  }

  /** Answers still to come are dropped. */
  close(): void {
    this.#isClosed = true
    this.dropWaiting()
    this.#outbox.clear()
    this.#muteTimer?.cancel()
    this.#muteTimer = null
  }

  get #inflightBytes(): number {
    return this.#waitingBytes + this.#replies.frameBytes
  }

  get #unsentBytes(): number {
    return this.#replies.expectedBytes + this.#outbox.unsentBytes
  }

  // ------------------------------------------------------------------------------------------------------------ starting

  #mayStart(): boolean {
    return (
      !this.#isClosed &&
      !this.#isOrdering &&
      this.#muteTimer === null &&
      this.#endReason === null &&
      this.#replies.count < this.#limits.inflightRequestsMax &&
      this.#unsentBytes <= this.#limits.unsentReplyBytesMax
    )
  }

  #start(frame: Buffer): void {
    const slot = this.#replies.open(frame.length)
    let handling: RequestHandling
    try {
      handling = this.#owner.handle(frame)
    } catch (error) {
      this.#fail(error)
      return
    }
    const { ordered, reply, replyBytesMax } = handling
    if (ordered !== null) {
      this.#isOrdering = true
      ordered.then(
        () => this.#onOrdered(),
        (error: unknown) => this.#fail(error),
      )
    }
    if (reply instanceof Promise) {
      if (replyBytesMax !== undefined) this.#replies.reserve(slot, replyBytesMax)
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
    this.advance()
  }

  #fail(error: unknown): void {
    if (!this.#isClosed) this.#owner.onFailed(error)
  }

  // -------------------------------------------------------------------------------------------------------------- sending

  #answer(slot: ReplySlot, reply: Reply | null): void {
    if (this.#isClosed) return
    this.#replies.answer(slot, reply)
    this.#release()
  }

  /** Moves what may leave to this turn's write. */
  #release(): void {
    while (this.#muteTimer === null && this.#endReason === null) {
      const special = this.#replies.takeReady(this.#outbox)
      if (special === null) break
      if (special.closeReason !== undefined) this.#endReason = special.closeReason
      else this.#mute(special.throttleTimeMs as number)
    }
    if (!this.#outbox.isEmpty || this.#endReason !== null) this.#scheduleFlush()
    this.advance()
  }

  #mute(durationMs: number): void {
    this.#muteTimer = this.#env.timers.after(durationMs, () => {
      this.#muteTimer = null
      if (!this.#isClosed) this.#release()
    })
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#env.scheduler.afterTurn(() => this.#flush())
  }

  #flush(): void {
    this.#flushScheduled = false
    if (this.#isClosed) return
    const writtenBytes = this.#outbox.flush()
    if (writtenBytes > 0) this.#owner.onWritten(writtenBytes)
    if (this.#endReason !== null) this.#owner.onEnded(this.#endReason)
    // No drain will be told of when the socket took all of it.
    else this.advance()
  }
}
