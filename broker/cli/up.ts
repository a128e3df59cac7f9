import { createRealEnv } from '../env/real.ts'
import { createStderrLogger } from '../env/stderr-logger.ts'
import { openCluster } from '../runtime/cluster.ts'
import type { EmbeddedCluster } from '../runtime/types.ts'
import { clusterOptions, type ClusterFlags, type ProgramHooks } from './flags.ts'
import { readyEvent } from './ready-event.ts'
import { untilAskedToEnd } from './until-asked-to-end.ts'

/** Runs a cluster until asked to end, then stops it in order. */
export async function up(flags: ClusterFlags, hooks: ProgramHooks): Promise<void> {
  const asked = untilAskedToEnd()
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: 'warn' }) })
  const cluster = await openCluster(env, clusterOptions(env, flags))
  try {
    const outcome = await Promise.race([cluster.whenReady().then(() => 'ready' as const), asked])
    if (outcome === 'ready') {
      announce(cluster, flags.json === true)
      hooks.onReady()
      await asked
    }
  } finally {
    await cluster.shutdown()
  }
}

function announce(cluster: EmbeddedCluster, asJson: boolean): void {
  const event = readyEvent(cluster)
  if (asJson) {
    process.stdout.write(`${JSON.stringify(event)}\n`)
    return
  }
  const folder = cluster.ephemeral ? 'a temporary folder' : cluster.dataDirectory
  process.stdout.write(
    `${event.brokers.length} brokers, ready in ${event.readyMs} ms. Bootstrap servers: ${event.bootstrapServers}\nData in ${folder}. Ctrl-C ends it.\n`,
  )
}
