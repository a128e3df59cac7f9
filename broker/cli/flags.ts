import { resolve } from 'node:path'
import type { Env } from '../env/types.ts'
import { withFolder, type ClusterSettings } from '../runtime/profile.ts'
import type { ClusterNotice, ClusterOptions, RestartPolicy } from '../runtime/types.ts'

/** What `up` and `serve` share, as commander hands it over. */
export interface ClusterFlags {
  readonly brokers?: number
  readonly controllers?: number
  readonly combined?: boolean
  readonly port?: number
  readonly advertise?: readonly string[]
  readonly dataDir?: string
  readonly ephemeral?: boolean
  readonly restart: RestartPolicy
  readonly demo?: boolean
  readonly json?: boolean
}

export interface ServeFlags extends ClusterFlags {
  readonly hostPort?: number
  readonly open?: boolean
}

/** What the options ask for, wherever the cluster is then run from: as plain data, to be handed to another process. */
export function clusterSettings({
  brokers,
  controllers,
  combined,
  port,
  advertise,
  dataDir,
  ephemeral,
  restart,
}: ClusterFlags): ClusterSettings {
  const dataDirectory = dataDir === undefined ? undefined : resolve(dataDir)
  return { brokers, controllers, combined, port, advertise, dataDirectory, ephemeral, restart }
}

/** Those given that shape or fill a cluster, as typed: without effect on one that runs already. */
export function namedClusterOptions({ brokers, controllers, combined, port, advertise, restart, demo }: ClusterFlags): readonly string[] {
  const given = { brokers, controllers, combined, port, advertise, demo, restart: restart === 'never' ? undefined : restart }
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
}

export function clusterOptions(env: Env, flags: ClusterFlags, signal: AbortSignal): ClusterOptions {
  return { ...withFolder(env, clusterSettings(flags)), onNotice: say, signal }
}

/** Notices go to stderr: stdout is for the address, or the one line of `--json`. */
function say({ message, kafkaAt }: ClusterNotice): void {
  const offer = kafkaAt === undefined ? '' : ` To look at that one, add a connection to ${kafkaAt} in the console.`
  process.stderr.write(`${message}${offer}\n`)
}
