import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The command as people run it, from source: what it prints, where, and how it exits. */
const main = resolve(import.meta.dirname, '../../../broker/cli/main.ts')
let home = ''

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-cli-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

function weir(...parameters: string[]): Promise<{ code: number | string | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [main, ...parameters], { env: { ...process.env, WEIR_HOME: home } }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : (error.code ?? null), stdout, stderr }),
    )
  })
}

test.each([
  ['an unknown command', ['upp']],
  ['an unknown option', ['up', '--broker', '3']],
  ['no brokers at all', ['up', '--brokers', '0']],
  ['a count that is no number', ['up', '--brokers', 'three']],
  ['a port past the last', ['up', '--port', '65536']],
  ['brokers that do not fit above the port', ['up', '--ephemeral', '--port', '65535', '--brokers', '2']],
  ['a folder and no folder at once', ['up', '--ephemeral', '--data-dir', '/tmp/x']],
  ['an unknown restart policy', ['up', '--restart', 'always']],
  ['an even number of voters', ['up', '--controllers', '2']],
  ['a folder without a name', ['up', '--data-dir', '']],
  ['a folder of blanks', ['serve', '--data-dir', '  ']],
  ['an address nobody can connect to', ['up', '--advertise', '0.0.0.0']],
  ['an IPv6 address without brackets', ['serve', '--advertise', 'fd00::1']],
  ['one good address to advertise and one bad', ['up', '--advertise', 'box', '--advertise', 'box:x']],
  ['an advertised port without room for the brokers', ['up', '--ephemeral', '--port', '0', '--brokers', '2', '--advertise', 'box:65535']],
  ['a value too many', ['up', 'now']],
  ['an option of serve given to up', ['up', '--host-port', '8080']],
])('%s is refused with one line on stderr and exit code 2', async (_what, parameters) => {
  const { code, stdout, stderr } = await weir(...parameters)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^weir: [^\n]+\n$/)
})

test('what is refused is named, and what is allowed is said', async () => {
  const { stderr } = await weir('up', '--brokers', '1000')
  expect(stderr).toContain("'1000'")
  expect(stderr).toContain('from 1 to 100')
})

test.each([[[]], [['--help']], [['up', '--help']], [['serve', '--help']]])('%j explains and succeeds', async (parameters) => {
  const { code, stdout, stderr } = await weir(...parameters)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Usage: weir')
})

test('--version is the version of the package', async () => {
  const { code, stdout } = await weir('--version')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test("somebody else's folder is refused with one line, and left as it was", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-foreign-'))
  await writeFile(join(folder, 'thesis.tex'), 'x')
  const { code, stderr } = await weir('up', '--data-dir', folder)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^weir: [^\n]*thesis\.tex[^\n]*\n$/)
  expect(await readdir(folder)).toEqual(['thesis.tex'])
  await rm(folder, { recursive: true })
})

test('a folder that cannot be made is one line, not a stack trace', async () => {
  const file = join(home, 'file')
  await writeFile(file, 'x')
  const { code, stderr } = await weir('up', '--data-dir', join(file, 'folder'))
  expect(code).toBe(1)
  expect(stderr).toMatch(/^weir: [^\n]+\n$/)
  expect(stderr).toContain(file)
})

test('a taken port of the console is one line that says what to do', async () => {
  const other = createServer()
  await new Promise<void>((done) => void other.listen(0, '127.0.0.1', done))
  const { port } = other.address() as AddressInfo
  try {
    const { code, stderr } = await weir('serve', '--ephemeral', '--port', '0', '--brokers', '1', '--host-port', String(port))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^weir: [^\n]+ Choose another port\.\n$/)
    expect(stderr).toContain(String(port))
  } finally {
    other.close()
  }
})
