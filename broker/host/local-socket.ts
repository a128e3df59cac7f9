/**
 * The contract on a Unix socket or a Windows named pipe that only its owner may open: how a second `weir` in another shell
 * speaks to the one that runs.
 */
import { createConnection, createServer, type Socket } from 'node:net'
import { chmod } from 'node:fs/promises'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { HostClient } from '../contract/contract.ts'
import { HostError } from './problem.ts'
import { encodeFrame, FrameCollector } from './transports/socket-frames.ts'
import type { HostPort } from './transports/host-port.ts'

/** Bytes written and not yet taken by the other end; a reader this slow is cut off. */
const unsentBytesMax = 128 * 1024 * 1024
const connectionsMax = 64
const connectDeadlineMs = 3_000

export interface LocalServer {
  close(): Promise<void>
}

/** Rejects when the path cannot be bound. */
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

export interface LocalConnection {
  readonly client: HostClient
  close(): void
}

/** A client of the host that serves `path`. Rejects with `HOST_LOST` when nobody answers there. */
export async function connectLocal(path: string): Promise<LocalConnection> {
  const socket = createConnection(path)
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy()
      reject(new HostError('HOST_LOST', `No Weir answers at ${path}.`, { subject: path, cause: error.message }, { cause: error }))
    }
    socket.setTimeout(connectDeadlineMs, () => fail(new Error('timed out')))
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      socket.setTimeout(0)
      resolve()
    })
  })
  const port = portOf(socket)
  const link = new RPCLink({
    port: {
      on(event: string, callback: (event?: { data: unknown }) => void) {
        if (event === 'message') port.onMessage((data) => callback({ data }))
        if (event === 'close') port.onClose(() => callback())
      },
      postMessage: (data: string | Uint8Array) => port.postMessage(data),
    },
  })
  return { client: createORPCClient<HostClient>(link), close: () => port.close() }
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
    onClose: (listener) => void socket.on('close', () => listener()),
    close: () => socket.destroy(),
  }
}
