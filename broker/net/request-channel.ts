/**
 * The client's side of one connection: requests pipelined, replies matched in order, each request with its own deadline.
 *
 * Invariant: replies come in request order, so a request given up (deadline, signal) keeps its place until its reply has
 * come and is thrown away. When the connection ends everything in flight fails with the same reason, once. A peer that is
 * silent while a request's deadline passes, and for at least `SILENCE_MS`, is taken for dead.
 */
import type { Address, Connection, Env, TransportError } from '../env/types.ts'
import { decodeMessage } from '../wire/codec.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../wire/headers.ts'
import type { Api, Decoded, Encodable } from '../wire/schema.ts'
import { ChannelError, cancelled, connectFailure, foreignFrame, malformedReply } from './channel-error.ts'
import { DeadlineWatch } from './deadline-watch.ts'
import { FrameSizeError, FrameSplitter, byteCount } from './frame.ts'
import { encodePreamble } from './preamble.ts'
import type { PeerIdentity } from './types.ts'

/** Any Kafka API of the schemas. */
export type ApiDefinition = Api<any, any>

export interface ChannelOptions {
  readonly address: Address
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly signal?: AbortSignal
  /** For INTERNAL listeners: who this is, and the run's secret. */
  readonly preamble?: { readonly identity: PeerIdentity; readonly secret: string }
  /** A larger reply closes the connection. @default 128 MiB */
  readonly frameBytesMax?: number
  /** Written and not answered; more wait here. @default 64 */
  readonly inflightRequestsMax?: number
  /** Waiting here; more are refused with TOO_MANY_REQUESTS. @default 4096 */
  readonly queuedRequestsMax?: number
}

export interface ExchangeOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** A reply as it came. */
export interface RawReply {
  readonly frame: Buffer
  /** Behind the header. */
  readonly bodyPosition: number
}

/** A peer silent for less than this is not taken for dead, however short a request's deadline is. */
const SILENCE_MS = 10_000
/** Request bytes the kernel has not taken; above, requests wait here. */
const UNSENT_BYTES_MAX = 16 * 1024 * 1024
const CORRELATION_ID_MAX = 0x7fffffff
const DEFAULTS = { frameBytesMax: 128 * 1024 * 1024, inflightRequestsMax: 64, queuedRequestsMax: 4096 }

interface Entry {
  readonly api: ApiDefinition
  readonly version: number
  readonly correlationId: number
  readonly deadlineMs: number
  readonly timeoutMs: number
  /** `null` once written. */
  chunks: readonly Uint8Array[] | null
  /** `null` once settled; the entry stays until its reply has come. */
  settle: Settle | null
}

interface Settle {
  resolve(reply: RawReply): void
  reject(error: ChannelError): void
}

/** Connects (and proves itself, given a preamble). Rejects with a `ChannelError`. */
export async function openRequestChannel(env: Env, options: ChannelOptions): Promise<RequestChannel> {
  const { address, connectTimeoutMs, signal } = options
  let socket: Connection
  try {
    socket = await env.transport.connect(
      address,
      signal === undefined ? { timeoutMs: connectTimeoutMs } : { timeoutMs: connectTimeoutMs, signal },
    )
  } catch (error) {
    throw connectFailure(addressText(address), error)
  }
  return new RequestChannel(env, socket, options)
}

export class RequestChannel {
  readonly address: string
  readonly #env: Env
  readonly #socket: Connection
  readonly #clientId: string
  readonly #inflightRequestsMax: number
  readonly #queuedRequestsMax: number
  readonly #splitter: FrameSplitter
  /** Written, in order. */
  #inflight: Entry[] = []
  /** Not yet written, in order. */
  #queue: Entry[] = []
  #nextCorrelationId = 1
  #receivedBytes = 0
  #sentBytes = 0
  #lastReceivedMs: number
  #lastUsedMs: number
  readonly #deadlines: DeadlineWatch
  #closedBy: ChannelError | null = null
  #drainListeners: (() => void)[] = []
  readonly #closeListeners: ((reason: ChannelError) => void)[] = []

  constructor(env: Env, socket: Connection, options: ChannelOptions) {
    this.#env = env
    this.#socket = socket
    this.address = addressText(options.address)
    this.#clientId = options.clientId
    this.#inflightRequestsMax = options.inflightRequestsMax ?? DEFAULTS.inflightRequestsMax
    this.#queuedRequestsMax = options.queuedRequestsMax ?? DEFAULTS.queuedRequestsMax
    this.#splitter = new FrameSplitter({ frameBytesMax: options.frameBytesMax ?? DEFAULTS.frameBytesMax })
    this.#deadlines = new DeadlineWatch(env, () => this.#onDeadline())
    this.#lastReceivedMs = this.#lastUsedMs = env.clock.monotonicMs()
    socket.setHandlers({
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onClose(error),
    })
    if (options.preamble !== undefined) socket.write([encodePreamble(options.preamble.identity, options.preamble.secret)])
  }

