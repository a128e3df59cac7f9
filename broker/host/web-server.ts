/**
 * The console for a browser: the screen's files and the contract on a WebSocket, on loopback only, for whoever came with this
 * start's token (see web-access.ts).
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, resolve, sep } from 'node:path'
import { WebSocketServer, type WebSocket } from 'ws'
import { contentSecurityPolicy } from '../contract/content-security-policy.ts'
import { webSocketPath } from '../contract/contract.ts'
import type { Env } from '../env/types.ts'
import { HostError } from './problem.ts'
import { messageBytesMax, type HostPort } from './transports/host-port.ts'
import { hasCookie, hasToken, isOwnHost, isOwnOrigin, setCookie, tokenParameter, type WebAccess } from './web-access.ts'

const loopback = '127.0.0.1'
const socketsMax = 64
/** Bytes sent and not yet taken by the browser; a window this slow is cut off, and connects again. */
const unsentBytesMax = 128 * 1024 * 1024
const heartbeatMs = 20_000

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
}

export interface WebServerOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** The screen's built files. */
  readonly rendererDirectory: string
  readonly onPort: (port: HostPort) => void
}

export interface WebServer {
  /** With the token; opening it is what lets a browser in. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Rejects with `ADDRESS_INVALID` when the port is taken. */
export async function serveWeb(env: Env, options: WebServerOptions): Promise<WebServer> {
  const secret = (): string => Buffer.from(env.random.bytes(32)).toString('base64url')
  const server = createServer((request, response) => {
    void answer(request, response, access, options.rendererDirectory).catch((error: unknown) => {
      env.log.write('warn', 'a web request failed', { error })
      response.destroy()
    })
  })
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `The console could not listen on port ${options.port}: ${error.code ?? error.message}.`
      fail(
        new HostError('ADDRESS_INVALID', message, {
          subject: `${loopback}:${options.port}`,
          advice: 'Choose another port.',
          cause: error.code ?? null,
        }),
      )
    })
    server.listen(options.port, loopback, done)
  })
  const access: WebAccess = { token: secret(), session: secret(), port: (server.address() as AddressInfo).port }
  const sockets = serveSockets(env, options.onPort)
  server.on('upgrade', (request, socket, head) => {
    const isAllowed = isOwnHost(request, access) && isOwnOrigin(request, access) && hasCookie(request, access)
    const isFull = sockets.clients.size >= socketsMax
    if (!isAllowed || isFull || pathOf(request) !== webSocketPath) {
      socket.end(`HTTP/1.1 ${isAllowed ? '503 Service Unavailable' : '403 Forbidden'}\r\nConnection: close\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request))
  })
  return {
    url: `http://${loopback}:${access.port}/?${tokenParameter}=${access.token}`,
    port: access.port,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      await new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
    },
  }
}

function serveSockets(env: Env, onPort: (port: HostPort) => void): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: messageBytesMax, perMessageDeflate: false })
  sockets.on('connection', (socket) => {
    keepAlive(env, socket)
    onPort(portOf(socket))
  })
  return sockets
}

/** A browser that vanished without a word is noticed within two beats. */
function keepAlive(env: Env, socket: WebSocket): void {
  let isAnswered = true
  socket.on('pong', () => {
    isAnswered = true
  })
  let timer = env.timers.after(heartbeatMs, beat)
  function beat(): void {
    if (!isAnswered) return socket.terminate()
    isAnswered = false
    socket.ping()
    timer = env.timers.after(heartbeatMs, beat)
  }
  socket.on('close', () => timer.cancel())
}

function portOf(socket: WebSocket): HostPort {
  socket.on('error', () => undefined)
  return {
    postMessage(data) {
      if (socket.readyState !== socket.OPEN) return
      socket.send(data)
      if (socket.bufferedAmount > unsentBytesMax) socket.terminate()
    },
    onMessage: (listener) =>
      void socket.on('message', (data, isBinary) => {
        const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
        listener(isBinary ? Uint8Array.from(bytes) : bytes.toString('utf8'))
      }),
    onClose: (listener) => void socket.on('close', () => listener()),
    close: () => socket.close(1008),
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, access: WebAccess, root: string): Promise<void> {
  if (!isOwnHost(request, access)) return refuse(response, 403, 'This server answers to its own address only.')
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Only GET is served.')
  const url = URL.parse(request.url ?? '/', `http://${loopback}`)
  if (url === null) return refuse(response, 400, 'That is no address.')
  if (hasToken(url, access)) {
    url.searchParams.delete(tokenParameter)
    response.writeHead(303, { ...safeHeaders, 'set-cookie': setCookie(access), location: `${url.pathname}${url.search}` })
    response.end()
    return
  }
  if (!hasCookie(request, access)) return refuse(response, 401, 'Open the address that Weir printed: it holds the token of this start.')
  await serveFile(request, response, root, url.pathname)
}

async function serveFile(request: IncomingMessage, response: ServerResponse, root: string, pathname: string): Promise<void> {
  const wished = fileFor(root, pathname)
  if (wished === null) return refuse(response, 404, 'Not found.')
  const isFile = (await stat(wished).catch(() => null))?.isFile() ?? false
  // Addresses of views are the screen's own business: they all are its one page.
  if (!isFile && extname(pathname) !== '') return refuse(response, 404, 'Not found.')
  const path = isFile ? wished : join(root, 'index.html')
  const size = (await stat(path).catch(() => null))?.size
  if (size === undefined) return refuse(response, 503, 'The screen is not built: run npm run build.')
  const isHashed = pathname.startsWith('/assets/')
  response.writeHead(200, {
    ...safeHeaders,
    'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
    'content-length': size,
    'content-security-policy': contentSecurityPolicy,
    'cache-control': isHashed ? 'private, max-age=31536000, immutable' : 'no-cache',
  })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const file = createReadStream(path)
  file.on('error', () => response.destroy())
  response.on('close', () => file.destroy())
  file.pipe(response)
}

/** `null` for what would leave the folder. */
export function fileFor(root: string, pathname: string): string | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return null
  }
  if (decoded.includes('\0')) return null
  const base = resolve(root)
  const path = normalize(join(base, decoded === '/' ? 'index.html' : decoded))
  return path.startsWith(base + sep) ? path : null
}

const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, {
    ...safeHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'",
  })
  response.end(`${message}\n`)
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/'
}
