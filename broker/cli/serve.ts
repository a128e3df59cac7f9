import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { createRealEnv } from '../env/real.ts'
import { createStderrLogger } from '../env/stderr-logger.ts'
import { startEmbeddedHost, type EmbeddedHost } from '../host/embedded-host.ts'
import { RuntimeError } from '../runtime/types.ts'
import { clusterOptions, type ServeFlags } from './flags.ts'
import { openInBrowser } from './open-in-browser.ts'
import { readyEvent, type ReadyEvent } from './ready-event.ts'
import { serveAttached } from './serve-attached.ts'
import { readyBefore, unlessAsked, whenAsked, type CommandContext } from './until-asked-to-end.ts'

/** As `up` prints, and where the console is. */
export interface ServingEvent extends ReadyEvent {
  /** With the token that lets a browser in. */
  readonly url: string
}

/** Runs a cluster and serves the console to a browser until asked to end, then stops both in order. On a folder that is run already: attaches. */
export async function serve(flags: ServeFlags, context: CommandContext): Promise<void> {
  const { asked } = context
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: 'warn' }) })
  const cluster = clusterOptions(env, flags, asked)
  const screen = { version: packageJson.version, rendererDirectory: rendererDirectory() }
  const demo = flags.demo === true
  try {
    const owner = await unlessAsked(asked, () => startEmbeddedHost({ env, cluster, ...screen, demo }))
    if (owner !== null) await serveOwn(owner, flags, context)
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== 'FOLDER_IN_USE') throw error
    await serveAttached(env, flags, { ...screen, dataDirectory: cluster.dataDirectory }, context)
  }
}

async function serveOwn(owner: EmbeddedHost, flags: ServeFlags, { asked, onReady }: CommandContext): Promise<void> {
  try {
    const { url } = await owner.host.serveWeb({ port: flags.hostPort })
    await owner.cluster.announceConsole(new URL(url).origin)
    if (flags.json !== true) process.stdout.write(`Console: ${url}\n`)
    if (flags.open === true) openInBrowser(url)
    if (!(await readyBefore(asked, owner.whenReady()))) return
    const event: ServingEvent = { ...readyEvent(owner.cluster), url }
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(event)}\n` : `Bootstrap servers: ${event.bootstrapServers}. Ctrl-C ends it all.\n`,
    )
    onReady()
    await whenAsked(asked)
  } finally {
    await owner.close()
  }
}

/** The bundle moves this file, so the screen's files are looked for from here upwards. */
function rendererDirectory(): string {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    const candidate = join(folder, 'out/renderer')
    if (existsSync(join(candidate, 'index.html'))) return candidate
  }
  return join(import.meta.dirname, '../renderer')
}
