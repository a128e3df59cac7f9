/**
 * The host, as a process of the desktop's: it owns the cluster and answers the windows that main connects to it. A cluster that another
 * Weir runs is looked at through that one; when that one ends this ends too, and main's next start of it has the cluster itself.
 */
import packageJson from '../package.json' with { type: 'json' }
import { desktopSettings, runDesktopHost, type DesktopHost } from '../broker/host/desktop-host.ts'
import type { FromHost, ToHost } from './channels.ts'

const main = process.parentPort
const tell = (message: FromHost): void => main.postMessage(message)
const quitting = new AbortController()

const starting = runDesktopHost({
  version: packageJson.version,
  settings: desktopSettings(process.env),
  signal: quitting.signal,
  onProblem: (message) => tell({ type: 'failed', message }),
  onNotice: (message) => process.stderr.write(`${message}\n`),
})

main.on('message', ({ data, ports }) => {
  const message = data as ToHost
  if (message.type === 'shutdown') void end()
  else void starting.then((host) => connect(host, ports))
})

function connect(host: DesktopHost, ports: readonly Electron.MessagePortMain[]): void {
  for (const port of ports) host.attachPort(port)
}

async function end(): Promise<void> {
  quitting.abort()
  const host = await starting.catch(() => null)
  await host?.close()
  process.exit(0)
}

try {
  const { dataDirectory, lost } = await starting
  tell({ type: 'started', dataDirectory })
  void lost?.then(() => {
    process.stderr.write('The Weir that ran the cluster has ended.\n')
    process.exit(1)
  })
} catch (error) {
  if (!quitting.signal.aborted) {
    process.stderr.write(`The host could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(1)
  }
}