  /** `null` while the connection is up. */
  get closedBy(): ChannelError | null {
    return this.#closedBy
  }

  get inflightCount(): number {
    return this.#inflight.length + this.#queue.length
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Monotonic time of the last request made or reply had. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  /** Called once, at once if that has happened. */
  onClosed(listener: (reason: ChannelError) => void): void {
    if (this.#closedBy !== null) listener(this.#closedBy)
    else this.#closeListeners.push(listener)
  }

  /** Sends and decodes the reply. Rejects with a `ChannelError`; throws a TypeError for a body that does not fit the schema. */
  async request<A extends ApiDefinition>(
    api: A,
    version: number,
    body: Encodable<A['request']>,
    options: ExchangeOptions,
  ): Promise<Decoded<A['response']>> {
    const { frame, bodyPosition } = await this.exchange(api, version, body, options)
    try {
      return decodeMessage(api.response as A['response'], version, frame, bodyPosition)
    } catch (error) {
      throw malformedReply(this.address, api.name, error)
    }
  }

  /** Sends and gives the reply undecoded. */
  exchange<A extends ApiDefinition>(api: A, version: number, body: Encodable<A['request']>, options: ExchangeOptions): Promise<RawReply> {
    const refused = this.#refusal(options.signal)
    if (refused !== null) return Promise.reject(refused)
    const { timeoutMs, signal } = options
    const correlationId = this.#takeCorrelationId()
    const chunks = encodeRequestFrame(api, { apiVersion: version, correlationId, clientId: this.#clientId }, body)
    const deadlineMs = this.#env.clock.monotonicMs() + timeoutMs
    const entry: Entry = { api, version, correlationId, deadlineMs, timeoutMs, chunks, settle: null }
    return new Promise<RawReply>((resolve, reject) => {
      entry.settle = signal === undefined ? { resolve, reject } : this.#cancellable(entry, signal, { resolve, reject })
      this.#queue.push(entry)
      this.#deadlines.watch(deadlineMs)
      this.#writeQueued()
    })
  }

  /** Sends a request that is not answered (Produce with acks=0). Rejects with a `ChannelError` when it cannot be sent. */
  send<A extends ApiDefinition>(api: A, version: number, body: Encodable<A['request']>): void {
    const refused = this.#refusal(undefined)
    if (refused !== null) throw refused
    this.#write(encodeRequestFrame(api, { apiVersion: version, correlationId: this.#takeCorrelationId(), clientId: this.#clientId }, body))
  }

  /** Whether the kernel keeps up with what is sent. */
  get isWritable(): boolean {
    return this.#socket.pendingBytes < UNSENT_BYTES_MAX
  }

  /** Called once when the kernel has taken what was written, or the connection has ended. */
  onWritable(listener: () => void): void {
    if (this.#closedBy !== null || this.isWritable) listener()
    else this.#drainListeners.push(listener)
  }

  /** Closes now; what is in flight fails with `CLOSED` and this reason. */
  close(reason: string): void {
    this.#fail(new ChannelError('CLOSED', reason))
  }

  // ------------------------------------------------------------------------------------------------------------- sending

  #refusal(signal: AbortSignal | undefined): ChannelError | null {
    if (this.#closedBy !== null) return this.#closedBy
    if (signal?.aborted) return cancelled(this.address)
    if (this.#queue.length >= this.#queuedRequestsMax) {
      return new ChannelError('TOO_MANY_REQUESTS', `${this.#queue.length} requests already wait for ${this.address}`)
    }
    return null
  }

  #takeCorrelationId(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = id === CORRELATION_ID_MAX ? 0 : id + 1
    return id
  }

  #cancellable(entry: Entry, signal: AbortSignal, settle: Settle): Settle {
    const onAbort = (): void => this.#giveUp(entry, cancelled(this.address))
    signal.addEventListener('abort', onAbort, { once: true })
    return {
      resolve: (reply) => {
        signal.removeEventListener('abort', onAbort)
        settle.resolve(reply)
      },
      reject: (error) => {
        signal.removeEventListener('abort', onAbort)
        settle.reject(error)
      },
    }
  }

  #writeQueued(): void {
    let written = 0
    while (
      written < this.#queue.length &&
      this.#inflight.length < this.#inflightRequestsMax &&
      this.#socket.pendingBytes < UNSENT_BYTES_MAX &&
      this.#closedBy === null
    ) {
      const entry = this.#queue[written++] as Entry
      // Given up before it was written: the peer need not hear of it.
      if (entry.settle === null) continue
      this.#inflight.push(entry)
      this.#write(entry.chunks as readonly Uint8Array[])
      entry.chunks = null
    }
    if (written > 0) this.#queue = written === this.#queue.length ? [] : this.#queue.slice(written)
  }

  #onDrain(): void {
    this.#writeQueued()
    const listeners = this.#drainListeners
    this.#drainListeners = []
    for (const listener of listeners) listener()
  }

  #write(chunks: readonly Uint8Array[]): void {
    this.#sentBytes += byteCount(chunks)
    this.#lastUsedMs = this.#env.clock.monotonicMs()
    this.#socket.write(chunks)
  }

