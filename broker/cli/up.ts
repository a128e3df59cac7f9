import packageJson from '../../package.json' with { type: 'json' }
import { createRealEnv } from '../env/real.ts'
import { createStderrLogger } from '../env/stderr-logger.ts'
import type { Env } from '../env/types.ts'
import { serveHostOnDemand } from '../host/host-on-demand.ts'
import { openCluster } from '../runtime/cluster.ts'
import type { ClusterOptions, EmbeddedCluster } from '../runtime/types.ts'
import { clusterOptions, type ClusterFlags } from './flags.ts'
import { readyEvent } from './ready-event.ts'
import { readyBefore, unlessAsked, whenAsked, type CommandContext } from './until-asked-to-end.ts'

interface Running {
  readonly cluster: EmbeddedCluster
  whenReady(): Promise<void>
  close(): Promise<void>
}

/** Runs a cluster until asked to end, then stops it in order. */
export async function up(flags: ClusterFlags, { asked, onReady }: CommandContext): Promise<void> {
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: 'warn' }) })
  const options = clusterOptions(env, flags, asked)
  const running = await unlessAsked(asked, () => (flags.demo === true ? startWithSample(env, options) : startAlone(env, options)))
  if (running === null) return
  try {
    if (await readyBefore(asked, running.whenReady())) {
      announce(running.cluster, flags.json === true)
      onReady()
      await whenAsked(asked)
    }
  } finally {
    await running.close()
  }
}

async function startAlone(env: Env, options: ClusterOptions): Promise<Running> {
  const cluster = await openCluster(env, options)
  const makeHost = async () => (await import('../host/embedded-host.ts')).createHostFor(env, cluster, { version: packageJson.version })
  try {
    const door = await serveHostOnDemand(env, cluster.ownerSocketPath, makeHost)
    return {
      cluster,
      whenReady: () => cluster.whenReady(),
      async close() {
        await door.close()
        await cluster.shutdown()
      },
    }
  } catch (error) {
    await cluster.shutdown()
    throw error
  }
}

/** The sample workload is the host's; without it, the host's code is not even loaded. */
async function startWithSample(env: Env, options: ClusterOptions): Promise<Running> {
  const { startEmbeddedHost } = await import('../host/embedded-host.ts')
  return startEmbeddedHost({ env, cluster: options, version: packageJson.version, demo: true })
}

function announce(cluster: EmbeddedCluster, asJson: boolean): void {
  const event = readyEvent(cluster)
  if (asJson) {
    process.stdout.write(`${JSON.stringify(event)}\n`)
    return
  }
  const folder = cluster.ephemeral ? 'a temporary folder' : cluster.dataDirectory
  process.stdout.write(
    `${event.brokers.length === 1 ? '1 broker' : `${event.brokers.length} brokers`}, ready in ${event.readyMs} ms. Bootstrap servers: ${event.bootstrapServers}\nData in ${folder}. Ctrl-C ends it.\n`,
  )
}
