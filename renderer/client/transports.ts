import { RPCLink as MessagePortLink } from '@orpc/client/message-port'
import { RPCLink as WebSocketLink } from '@orpc/client/websocket'
import type { ResumableLink } from './link.ts'

/** How a window reaches its host: a message port handed over by the desktop shell, or a WebSocket to the server the page came from. */

/** What the preload posts beside the port, again after a reload or a host restart. */
export const HOST_PORT_MESSAGE = 'weir:host-port'
/** What the preload posts when the host is gone, before there is a new port. */
export const HOST_LOST_MESSAGE = 'weir:host-lost'
/** What the page posts to ask the preload for a port. */
export const HOST_PORT_REQUEST = 'weir:host-port-request'

export function connectThroughMessagePort(link: ResumableLink): void {
  let currentPort: MessagePort | null = null
  window.addEventListener('message', (event) => {
    if (event.source !== window) return
    if (event.data === HOST_LOST_MESSAGE) link.detach()
    const port = event.ports[0]
    if (event.data !== HOST_PORT_MESSAGE || !port) return
    currentPort?.close()
    currentPort = port
    port.addEventListener('close', () => {
      if (currentPort === port) link.detach()
    })
    link.attach(new MessagePortLink({ port }))
    port.start()
  })
  window.postMessage(HOST_PORT_REQUEST, window.location.origin)
}

const RETRY_FIRST_MS = 200
const RETRY_MAX_MS = 3_000

/** Keeps one WebSocket open, trying again after a loss with growing pauses; being told that the network is back tries at once. */
export function connectThroughWebSocket(link: ResumableLink, url: string): void {
  let pauseMs = RETRY_FIRST_MS
  let retryTimer: ReturnType<typeof setTimeout> | undefined

  const open = (): void => {
    clearTimeout(retryTimer)
    retryTimer = undefined
    const websocket = new WebSocket(url)
    websocket.addEventListener('open', () => {
      pauseMs = RETRY_FIRST_MS
      link.attach(new WebSocketLink({ websocket }))
    })
    websocket.addEventListener('close', () => {
      link.detach()
      retryTimer = setTimeout(open, pauseMs)
      pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)
    })
  }

  window.addEventListener('online', () => {
    if (retryTimer !== undefined) open()
  })
  open()
}
