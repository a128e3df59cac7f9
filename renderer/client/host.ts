import { createORPCClient } from '@orpc/client'
import type { Ref } from 'vue'
import { webSocketPath, type HostClient } from '../../broker/contract/contract.ts'
import { shellGlobal } from '../../broker/contract/shell.ts'
import { ResumableLink, type ConnectionState } from './link.ts'
import { connectThroughMessagePort, connectThroughWebSocket } from './transports.ts'

export type { HostClient }

/** The window's one way to its host, and whether it is up. `epoch` grows with each new connection. */
export interface HostConnection {
  client: HostClient
  state: Readonly<Ref<ConnectionState>>
  epoch: Readonly<Ref<number>>
}

let connection: HostConnection | null = null

/** Set once, before the app is mounted: the real host, or the gallery's stand-in. */
export function setHost(next: HostConnection): void {
  connection = next
}

export function useHost(): HostConnection {
  if (connection === null) throw new Error('The host connection is used before it was set.')
  return connection
}

/** The calls themselves. */
export function host(): HostClient {
  return useHost().client
}

export function connectToHost(): HostConnection {
  const link = new ResumableLink()
  if (shellGlobal in window) connectThroughMessagePort(link)
  else connectThroughWebSocket(link, webSocketUrl(window.location))
  return { client: createORPCClient<HostClient>(link), state: link.state, epoch: link.epoch }
}

export function webSocketUrl(location: Pick<Location, 'protocol' | 'host'>): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${webSocketPath}`
}
