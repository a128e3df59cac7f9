import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleWhenStale } from '../../build/bundle.ts'
import type { ReadyLine } from '../support/weir-process.ts'

/**
 * The layout an installed Weir has: bundles and the packages with native code, no sources, no tools. What is imported
 * and not bundled, or found through a path that only a checkout has, fails here.
 */
const root = resolve(import.meta.dirname, '../..')
let installed = ''

beforeAll(async () => {
  await bundleWhenStale('main')
  installed = await mkdtemp(join(tmpdir(), 'weir-installed-'))
  const { name, version, type, dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(installed, 'package.json'), JSON.stringify({ name, version, type, dependencies }))
  await cp(join(root, 'out'), join(installed, 'out'), { recursive: true })
  for (const dependency of await nativePackages(Object.keys(dependencies as object))) {
    await cp(join(root, 'node_modules', dependency), join(installed, 'node_modules', dependency), { recursive: true, dereference: true })
  }
})
afterAll(() => rm(installed, { recursive: true, force: true }))

/** The packages themselves, what they need, and the platform's binaries among their optional parts. */
async function nativePackages(names: readonly string[], seen = new Set<string>()): Promise<ReadonlySet<string>> {
  for (const name of names) {
    if (seen.has(name)) continue
    const manifest = await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8').catch(() => null)
    // Another platform's binary.
    if (manifest === null) continue
    seen.add(name)
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(manifest) as Record<string, Record<string, string>>
    await nativePackages([...Object.keys(dependencies), ...Object.keys(optionalDependencies)], seen)
  }
  return seen
}

test('a cluster starts from the built output alone, and stops', async () => {
  const weir = spawn(process.execPath, [join(installed, 'out/main/weir.js'), 'up', '--ephemeral', '--port', '0', '--json'], {
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(weir, 'exit')
  const [line] = (await Promise.race([once(createInterface({ input: weir.stdout }), 'line'), exited])) as [string]
  const ready = JSON.parse(line) as ReadyLine
  expect(ready).toMatchObject({ event: 'ready', pid: weir.pid })
  expect(ready.brokers).toHaveLength(3)
  weir.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})
