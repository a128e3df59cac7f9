import { createRealEnv } from '../env/real.ts'
import type { Env } from '../env/types.ts'
import { profileDirectory, withFolder, type ClusterSettings } from '../runtime/profile.ts'
import { RuntimeError, type ClusterOptions } from '../runtime/types.ts'
import { attachToOwner } from './attached-host.ts'
import { startEmbeddedHost } from './embedded-host.ts'
import { createHost, type Host } from './host.ts'
import { fromPlatformPort } from './transports/host-port.ts'

export interface DesktopHost extends Pick<Host, 'attachPort'> {
  readonly dataDirectory: string
  /** Resolves when another process ran the cluster and has ended: this host has nothing to show any more. */
  readonly lost?: Promise<void>
  /** Stops the cluster in order. */
  close(): Promise<void>
}

/** The options of `npm start`, checked by the command line's own parser before they get here. */
export interface DesktopSettings extends ClusterSettings {
  readonly demo?: boolean
}

export interface DesktopHostOptions {
  readonly version: string
  readonly settings: DesktopSettings
  /** Aborted when the desktop quits while this still opens. */
  readonly signal: AbortSignal
  /** A sentence for people: why the embedded cluster is missing. */
  readonly onProblem: (message: string) => void
  /** A sentence for people: what is otherwise than expected. */
  readonly onNotice: (message: string) => void
}

/** From the environment of the desktop's processes; none are there when an installed Weir is opened. */
export function desktopSettings(environment: NodeJS.ProcessEnv): DesktopSettings {
  const text = environment['WEIR_DESKTOP_SETTINGS']
  return text === undefined || text === '' ? {} : (JSON.parse(text) as DesktopSettings)
}

/**
 * The desktop's host, on the cluster of the person's profile or the one asked for. A cluster that another Weir runs is looked at through
 * that one; where it cannot be had at all the console still starts, for the remote clusters.
 */
export async function runDesktopHost(options: DesktopHostOptions): Promise<DesktopHost> {
  const { version, signal, onProblem, onNotice } = options
  const { demo = false, ...settings } = options.settings
  const env = createRealEnv()
  const cluster: ClusterOptions = { ...withFolder(env, settings), signal, onNotice: ({ message }) => onNotice(message) }
  try {
    return await runOwn(env, cluster, version, demo)
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    if (error.code !== 'FOLDER_IN_USE') return runWithout(env, version, error, onProblem)
    return runAttached(env, cluster, version).catch((reason: unknown) => {
      if (!(reason instanceof RuntimeError)) throw reason
      return runWithout(env, version, reason, onProblem)
    })
  }
}

async function runOwn(env: Env, cluster: ClusterOptions, version: string, demo: boolean): Promise<DesktopHost> {
  const owner = await startEmbeddedHost({ env, version, cluster, demo })
  return { attachPort: (port) => owner.host.attachPort(port), dataDirectory: owner.dataDirectory, close: () => owner.close() }
}

async function runAttached(env: Env, { dataDirectory, signal }: ClusterOptions, version: string): Promise<DesktopHost> {
  const attached = await attachToOwner(env, { dataDirectory, version, signal })
  return {
    attachPort: (port) => attached.attach(fromPlatformPort(port)),
    dataDirectory: profileDirectory(),
    lost: attached.lost,
    close: () => attached.close(),
  }
}

async function runWithout(env: Env, version: string, problem: RuntimeError, onProblem: (message: string) => void): Promise<DesktopHost> {
  onProblem(problem.message)
  const dataDirectory = profileDirectory()
  const host = await createHost({ env, dataDirectory, version })
  return { attachPort: (port) => host.attachPort(port), dataDirectory, close: () => host.close() }
}
