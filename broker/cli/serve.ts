import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { createRealEnv } from '../env/real.ts'
import { createStderrLogger } from '../env/stderr-logger.ts'
import { startEmbeddedHost } from '../host/embedded-host.ts'
import { clusterOptions, type ProgramHooks, type ServeFlags } from './flags.ts'
import { readyEvent, type ReadyEvent } from './ready-event.ts'
import { untilAskedToEnd } from './until-asked-to-end.ts'

/** As `up` prints, and where the console is. */
export interface ServingEvent extends ReadyEvent {
  /** With the token that lets a browser in. */
  readonly url: string
}

/** Runs a cluster and serves the console to a browser until asked to end, then stops both in order. */
export async function serve(flags: ServeFlags, hooks: ProgramHooks): Promise<void> {
  const asked = untilAskedToEnd()
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: 'warn' }) })
  const owner = await startEmbeddedHost({
    env,
    cluster: clusterOptions(env, flags),
    version: packageJson.version,
    rendererDirectory: rendererDirectory(),
    demo: flags.demo === true,
  })
  try {
    const { url } = await owner.host.serveWeb({ port: flags.hostPort })
    if (flags.json !== true) process.stdout.write(`Console: ${url}\n`)
    if (flags.open === true) openInBrowser(url)
    const outcome = await Promise.race([owner.whenReady().then(() => 'ready' as const), asked])
    if (outcome !== 'ready') return
    const event: ServingEvent = { ...readyEvent(owner.cluster), url }
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(event)}\n` : `Bootstrap servers: ${event.bootstrapServers}. Ctrl-C ends it all.\n`,
    )
    hooks.onReady()
    await asked
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

/** On a machine without a browser, or a display, the printed address is all there is. */
function openInBrowser(url: string): void {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return
  const [command, ...parameters] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  if (command === undefined) return
  const opener = spawn(command, parameters, { stdio: 'ignore', detached: true })
  opener.on('error', () => undefined)
  opener.unref()
}
