import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { browserOption, checkArguments, desktopSettings } from '../../../build/arguments.ts'

class Ended extends Error {
  readonly code: unknown
  constructor(code: unknown) {
    super(`ended with ${String(code)}`)
    this.code = code
  }
}

let printed = { stdout: '', stderr: '' }

beforeEach(() => {
  printed = { stdout: '', stderr: '' }
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Ended(code)
  })
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text)
      return true
    })
  }
})
afterEach(() => vi.restoreAllMocks())

test.each([
  ['an unknown option', ['up', '--broker', '3']],
  ['no brokers at all', ['serve', '--brokers', '0']],
  ['an unknown command', ['upp']],
])('%s ends the start before anything is built, with one line and exit code 2', async (_what, given) => {
  await expect(checkArguments(given)).rejects.toMatchObject({ code: 2 })
  expect(printed).toEqual({ stdout: '', stderr: expect.stringMatching(/^weir: [^\n]+\n$/) })
})

test.each([[['--help']], [['serve', '--help']], [['--version']], [[]]])('%j needs no build and succeeds', async (given) => {
  await expect(checkArguments(given)).rejects.toMatchObject({ code: 0 })
  expect(printed.stdout).not.toBe('')
  expect(printed.stderr).toBe('')
})

test('good arguments go on, silently', async () => {
  expect(await checkArguments(['up', '--brokers', '1'])).toBeNull()
  expect(await checkArguments(['serve', '--brokers', '1'])).toMatchObject({ brokers: 1 })
  expect(printed).toEqual({ stdout: '', stderr: '' })
})

test('what is asked of `npm start` reaches the desktop as plain data', async () => {
  const flags = await checkArguments(['serve', '--brokers', '2', '--data-dir', '/data', '--port', '0', '--advertise', 'box', '--demo'])
  expect(JSON.parse(desktopSettings(flags!))).toEqual({
    brokers: 2,
    dataDirectory: '/data',
    port: 0,
    advertise: ['box'],
    restart: 'never',
    demo: true,
  })
})

test.each([
  [['--host-port', '8080'], '--host-port'],
  [['--open'], '--open'],
  [['--json'], '--json'],
  [['--brokers', '1'], null],
])('%j: the browser is asked for by %s', async (given, option) => {
  const flags = await checkArguments(['serve', ...given])
  expect(browserOption(flags!)).toBe(option)
})
