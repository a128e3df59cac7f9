/**
 * `npm run weir -- <arguments>`: the command line, from a bundle that is made when missing or stale. It runs in this very
 * process, so that the process id it reports is the one npm started and signals reach it.
 */
import './check-node.mjs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const needsScreen = process.argv[2] === 'serve'

// Imported only now: in an old Node the module lacks it, which would be told before the check's own line.
const { enableCompileCache } = await import('node:module')
const { bundleWhenStale } = await import('./bundle.ts')
await bundleWhenStale(needsScreen ? 'all' : 'main')
enableCompileCache(join(root, 'node_modules/.cache/weir'))
await import('../out/main/weir.js')
