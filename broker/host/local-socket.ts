/**
 * The contract on a Unix socket or a Windows named pipe that only its owner may open: how a second `weir` in another shell
 * speaks to the one that runs. Messages in, messages out; the client of the contract is in local-client.ts.
 */
import { createConnection, createServer, type Socket } from 'node:net'
import { chmod } from 'node:fs/promises'
import { encodeFrame, FrameCollector } from './transports/socket-frames.ts'
import type { HostPort } from './transports/host-port.ts'

/** Bytes written and not yet taken by the other end; a reader this slow is cut off. */
const unsentBytesMax = 128 * 1024 * 1024
const connectionsMax = 64

export interface LocalServer {
  close(): Promise<void>
}

/** Rejects when the path cannot be bound. A port may be listened to later: until then its messages wait at the other end. */
export async function serveLocalSocket(path: string, onPort: (port: HostPort) => void): Promise<LocalServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    onPort(portOf(socket))
  })
  server.maxConnections = connectionsMax
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  server.on('error', () => undefined)
  if (process.platform !== 'win32') await chmod(path, 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** A port to the host that serves `path`, at once: what is posted before it is connected waits, and when nobody answers it closes. */
export function openLocalPort(path: string): HostPort {
  return portOf(createConnection(path))
}

/** Resolves once somebody answers at `path`; rejects with the platform's error when nobody does in time. */
export async function connectLocalPort(path: string, { withinMs }: { readonly withinMs: number }): Promise<HostPort> {
  const socket = createConnection(path)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy()
      reject(error)
    }
    socket.setTimeout(withinMs, () => fail(new Error('timed out')))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.setTimeout(0)
      resolve()
    })
  })
  return portOf(socket)
}

function portOf(socket: Socket): HostPort {
  const frames = new FrameCollector()
  // Its end is `close`, which follows; what went wrong says nothing a console could act on.
  socket.on('error', () => undefined)
  return {
    postMessage(data) {
      if (socket.destroyed) return
      socket.cork()
      for (const chunk of encodeFrame(data)) socket.write(chunk)
      socket.uncork()
      if (socket.writableLength > unsentBytesMax) socket.destroy()
    },
    onMessage(listener) {
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const message of frames.push(chunk)) listener(message)
        } catch {
          socket.destroy()
        }
      })
    },
    onClose(listener) {
      if (socket.closed) queueMicrotask(listener)
      else socket.on('close', () => listener())
    },
    close: () => socket.destroy(),
  }
}
