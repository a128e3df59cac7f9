/**
 * `npm run weir -- <arguments>`: the command line, from a bundle that is made when missing or stale. It runs in this very
 * process, so that the process id it reports is the one npm started and signals reach it.
 */
import './check-node.mjs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const given = process.argv.slice(2)

// Until the command listens itself there is nothing to be stopped in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))

// Imported only now: in an old Node the module lacks it, which would be told before the check's own line.
const { enableCompileCache } = await import('node:module')
const { bundleWhenStale, isBuilt } = await import('./bundle.ts')
const scope = given[0] === 'serve' ? 'all' : 'main'
if (!isBuilt(scope)) {
  // Nobody waits for a build to be told of a mistyped option.
  const { checkArguments } = await import('./arguments.ts')
  await checkArguments(given)
  await bundleWhenStale(scope)
}
enableCompileCache(join(root, 'node_modules/.cache/weir'))
await import('../out/main/weir.js')
