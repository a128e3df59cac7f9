/**
 * The listeners of a node: binds what the configuration names, and says which addresses clients are to be told.
 *
 * The same name twice is one listener on two addresses (127.0.0.1 and ::1); when the port is free to choose, the second
 * takes the first one's. What cannot be bound ends the start, and what was bound before is let go.
 */
import type { Endpoint } from '../cluster/image.ts'
import type { Env } from '../env/types.ts'
import { serve } from '../net/server.ts'
import type { ConnectionStats, RequestHandler, Server, ServerLimits } from '../net/types.ts'
import { INTERNAL_LISTENER } from '../api/context.ts'
import type { ListenerConfig, NodeConfig } from './config.ts'
import type { BoundListener } from './running-node.ts'

export interface Listeners {
  readonly bound: readonly BoundListener[]
  /** One for each name, in the order of the configuration. */
  readonly endpoints: readonly Endpoint[]
  connections(): readonly ConnectionStats[]
  close(options: { readonly graceMs: number }): Promise<void>
}

/** SecurityProtocol PLAINTEXT, in registrations. */
const PLAINTEXT = 0
const wildcardHosts = new Set(['0.0.0.0', '::', ''])

export async function bindListeners(
  env: Env,
  config: Pick<NodeConfig, 'listeners' | 'internalSecret'>,
  limits: Partial<ServerLimits>,
  handler: RequestHandler,
): Promise<Listeners> {
  const servers: Server[] = []
  const bound: BoundListener[] = []
  try {
    for (const listener of config.listeners) {
      const port = listener.port === 0 ? (bound.find(({ name }) => name === listener.name)?.port ?? 0) : listener.port
      const server = await serve(env, optionsOf(listener, port, config.internalSecret, limits), handler)
      servers.push(server)
      bound.push({ name: listener.name, host: listener.host, port: server.address.port })
    }
  } catch (error) {
    await Promise.all(servers.map((server) => server.close({ graceMs: 0 })))
    throw error
  }
  return {
    bound,
    endpoints: endpointsOf(config.listeners, bound),
    connections: () => servers.flatMap((server) => server.connections()),
    async close(options) {
      await Promise.all(servers.map((server) => server.close(options)))
    },
  }
}

function optionsOf({ name, host }: ListenerConfig, port: number, secret: string, limits: Partial<ServerLimits>) {
  const options = { name, address: { host, port }, limits }
  return name === INTERNAL_LISTENER ? { ...options, preamble: { secret } } : options
}

function endpointsOf(listeners: readonly ListenerConfig[], bound: readonly BoundListener[]): readonly Endpoint[] {
  const endpoints = new Map<string, Endpoint>()
  for (const [index, { name, host, advertisedHost, advertisedPort }] of listeners.entries()) {
    if (endpoints.has(name)) continue
    const reachableHost = advertisedHost ?? (wildcardHosts.has(host) ? 'localhost' : host)
    endpoints.set(name, { name, host: reachableHost, port: advertisedPort ?? bound[index]!.port, securityProtocol: PLAINTEXT })
  }
  return [...endpoints.values()]
}
