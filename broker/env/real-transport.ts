/** TCP through Node's sockets: no Nagle delay, one corked write per call, data held back until someone listens. */
import * as net from 'node:net'
import { platformCode } from './disk-error.ts'
import { type Address, type Connection, type ConnectionHandlers, type Listener, type Transport, TransportError } from './types.ts'

export function createRealTransport(): Transport {
  return { listen, connect }
}

function listen(at: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => onConnection(new SocketConnection(socket)))
    const refuse = (error: Error): void => reject(toTransportError(`cannot listen on ${at.host}:${at.port}`, error))
    server.once('error', refuse)
    server.listen({ host: at.host, port: at.port, exclusive: true, backlog: 511 }, () => {
      server.off('error', refuse)
      // An accept that fails for want of descriptors must not end the process; the peer retries.
      server.on('error', () => undefined)
      resolve({
        address: toAddress(server.address(), at),
        close: () => new Promise((closed) => server.close(() => closed())),
      })
    })
  })
}

function connect(to: Address, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Connection> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(new TransportError('ABORTED', `connecting to ${to.host}:${to.port} was cancelled`))
    const socket = net.connect({ host: to.host, port: to.port, noDelay: true })
    const finish = (): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('connect', onConnect)
    }
    const fail = (error: TransportError): void => {
      finish()
      // A late error of a socket nobody holds any more.
      socket.on('error', () => undefined)
      socket.destroy()
      reject(error)
    }
    const target = `${to.host}:${to.port}`
    const onAbort = (): void => fail(new TransportError('ABORTED', `connecting to ${target} was cancelled`))
    const onError = (error: Error): void => fail(toTransportError(`cannot connect to ${target}`, error))
    const onConnect = (): void => {
      finish()
      socket.pause()
      resolve(new SocketConnection(socket))
    }
    const timer = setTimeout(
      () => fail(new TransportError('ETIMEDOUT', `${target} did not answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    )
    options.signal?.addEventListener('abort', onAbort)
    socket.on('error', onError)
    socket.on('connect', onConnect)
  })
}

class SocketConnection implements Connection {
  readonly remote: Address
  readonly local: Address
  readonly #socket: net.Socket
  #handlers: ConnectionHandlers | null = null
  #error: TransportError | null = null
  #isClosed = false
  #isCorked = false

  constructor(socket: net.Socket) {
    this.#socket = socket
    // Kept now: a closed socket no longer knows its addresses.
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    socket.on('error', (error) => {
      this.#error = toTransportError(`connection with ${this.remote.host}:${this.remote.port} failed`, error)
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#handlers?.onClose(this.#error)
    })
  }

  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true
    this.#corkForThisTurn()
    for (const chunk of chunks) this.#socket.write(chunk)
    return !this.#socket.writableNeedDrain
  }

  setHandlers(handlers: ConnectionHandlers): void {
    const isFirst = this.#handlers === null
    this.#handlers = handlers
    if (!isFirst) return
    if (this.#isClosed) {
      queueMicrotask(() => this.#handlers?.onClose(this.#error))
      return
    }
    this.#socket.on('data', (chunk: Buffer) => this.#handlers?.onData(chunk))
    this.#socket.on('drain', () => this.#handlers?.onDrain?.())
    this.#socket.resume()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** All writes of one callback leave as one system call. */
  #corkForThisTurn(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      this.#socket.uncork()
    })
  }
}

function toAddress(bound: string | net.AddressInfo | null, asked: Address): Address {
  return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : asked
}

function toTransportError(what: string, error: Error): TransportError {
  return new TransportError(platformCode(error), `${what}: ${error.message}`, { cause: error })
}
