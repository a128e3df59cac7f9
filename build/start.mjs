/**
 * `npm start`: the desktop window, or, where there can be none, the console served to a browser. Arguments are those of
 * `weir serve`.
 */
import './check-node.mjs'
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const given = process.argv.slice(2)

// Until somebody else listens there is nothing to be stopped in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))

// Imported only now: in an old Node the module lacks it, which would be told before the check's own line.
const { enableCompileCache } = await import('node:module')
const { browserOption, checkArguments, desktopSettings } = await import('./arguments.ts')
const flags = await checkArguments(['serve', ...given])
const { bundleWhenStale } = await import('./bundle.ts')
await bundleWhenStale('all')
const { findDesktop } = await import('./desktop.ts')
const wish = browserOption(flags)
const desktop = wish === null ? await findDesktop() : { missing: `${wish} asks for the browser` }

if ('binary' in desktop) {
  const window = spawn(desktop.binary, [root], { stdio: 'inherit', env: { ...process.env, WEIR_DESKTOP_SETTINGS: desktopSettings(flags) } })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.removeAllListeners(signal)
    process.on(signal, () => window.kill(signal))
  }
  const { watchNpm } = await import('../broker/cli/parent-watch.ts')
  void watchNpm(() => window.kill('SIGTERM'))
  window.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))
} else {
  process.stderr.write(`No desktop window: ${desktop.missing}. Serving the console to the browser instead.\n`)
  enableCompileCache(join(root, 'node_modules/.cache/weir'))
  process.argv.splice(2, given.length, 'serve', '--open', ...given)
  await import('../out/main/weir.js')
}
