import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'

const watchIntervalMs = 1_000

export function connectionsRouter({ clusters, streams }: HostServices) {
  return {
    watch: implementer.connections.watch.handler(({ input, signal }) => {
      const { connections } = clusters.get(input.clusterId)
      return streams.state({ read: () => connections.list(), changes: connections.changes, intervalMs: watchIntervalMs }, signal)
    }),
  }
}
