import type { Env } from '../env/types.ts'
import type { Host } from './host.ts'
import { serveLocalSocket } from './local-socket.ts'

/**
 * Serves a cluster's socket without a host: one is made when the first console connects, and serves all from then on. So a cluster alone
 * stays small, and can be looked at all the same. `makeHost` is tried again for the next console when it fails.
 */
export async function serveHostOnDemand(env: Env, path: string, makeHost: () => Promise<Host>): Promise<{ close(): Promise<void> }> {
  let making: Promise<Host> | null = null
  const server = await serveLocalSocket(path, (port) => {
    making ??= makeHost()
    making.then(
      (host) => host.attach(port),
      (error: unknown) => {
        making = null
        env.log.write('error', 'The console for another Weir could not be made', { error })
        port.close()
      },
    )
  })
  return {
    async close() {
      await server.close()
      const host = await making?.catch(() => null)
      await host?.close()
    },
  }
}
