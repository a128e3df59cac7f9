import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { HostClient } from '../contract/contract.ts'
import { connectLocalPort } from './local-socket.ts'
import { HostError } from './problem.ts'

const connectDeadlineMs = 3_000

export interface LocalConnection {
  readonly client: HostClient
  onClose(listener: () => void): void
  close(): void
}

/** A client of the host that serves `path`. Rejects with `HOST_LOST` when nobody answers there. */
export async function connectLocal(path: string): Promise<LocalConnection> {
  const port = await connectLocalPort(path, { withinMs: connectDeadlineMs }).catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : String(error)
    throw new HostError('HOST_LOST', `No Weir answers at ${path}.`, { subject: path, cause }, { cause: error })
  })
  const link = new RPCLink({
    port: {
      on(event: string, callback: (event?: { data: unknown }) => void) {
        if (event === 'message') port.onMessage((data) => callback({ data }))
        if (event === 'close') port.onClose(() => callback())
      },
      postMessage: (data: string | Uint8Array) => port.postMessage(data),
    },
  })
  return { client: createORPCClient<HostClient>(link), onClose: (listener) => port.onClose(listener), close: () => port.close() }
}
