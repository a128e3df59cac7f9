import { cpSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { forgetStamp, isFresh, takeStamp, writeStamp } from './stamp.ts'

/** `main` is every process but the screen; `all` adds the screen and the desktop's preload script. */
export type BundleScope = 'main' | 'all'

const root = resolve(import.meta.dirname, '..')
const common = ['build', 'package-lock.json', 'tsconfig.json']
const sources: Readonly<Record<BundleScope, readonly string[]>> = {
  main: ['broker', 'electron', ...common],
  all: ['broker', 'electron', 'renderer', ...common],
}
const results: Readonly<Record<BundleScope, readonly string[]>> = {
  main: ['out/main/weir.js', 'out/main/node-main.js'],
  all: ['out/main/weir.js', 'out/main/node-main.js', 'out/renderer/index.html', 'out/preload/preload.cjs'],
}
const stampOf = (scope: BundleScope): string => join(root, 'out', `stamp-${scope}.json`)

function isBuilt(scope: BundleScope): boolean {
  return results[scope].every((path) => existsSync(join(root, path))) && isFresh(root, sources[scope], stampOf(scope))
}

/** Builds what is missing or older than its sources; silent and quick when there is nothing to do. */
export async function bundleWhenStale(scope: BundleScope): Promise<void> {
  if (isBuilt(scope)) return
  process.stderr.write('Building Weir, once ...\n')
  await bundle(scope, 'warn')
}

export async function bundle(scope: BundleScope, logLevel: 'info' | 'warn'): Promise<void> {
  const covered: readonly BundleScope[] = scope === 'all' ? ['main', 'all'] : ['main']
  const stamps = covered.map((part) => ({ path: stampOf(part), stamp: takeStamp(root, sources[part]) }))
  for (const { path } of stamps) forgetStamp(path)
  const { build } = await import('electron-vite')
  process.env['WEIR_BUNDLE'] = scope
  await build({ root, configFile: join(root, 'build/electron.vite.config.ts'), logLevel, ignoreConfigWarning: true })
  cpSync(join(root, 'build/icons'), join(root, 'out/icons'), { recursive: true })
  for (const { path, stamp } of stamps) writeStamp(path, stamp)
}
