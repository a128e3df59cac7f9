import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }

const root = resolve(import.meta.dirname, '../../..')
const check = resolve(root, 'build/check-node.mjs')

/** Runs the check in a process that believes to be another Node. */
function checkAs(version: string): Promise<{ code: number; stderr: string }> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })
    Object.defineProperty(process, 'version', { value: 'v${version}' })
    await import('${pathToFileURL(check).href}')`
  return new Promise((done) => {
    execFile(process.execPath, ['--input-type=module', '-e', pretend], (error, _stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stderr }),
    )
  })
}

test.each(['18.20.0', '20.20.2', '24.11.9'])('Node %s is told what is needed in one line', async (version) => {
  const { code, stderr } = await checkAs(version)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Weir needs Node 24\.12 or newer[^\n]+\n$/)
  expect(stderr).toContain(`v${version}`)
})

test.each(['24.12.0', '24.21.0', '26.0.0'])('Node %s passes in silence', async (version) => {
  expect(await checkAs(version)).toEqual({ code: 0, stderr: '' })
})

test('every script that runs Node checks it first', () => {
  for (const [name, command] of Object.entries(packageJson.scripts)) {
    if (command.startsWith('node build/check-node.mjs')) continue
    const entry = /^node (build\/[\w-]+\.mjs)/.exec(command)?.[1]
    expect(entry, `the script ${name}`).toBeDefined()
    const source = readFileSync(resolve(root, entry ?? ''), 'utf8')
    expect(/^import .*$/m.exec(source)?.[0], `the first import of ${entry}`).toBe("import './check-node.mjs'")
  }
})

test('no script imports, before the check has run, what an old Node does not have', () => {
  for (const entry of ['start', 'weir', 'build']) {
    const source = readFileSync(resolve(root, `build/${entry}.mjs`), 'utf8')
    const imported = [...source.matchAll(/^import (?:\{ (.+) \} from )?'(.+)'$/gm)].flatMap(([, names, from]) =>
      names === undefined ? [`${from}`] : names.split(', ').map((name) => `${from} ${name}`),
    )
    const inNode20 = ['./check-node.mjs', 'node:child_process spawn', 'node:path join', 'node:path resolve']
    expect(
      imported.filter((name) => !inNode20.includes(name)),
      `static imports of ${entry}.mjs`,
    ).toEqual([])
  }
})

test('the check itself is free of syntax that an old Node cannot read', () => {
  const code = readFileSync(check, 'utf8').replace(/\/\*.*?\*\//s, '')
  expect(code).not.toMatch(/=>|`|\?\.|\?\?|^\s*(?:const|let|import|await|class)\b/m)
})
