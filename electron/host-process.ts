/**
 * The host, as a process of the desktop's: it owns the cluster and answers the windows that main connects to it. Where the cluster cannot
 * be had (another Weir runs it), it goes on without, for the remote ones.
 */
import packageJson from '../package.json' with { type: 'json' }
import { runDesktopHost, type DesktopHost } from '../broker/host/desktop-host.ts'
import type { FromHost, ToHost } from './channels.ts'

const main = process.parentPort
const tell = (message: FromHost): void => main.postMessage(message)

const starting = runDesktopHost({ version: packageJson.version, onProblem: (message) => tell({ type: 'failed', message }) })

main.on('message', ({ data, ports }) => {
  const message = data as ToHost
  if (message.type === 'shutdown') void end()
  else void starting.then((host) => connect(host, ports))
})

function connect(host: DesktopHost, ports: readonly Electron.MessagePortMain[]): void {
  for (const port of ports) host.attachPort(port)
}

async function end(): Promise<void> {
  const host = await starting.catch(() => null)
  await host?.close()
  process.exit(0)
}

try {
  const { dataDirectory } = await starting
  tell({ type: 'started', dataDirectory })
} catch (error) {
  process.stderr.write(`The host could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}
