import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { HostClient } from '../../broker/contract/contract.ts'

export interface HostWindow {
  readonly client: HostClient
  /** The window's end; closing it closes the host's. */
  readonly port: NodePort
}

/** A window onto a host of this process, over a message port as the desktop's. `attach` hands the other end to the host. */
export function openWindow(attach: (port: NodePort) => void): HostWindow {
  const { port1, port2 } = new MessageChannel()
  attach(port1)
  const client = createORPCClient<HostClient>(new RPCLink({ port: port2 as unknown as MessagePort }))
  port2.start()
  return { client, port: port2 }
}
