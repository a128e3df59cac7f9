import type { TruckPositions } from '../../contract/sample.ts'
import { implementer } from '../rpc/implementer.ts'
import { pause } from '../rpc/waiting.ts'
import type { HostServices } from '../services.ts'

const watchIntervalMs = 500
const positionsIntervalMs = 250
const os = implementer.sample

export function sampleRouter(services: HostServices) {
  const { clusters, samples, streams, env } = services

  async function* positions(clusterId: string, signal: AbortSignal): AsyncGenerator<TruckPositions, void, void> {
    while (!signal.aborted) {
      const now = samples.positions(clusterId)
      if (now !== null) yield now
      await pause(env, positionsIntervalMs, signal)
    }
  }

  return {
    start: os.start.handler(({ input }) => startSample(services, input.clusterId, input.speed)),
    stop: os.stop.handler(async ({ input }) => {
      const session = clusters.get(input.clusterId)
      const isRunning = samples.positions(session.id) !== null
      const state = await samples.stop(session.id)
      if (isRunning) {
        services.journal.change({
          clusterId: session.id,
          action: 'sample.stop',
          subject: 'sample workload',
          summary: 'Stopped the sample workload.',
        })
      }
      return state
    }),
    setSpeed: os.setSpeed.handler(({ input }) => samples.setSpeed(input.clusterId, input.speed)),
    setConsumerPace: os.setConsumerPace.handler(({ input }) => samples.setPace(input.clusterId, input.groupId, input.recordsPerSecondMax)),
    watch: os.watch.handler(({ input, signal }) => {
      clusters.get(input.clusterId)
      return streams.state({ read: () => samples.state(input.clusterId), changes: samples.changes, intervalMs: watchIntervalMs }, signal)
    }),
    positions: os.positions.handler(({ input, signal }) => {
      clusters.get(input.clusterId)
      return streams.batches((ending) => positions(input.clusterId, ending), signal)
    }),
  }
}

export function startSample({ clusters, samples, journal }: HostServices, clusterId: string, speed: 1 | 10 | 100) {
  const session = clusters.get(clusterId)
  session.demandWritable('Starting the sample workload')
  const state = samples.start(session, speed)
  journal.change({
    clusterId,
    action: 'sample.start',
    subject: 'sample workload',
    summary: `Started the sample workload at speed x${speed}.`,
  })
  return state
}
