import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import type { ClusterOptions } from './types.ts'

/**
 * Where Weir keeps a person's things (settings, clusters): `WEIR_HOME`, or the platform's place for application data. The
 * command line and the desktop share it, so that the second one started finds the first.
 */
export function profileDirectory(): string {
  const { WEIR_HOME, APPDATA, XDG_DATA_HOME } = process.env
  if (WEIR_HOME !== undefined && WEIR_HOME !== '') return WEIR_HOME
  if (process.platform === 'win32') return join(APPDATA ?? join(homedir(), 'AppData/Roaming'), 'Weir')
  if (process.platform === 'darwin') return join(homedir(), 'Library/Application Support/Weir')
  return join(XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'weir')
}

/** The embedded cluster used when no folder is named. */
export function defaultDataDirectory(): string {
  return join(profileDirectory(), 'clusters', 'default')
}

/** What a person asked for, as plain data: without a folder it is the default one, or with `ephemeral` a temporary one. */
export interface ClusterSettings extends Omit<ClusterOptions, 'dataDirectory' | 'onNotice' | 'signal'> {
  readonly dataDirectory?: string
}

export function withFolder(env: Env, settings: ClusterSettings): ClusterOptions {
  const elsewhere = settings.ephemeral === true ? join(tmpdir(), `weir-${env.random.uuid()}`) : defaultDataDirectory()
  return { ...settings, dataDirectory: settings.dataDirectory ?? elsewhere }
}
