import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
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

/** Whether what is there is as new as its sources. */
export function isBuilt(scope: BundleScope): boolean {
  return results[scope].every((path) => existsSync(join(root, path))) && isFresh(root, sources[scope], stampOf(scope))
}

/** Builds what is missing or older than its sources; silent and quick when there is nothing to do. */
export async function bundleWhenStale(scope: BundleScope): Promise<void> {
  if (isBuilt(scope)) return
  await alone(async () => {
    // Another process may have done it while this one waited.
    if (isBuilt(scope)) return
    process.stderr.write('Building Weir, once ...\n')
    await makeElsewhere(scope)
  })
}

/** In a process of its own: what a build leaves in memory is several times what Weir needs. */
async function makeElsewhere(scope: BundleScope): Promise<void> {
  const builder = spawn(process.execPath, [import.meta.filename, scope], {
    cwd: root,
    // A build's chatter is no output of the command that needs it.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, WEIR_BUNDLE_KEEP: '1' },
  })
  const end = (): void => void builder.kill()
  process.once('exit', end)
  const [code] = (await once(builder, 'exit')) as [number | null]
  process.off('exit', end)
  if (code !== 0) throw new Error('Weir could not be built from its sources; the reason is above.')
}

/** Builds from nothing. */
export async function bundle(scope: BundleScope, logLevel: 'info' | 'warn'): Promise<void> {
  await alone(() => make(scope, logLevel))
}

async function make(scope: BundleScope, logLevel: 'info' | 'warn'): Promise<void> {
  const covered: readonly BundleScope[] = scope === 'all' ? ['main', 'all'] : ['main']
  const stamps = covered.map((part) => ({ path: stampOf(part), stamp: takeStamp(root, sources[part]) }))
  for (const { path } of stamps) forgetStamp(path)
  const { build } = await import('electron-vite')
  process.env['WEIR_BUNDLE'] = scope
  await build({ root, configFile: join(root, 'build/electron.vite.config.ts'), logLevel, ignoreConfigWarning: true })
  cpSync(join(root, 'build/icons'), join(root, 'out/icons'), { recursive: true })
  for (const { path, stamp } of stamps) writeStamp(path, stamp)
}

const lockPath = join(root, 'out', '.building')
const lockPollMs = 100

/** One build at a time in a checkout. A builder that died is recognised by its process id. */
async function alone(work: () => Promise<void>): Promise<void> {
  mkdirSync(join(root, 'out'), { recursive: true })
  while (!takeLock()) {
    if (holderIsGone()) rmSync(lockPath, { force: true })
    else await wait(lockPollMs)
  }
  try {
    await work()
  } finally {
    rmSync(lockPath, { force: true })
  }
}

function takeLock(): boolean {
  try {
    writeFileSync(lockPath, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function holderIsGone(): boolean {
  try {
    const pid = Number(readFileSync(lockPath, 'utf8'))
    // Between its creation and its first byte the file is empty.
    if (pid > 0) process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

const asked = process.argv[2]
if (import.meta.main && (asked === 'main' || asked === 'all')) await make(asked, 'warn')