  // ----------------------------------------------------------------------------------------------------------- receiving

  #onData(chunk: Buffer): void {
    if (this.#closedBy !== null) return
    this.#receivedBytes += chunk.length
    this.#lastReceivedMs = this.#lastUsedMs = this.#env.clock.monotonicMs()
    try {
      this.#splitter.push(chunk, (frame) => this.#onReply(frame))
    } catch (error) {
      if (!(error instanceof FrameSizeError)) throw error
      this.#fail(foreignFrame(this.address, error))
      return
    }
    if (this.#queue.length > 0) this.#writeQueued()
  }

  #onReply(frame: Buffer): boolean {
    const entry = this.#inflight[0]
    if (entry === undefined || frame.length < 4 || frame.readInt32BE(0) !== entry.correlationId) {
      this.#fail(new ChannelError('NOT_KAFKA', `${this.address} answered what was not asked: it does not speak the Kafka protocol`))
      return false
    }
    this.#inflight.shift()
    const settle = entry.settle
    if (settle === null) return true
    entry.settle = null
    try {
      settle.resolve({ frame, bodyPosition: decodeResponseHeader(frame, entry.api, entry.version).bodyPosition })
    } catch (error) {
      settle.reject(malformedReply(this.address, entry.api.name, error))
    }
    return true
  }

  // ----------------------------------------------------------------------------------------------------------- deadlines

  #onDeadline(): void {
    const nowMs = this.#env.clock.monotonicMs()
    let nextMs = Infinity
    let silent: Entry | null = null
    for (const entry of [...this.#inflight, ...this.#queue]) {
      if (entry.settle === null) continue
      if (entry.deadlineMs > nowMs) {
        nextMs = Math.min(nextMs, entry.deadlineMs)
        continue
      }
      const silentMs = nowMs - this.#lastReceivedMs
      if (silentMs >= entry.timeoutMs && silentMs >= SILENCE_MS) silent = entry
      this.#giveUp(
        entry,
        new ChannelError('DEADLINE_EXCEEDED', `${this.address} did not answer ${entry.api.name} within ${Math.round(entry.timeoutMs)} ms.`),
      )
    }
    if (silent !== null) {
      this.#fail(
        new ChannelError(
          'CONNECTION_LOST',
          `${this.address} has been silent for ${Math.round(nowMs - this.#lastReceivedMs)} ms with ${silent.api.name} unanswered; the connection was given up.`,
        ),
      )
      return
    }
    if (nextMs < Infinity) this.#deadlines.watch(nextMs)
  }

  #giveUp(entry: Entry, error: ChannelError): void {
    const settle = entry.settle
    entry.settle = null
    entry.chunks = null
    settle?.reject(error)
  }

  // ------------------------------------------------------------------------------------------------------------- the end

  #onClose(error: TransportError | null): void {
    const how = error === null ? 'the peer closed it' : error.message
    this.#fail(new ChannelError('CONNECTION_LOST', `The connection to ${this.address} ended: ${how}.`, { cause: error ?? undefined }))
  }

  #fail(reason: ChannelError): void {
    if (this.#closedBy !== null) return
    this.#closedBy = reason
    this.#deadlines.cancel()
    this.#socket.destroy()
    const entries = [...this.#inflight, ...this.#queue]
    this.#inflight = []
    this.#queue = []
    for (const entry of entries) this.#giveUp(entry, reason)
    for (const listener of this.#closeListeners) listener(reason)
    this.#closeListeners.length = 0
    for (const listener of this.#drainListeners) listener()
    this.#drainListeners = []
  }
}

/** host:port, IPv6 hosts in brackets. */
export function addressText(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
