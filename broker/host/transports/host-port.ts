/**
 * What every transport looks like to the host: messages in and out, and an end. Message ports (of worker threads and of
 * Electron), WebSockets and local sockets are adapted to it, and the one RPC handler serves them all.
 */
import type { RPCHandler } from '@orpc/server/message-port'
import type { Env } from '../../env/types.ts'

/** One message; a larger one ends the connection. */
export const messageBytesMax = 64 * 1024 * 1024
/** Calls and streams of one connection under way at a time; a client that exceeds it is cut off. */
export const inflightCallsMax = 1_000

export interface HostPort {
  /** Text, or bytes. */
  postMessage(data: string | Uint8Array): void
  onMessage(listener: (data: unknown) => void): void
  onClose(listener: () => void): void
  /** Ends the connection; `onClose` follows. */
  close(): void
}

/**
 * Serves the contract on a port until it closes; all its calls and streams are then aborted. A message that is no call, or
 * one call too many, ends this port and nothing else.
 */
export function servePort(env: Env, handler: RPCHandler<Record<never, never>>, port: HostPort): void {
  let inflightCount = 0
  let isClosed = false
  const cut = (reason: string, error?: unknown): void => {
    if (isClosed) return
    env.log.write('warn', 'a console connection was cut', { reason, ...(error === undefined ? {} : { error }) })
    port.close()
  }
  port.onClose(() => {
    isClosed = true
  })
  handler.upgrade({
    on(event: string, callback: (event?: { data: unknown }) => unknown) {
      if (event === 'close') port.onClose(() => void callback())
      if (event !== 'message') return
      port.onMessage((data) => {
        if (typeof data !== 'string' && !(data instanceof Uint8Array) && !(data instanceof ArrayBuffer)) return cut('not a message')
        if (inflightCount >= inflightCallsMax) return cut('too many calls at a time')
        inflightCount += 1
        // The handler's listener is asynchronous; its failure is a malformed message, or a reply to a port that has closed.
        Promise.resolve(callback({ data }))
          .catch((error: unknown) => cut('a message could not be handled', error))
          .finally(() => {
            inflightCount -= 1
          })
      })
    },
    postMessage(data: string | Uint8Array) {
      if (!isClosed) port.postMessage(data)
    },
  })
}

/** The message ports of worker threads and of Electron: the one hands over data, the other an event with it. */
export interface PlatformPort {
  on(event: 'message' | 'close', listener: (value?: unknown) => void): unknown
  postMessage(data: unknown): void
  start?(): void
  close(): void
}

export function fromPlatformPort(port: PlatformPort): HostPort {
  return {
    postMessage: (data) => port.postMessage(data),
    onMessage(listener) {
      port.on('message', (value) => listener(isMessageEvent(value) ? value.data : value))
      port.start?.()
    },
    onClose: (listener) => void port.on('close', () => listener()),
    close: () => port.close(),
  }
}

function isMessageEvent(value: unknown): value is { readonly data: unknown } {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && 'data' in value
}
