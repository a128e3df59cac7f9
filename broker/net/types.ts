/**
 * What a listener's owner and `net/` say to each other: requests in, replies out, and what is known of a connection.
 *
 * `net/` owns sockets, frames, order and bounds; it knows nothing of what a request means. A handler gets the frame of
 * one request (header and body, without the size) as a view, and answers with a whole frame (size included).
 */
import type { Address } from '../env/types.ts'

/** One reply: size, header and body (wire's `encodeResponseFrame`), chunks to be written back to back. */
export interface Reply {
  readonly chunks: readonly Uint8Array[]
  /** The reply goes out first, then the connection is not read for this long (KIP-219). 0 or absent: not muted. */
  readonly throttleTimeMs?: number
  /** The connection is closed once this reply has been flushed. The text is logged with the peer. */
  readonly closeReason?: string
}

export interface RequestHandling {
  /** The next request of this connection starts once this resolves: its effects are ordered. `null`: at once. */
  readonly ordered: Promise<void> | null
  /** `null`: no reply is sent (Produce with acks=0). Replies leave in request order whenever they come. */
  readonly reply: Reply | null | Promise<Reply | null>
  /**
   * What the reply may grow to, where that is much (Fetch): counted against `unsentReplyBytesMax` until it is there, so
   * that one connection cannot make the broker gather more than it takes away. Absent: small.
   */
  readonly replyBytesMax?: number
}

/**
 * Called once per frame, one connection's frames in order. A `ConnectionRefused` thrown (or rejected) closes that
 * connection with its message as the reason, one line in the log; any other error closes it too and is logged as an
 * error with its stack: a handler answers expected failures itself.
 */
export type RequestHandler = (frame: Buffer, connection: ServerConnection) => RequestHandling

/** The peer broke the protocol, or may not speak to this listener: its connection is closed, the broker lives on. */
export class ConnectionRefused extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options)
    this.name = 'ConnectionRefused'
  }
}

/** Who is at the other end of an INTERNAL connection, as its first frame said and the shared secret proved. */
export interface PeerIdentity {
  readonly nodeId: number
  readonly role: 'broker' | 'controller' | 'tool'
}

/** One accepted connection as its requests' handlers see it. The dispatcher sets what only it can know. */
export interface ServerConnection {
  /** Unique within its listener, ascending. */
  readonly id: number
  readonly listenerName: string
  readonly remote: Address
  readonly local: Address
  /** Set on listeners that demand a preamble, `null` elsewhere. */
  readonly peer: PeerIdentity | null
  /** Aborts when the connection has closed: parked work for it may end. */
  readonly signal: AbortSignal
  /** For the dispatcher: what is authenticated on this connection (SASL state, principal). `net/` does not look inside. */
  session: unknown
  /** From the request header; the newest one stands. */
  setClientId(clientId: string): void
  /** From ApiVersions v3+. */
  setSoftware(name: string, version: string): void
  /** Counts one request of this API for the connection's statistics. */
  countRequest(apiKey: number): void
  /** Remembers what the last failed request failed with, for the list of clients. */
  recordError(text: string): void
  /** Closes now, logs the reason. */
  close(reason: string): void
}

/** A snapshot for the list of connected clients. */
export interface ConnectionStats {
  readonly id: number
  readonly listenerName: string
  readonly remoteHost: string
  readonly remotePort: number
  readonly peer: PeerIdentity | null
  /** Wall clock, milliseconds since 1970. */
  readonly connectedMs: number
  readonly lastRequestMs: number | null
  readonly bytesIn: number
  readonly bytesOut: number
  readonly requestCount: number
  readonly requestCountByApi: Readonly<Record<number, number>>
  readonly inflightCount: number
  readonly clientId: string | null
  readonly softwareName: string | null
  readonly softwareVersion: string | null
  readonly lastError: string | null
  readonly lastErrorMs: number | null
}

export interface ServerLimits {
  /** Largest request frame; a larger or negative size closes the connection. Kafka's socket.request.max.bytes. */
  readonly frameBytesMax: number
  /** Connections of one listener; at the bound the longest silent one that never asked anything makes room, else the new one is refused. */
  readonly connectionsMax: number
  /** Requests of one connection received and not yet answered; at the bound it is not read. */
  readonly inflightRequestsMax: number
  /** Bytes of those requests. */
  readonly inflightBytesMax: number
  /** Reply bytes of one connection not yet taken by the kernel, waiting and expected ones included; above, no request of it is started. */
  readonly unsentReplyBytesMax: number
  /** Memory of one listener in frames and replies of all its connections; above it the connection holding most is closed. */
  readonly heldBytesMax: number
  /** Closed when nothing moved for this long. Kafka's connections.max.idle.ms. */
  readonly idleMs: number
}

export const defaultServerLimits: ServerLimits = {
  frameBytesMax: 100 * 1024 * 1024,
  connectionsMax: 4096,
  inflightRequestsMax: 64,
  inflightBytesMax: 128 * 1024 * 1024,
  unsentReplyBytesMax: 128 * 1024 * 1024,
  heldBytesMax: 1024 * 1024 * 1024,
  idleMs: 600_000,
}

export interface ListenerOptions {
  /** CLIENT, INTERNAL, or the name of an extra one. */
  readonly name: string
  readonly address: Address
  readonly limits?: Partial<ServerLimits>
  /** The first frame of each connection must prove this secret and name the peer. INTERNAL listeners. */
  readonly preamble?: { readonly secret: string }
}

/** A listener that is up. */
export interface Server {
  readonly name: string
  /** With the port really bound. */
  readonly address: Address
  connections(): ConnectionStats[]
  /** Stops accepting; requests in flight get up to `graceMs` to be answered, then their connections are cut. */
  close(options?: { readonly graceMs?: number }): Promise<void>
}
