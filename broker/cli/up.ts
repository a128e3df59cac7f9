import packageJson from '../../package.json' with { type: 'json' }
import { createRealEnv } from '../env/real.ts'
import { createStderrLogger } from '../env/stderr-logger.ts'
import type { Env } from '../env/types.ts'
import { openCluster } from '../runtime/cluster.ts'
import type { EmbeddedCluster } from '../runtime/types.ts'
import { clusterOptions, type ClusterFlags, type ProgramHooks } from './flags.ts'
import { readyEvent } from './ready-event.ts'
import { untilAskedToEnd } from './until-asked-to-end.ts'

interface Running {
  readonly cluster: EmbeddedCluster
  whenReady(): Promise<void>
  close(): Promise<void>
}

/** Runs a cluster until asked to end, then stops it in order. */
export async function up(flags: ClusterFlags, hooks: ProgramHooks): Promise<void> {
  const asked = untilAskedToEnd()
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: 'warn' }) })
  const running = flags.demo === true ? await startWithSample(env, flags) : await startAlone(env, flags)
  try {
    const outcome = await Promise.race([running.whenReady().then(() => 'ready' as const), asked])
    if (outcome === 'ready') {
      announce(running.cluster, flags.json === true)
      hooks.onReady()
      await asked
    }
  } finally {
    await running.close()
  }
}

async function startAlone(env: Env, flags: ClusterFlags): Promise<Running> {
  const cluster = await openCluster(env, clusterOptions(env, flags))
  return { cluster, whenReady: () => cluster.whenReady(), close: () => cluster.shutdown() }
}

/** The sample workload is the host's; without it, the host's code is not even loaded. */
async function startWithSample(env: Env, flags: ClusterFlags): Promise<Running> {
  const { startEmbeddedHost } = await import('../host/embedded-host.ts')
  return startEmbeddedHost({ env, cluster: clusterOptions(env, flags), version: packageJson.version, demo: true })
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
