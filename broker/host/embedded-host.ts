/**
 * A host that owns a cluster: what `weir serve` and the desktop run. Owner of both; it ends the host first, so that nobody watches the
 * brokers go.
 */
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import { openCluster } from '../runtime/cluster.ts'
import { profileDirectory } from '../runtime/profile.ts'
import type { ClusterOptions, EmbeddedCluster } from '../runtime/types.ts'
import { createHost, type Host } from './host.ts'

/** The embedded cluster's id in every call, route and row. */
export const EMBEDDED_CLUSTER_ID = 'embedded'

export interface EmbeddedHostOptions {
  readonly env: Env
  readonly cluster: ClusterOptions
  readonly version: string
  /** The screen's files, where they are served to a browser. */
  readonly rendererDirectory?: string
  /** Starts the sample workload once the cluster is ready. */
  readonly demo?: boolean
}

export interface EmbeddedHost {
  readonly host: Host
  readonly cluster: EmbeddedCluster
  /** Where settings, connections and the journal are kept. */
  readonly dataDirectory: string
  /** As the cluster's; with `demo`, the sample workload runs by then. */
  whenReady(): Promise<void>
  close(): Promise<void>
}

/** Resolves while the cluster still starts. Rejects as `openCluster` does; nothing runs then. */
export async function startEmbeddedHost(options: EmbeddedHostOptions): Promise<EmbeddedHost> {
  const { env } = options
  const cluster = await openCluster(env, options.cluster)
  try {
    const host = await createHostFor(env, cluster, options)
    const socket = await host.serveSocket(cluster.ownerSocketPath)
    const ready = cluster.whenReady().then(() => {
      if (options.demo === true) host.startSample(EMBEDDED_CLUSTER_ID)
    })
    // Whoever asks hears of a failure; nobody has to ask.
    ready.catch(() => undefined)
    return {
      host,
      cluster,
      dataDirectory: profileOf(cluster),
      whenReady: () => ready,
      async close() {
        await socket.close()
        await host.close()
        await cluster.shutdown()
      },
    }
  } catch (error) {
    await cluster.shutdown()
    throw error
  }
}

/** A host on a cluster that the caller owns, and ends after it. */
export function createHostFor(
  env: Env,
  cluster: EmbeddedCluster,
  options: Pick<EmbeddedHostOptions, 'version' | 'rendererDirectory'>,
): Promise<Host> {
  const { version, rendererDirectory } = options
  const embedded = [{ cluster, id: EMBEDDED_CLUSTER_ID }]
  return createHost({ env, dataDirectory: profileOf(cluster), version, rendererDirectory, embedded })
}

/** What a temporary cluster's console remembers goes with it. */
function profileOf(cluster: EmbeddedCluster): string {
  return cluster.ephemeral ? join(cluster.dataDirectory, 'profile') : profileDirectory()
}
