import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Env } from '../env/types.ts'
import { defaultDataDirectory } from '../runtime/profile.ts'
import type { ClusterNotice, ClusterOptions, RestartPolicy } from '../runtime/types.ts'

/** What `up` and `serve` share, as commander hands it over. */
export interface ClusterFlags {
  readonly brokers?: number
  readonly controllers?: number
  readonly combined?: boolean
  readonly port?: number
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

export interface ProgramHooks {
  /** Called once the command has done its start-up work. */
  onReady(): void
}

export function clusterOptions(env: Env, flags: ClusterFlags): ClusterOptions {
  const ephemeral = flags.ephemeral === true
  return {
    dataDirectory: ephemeral ? join(tmpdir(), `weir-${env.random.uuid()}`) : resolve(flags.dataDir ?? defaultDataDirectory()),
    ephemeral,
    brokers: flags.brokers,
    controllers: flags.controllers,
    combined: flags.combined,
    port: flags.port,
    restart: flags.restart,
    onNotice: say,
  }
}

/** Notices go to stderr: stdout is for the address, or the one line of `--json`. */
function say({ message, kafkaAt }: ClusterNotice): void {
  const offer = kafkaAt === undefined ? '' : ` To look at that one, add a connection to ${kafkaAt} in the console.`
  process.stderr.write(`${message}${offer}\n`)
}
