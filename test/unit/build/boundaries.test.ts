import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { layers } from '../../../build/layers.ts'

/**
 * A gate that reads nothing passes. So the gate runs here over a tree with one planted violation per rule, half of them
 * type-only imports, and every one must be reported.
 */
const root = resolve(import.meta.dirname, '../../..')

interface Planted {
  readonly rule: string
  readonly from: string
  readonly source: string
}

const value = (path: string): string => `import { it } from '${path}'\nexport const other = it\n`
const type = (path: string): string => `import type { It } from '${path}'\nexport type Other = It\n`

const planted: readonly Planted[] = [
  { rule: 'layer-wire', from: 'broker/wire/bad.ts', source: type('../env/it.ts') },
  { rule: 'layer-env', from: 'broker/env/bad.ts', source: value('../wire/it.ts') },
  { rule: 'layer-contract', from: 'broker/contract/bad.ts', source: type('../client/it.ts') },
  { rule: 'layer-schemas', from: 'broker/api/99-bad.schema.ts', source: value('../log/it.ts') },
  { rule: 'layer-net', from: 'broker/net/bad.ts', source: value('../api/98-it.schema.ts') },
  { rule: 'layer-log', from: 'broker/log/bad.ts', source: type('../net/it.ts') },
  { rule: 'layer-quorum', from: 'broker/quorum/bad.ts', source: type('../log/it.ts') },
  { rule: 'layer-cluster', from: 'broker/cluster/bad.ts', source: value('../net/it.ts') },
  { rule: 'layer-coordinator', from: 'broker/coordinator/bad.ts', source: value('../env/it.ts') },
  { rule: 'layer-security', from: 'broker/security/bad.ts', source: type('../net/it.ts') },
  { rule: 'layer-quota', from: 'broker/quota/bad.ts', source: value('../log/it.ts') },
  { rule: 'layer-api', from: 'broker/api/98-bad.ts', source: type('../net/it.ts') },
  { rule: 'layer-client', from: 'broker/client/bad.ts', source: value('../log/it.ts') },
  { rule: 'layer-fault', from: 'broker/fault/bad.ts', source: value('../net/it.ts') },
  { rule: 'layer-node', from: 'broker/node/bad.ts', source: type('../runtime/it.ts') },
  { rule: 'layer-runtime', from: 'broker/runtime/bad.ts', source: value('../node/it.ts') },
  { rule: 'layer-mirror', from: 'broker/mirror/bad.ts', source: value('../host/it.ts') },
  { rule: 'layer-monitor', from: 'broker/monitor/bad.ts', source: type('../runtime/it.ts') },
  { rule: 'layer-scenario', from: 'broker/scenario/bad.ts', source: value('../host/it.ts') },
  { rule: 'layer-store', from: 'broker/store/bad.ts', source: value('../wire/it.ts') },
  { rule: 'layer-host', from: 'broker/host/bad.ts', source: value('../cli/it.ts') },
  { rule: 'layer-cli', from: 'broker/cli/bad.ts', source: type('../../electron/it.ts') },
  { rule: 'layer-electron', from: 'electron/bad.ts', source: value('../broker/host/it.ts') },
  { rule: 'layer-electron-host-process', from: 'electron/host-process.ts', source: value('../broker/client/it.ts') },
  {
    rule: 'layer-renderer',
    from: 'renderer/bad.vue',
    source: `<script setup lang="ts">\nimport type { It } from '../broker/host/it.ts'\ndefineProps<{ it: It }>()\n</script>\n<template><p /></template>\n`,
  },
  { rule: 'no-cycle', from: 'broker/wire/back.ts', source: `import type { Circle } from './circle.ts'\nexport type Back = Circle\n` },
  {
    rule: 'no-electron-outside-electron',
    from: 'broker/host/window.ts',
    source: `import type { App } from 'electron'\nexport type Other = App\n`,
  },
  { rule: 'no-node-in-renderer', from: 'renderer/path.ts', source: `import { sep } from 'node:path'\nexport const other = sep\n` },
  {
    rule: 'platform-through-env',
    from: 'broker/log/disk.ts',
    source: `import { readFileSync } from 'node:fs'\nexport const other = readFileSync\n`,
  },
  { rule: 'sqlite-in-store', from: 'broker/host/sql.ts', source: `import Database from 'better-sqlite3'\nexport const other = Database\n` },
  { rule: 'no-unresolvable', from: 'broker/host/nowhere.ts', source: value('./nowhere-at-all.ts') },
]

const rooms = layers
  .map((layer) => layer.name)
  .filter((name) => !['electron-host-process', 'electron', 'renderer', 'schemas'].includes(name))
const innocent = 'export const it = 1\nexport type It = number\n'
const files = new Map<string, string>([
  ...rooms.map((name): [string, string] => [`broker/${name}/it.ts`, innocent]),
  ['broker/api/98-it.schema.ts', innocent],
  ['electron/it.ts', innocent],
  ['renderer/it.ts', innocent],
  ['broker/wire/circle.ts', `import type { Back } from './back.ts'\nexport type Circle = Back\n`],
  // Allowed, and so must not be reported.
  ['broker/quorum/good.ts', type('../log/types.ts')],
  ['broker/log/types.ts', innocent],
  ['broker/env/good.ts', `import { readFileSync } from 'node:fs'\nexport const other = readFileSync\n`],
  ['renderer/good.ts', type('../broker/contract/it.ts')],
  ...planted.map(({ from, source }): [string, string] => [from, source]),
])

let tree = ''
let reported: readonly { rule: string; from: string }[] = []

beforeAll(async () => {
  tree = await realpath(await mkdtemp(join(tmpdir(), 'weir-boundaries-')))
  await symlink(join(root, 'node_modules'), join(tree, 'node_modules'))
  await symlink(join(root, 'tsconfig.json'), join(tree, 'tsconfig.json'))
  for (const [path, content] of files) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await writeFile(join(tree, path), content)
  }
  reported = await violations()
}, 60_000)

afterAll(() => rm(tree, { recursive: true, force: true }))

interface Report {
  readonly summary: { readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[] }
}

async function violations(): Promise<{ rule: string; from: string }[]> {
  const stdout = await new Promise<string>((done, failed) => {
    const gate = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
    const config = join(root, 'build/dependency-cruiser.mjs')
    execFile(
      process.execPath,
      [gate, 'broker', 'electron', 'renderer', '--config', config, '--output-type', 'json'],
      { cwd: tree, maxBuffer: 64 * 1024 * 1024 },
      (error, out, problem) => (out.startsWith('{') ? done(out) : failed(new Error(`the gate did not run: ${problem}`, { cause: error }))),
    )
  })
  const report = JSON.parse(stdout) as Report
  return report.summary.violations.map(({ from, rule }) => ({ rule: rule.name, from }))
}

test.each(planted)('$rule is enforced: the violation planted in $from is reported', ({ rule, from }) => {
  expect(reported).toContainEqual({ rule, from })
})

test('every room has its planted violation', () => {
  expect(planted.map(({ rule }) => rule)).toEqual(expect.arrayContaining(layers.map(({ name }) => `layer-${name}`)))
})

test('what is allowed is not reported', () => {
  const planters = new Set([...planted.map(({ from }) => from), 'broker/wire/circle.ts'])
  expect(reported.filter(({ from }) => !planters.has(from))).toEqual([])
})
