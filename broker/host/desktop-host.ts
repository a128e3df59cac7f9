import { createRealEnv } from '../env/real.ts'
import { defaultDataDirectory, profileDirectory } from '../runtime/profile.ts'
import { RuntimeError } from '../runtime/types.ts'
import { startEmbeddedHost } from './embedded-host.ts'
import { createHost, type Host } from './host.ts'

export interface DesktopHost extends Pick<Host, 'attachPort'> {
  readonly dataDirectory: string
  /** Stops the cluster in order. */
  close(): Promise<void>
}

export interface DesktopHostOptions {
  readonly version: string
  /** A sentence for people: why the embedded cluster is missing. */
  readonly onProblem: (message: string) => void
}

/**
 * The desktop's host, on the default cluster of the person's profile. When that cluster cannot be had (another Weir runs it) the console
 * still starts, for the remote clusters.
 */
export async function runDesktopHost({ version, onProblem }: DesktopHostOptions): Promise<DesktopHost> {
  const env = createRealEnv()
  try {
    const owner = await startEmbeddedHost({ env, version, cluster: { dataDirectory: defaultDataDirectory() } })
    return { attachPort: (port) => owner.host.attachPort(port), dataDirectory: owner.dataDirectory, close: () => owner.close() }
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    onProblem(error.message)
    const dataDirectory = profileDirectory()
    const host = await createHost({ env, dataDirectory, version })
    return { attachPort: (port) => host.attachPort(port), dataDirectory, close: () => host.close() }
  }
}
