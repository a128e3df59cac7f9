import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'

export function appRouter(services: HostServices) {
  return {
    info: implementer.app.info.handler(() => ({
      version: services.version,
      pid: process.pid,
      startedMs: services.startedMs,
      platform: process.platform,
      dataDirectory: services.dataDirectory,
      defaultClusterId: services.clusters.views()[0]?.id ?? null,
    })),
    acknowledge: implementer.app.acknowledge.handler(({ input }) => {
      services.streams.acknowledge(input.streamId, input.cursor)
      return null
    }),
  }
}
