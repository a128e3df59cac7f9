import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { HostClient } from '../../broker/contract/contract.ts'
import { desktopSettings, runDesktopHost, type DesktopHost, type DesktopSettings } from '../../broker/host/desktop-host.ts'
import { openWindow } from '../support/host-window.ts'

/** What a window of the desktop looks at, with the options of `npm start` and where its cluster cannot be had. */
let folder = ''
let problems: string[] = []
let notices: string[] = []
const running: DesktopHost[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-desktop-host-'))
  await mkdir(join(folder, 'home'))
  vi.stubEnv('WEIR_HOME', join(folder, 'home'))
  problems = []
  notices = []
})
afterEach(async () => {
  for (const host of running.splice(0).toReversed()) await host.close()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function start(settings: DesktopSettings, signal = new AbortController().signal): Promise<DesktopHost> {
  const host = await runDesktopHost({
    version: '1.2.3',
    settings,
    signal,
    onProblem: (message) => problems.push(message),
    onNotice: (message) => notices.push(message),
  })
  running.push(host)
  return host
}

const windowOf = (host: DesktopHost): HostClient => openWindow((port) => host.attachPort(port)).client

const brokersOf = async (client: HostClient) =>
  (await client.nodes.list({ clusterId: 'embedded' })).filter(({ role }) => role === 'broker').map(({ id, pid }) => ({ id, pid }))

test('the window shows the cluster that the options of npm start describe', async () => {
  const settings: DesktopSettings = { dataDirectory: join(folder, 'cluster'), brokers: 2, port: 0, advertise: ['box:0'], demo: false }
  const host = await start(desktopSettings({ WEIR_DESKTOP_SETTINGS: JSON.stringify(settings) }))
  expect((await brokersOf(windowOf(host))).map(({ id }) => id)).toEqual([1, 2])
  expect(notices).toEqual([expect.stringMatching(/^Advertised as box:\d+,box:\d+\./)])
  expect(problems).toEqual([])
})

test('a cluster that another Weir runs is looked at through that one, and its end is told', async () => {
  const settings = { dataDirectory: join(folder, 'cluster'), brokers: 1, port: 0 }
  const first = await start(settings)
  const second = await start(settings)
  expect(await brokersOf(windowOf(second))).toEqual(await brokersOf(windowOf(first)))
  expect(problems).toEqual([])
  expect(first.lost).toBeUndefined()
  await first.close()
  await second.lost
})

test('where no cluster can be had the console starts all the same, and says why', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const host = await start({ dataDirectory: join(file, 'cluster') })
  expect(problems).toEqual([expect.stringMatching(/cannot hold a cluster: a part of that path is a file/)])
  expect(await windowOf(host).clusters.list()).toEqual([])
})

test('a desktop that quits while its cluster is being opened gives it up', async () => {
  const quitting = new AbortController()
  const starting = start({ dataDirectory: join(folder, 'cluster'), brokers: 1, port: 0 }, quitting.signal)
  quitting.abort()
  await expect(starting).rejects.toBe(quitting.signal.reason)
})

test('an installed Weir is opened without any options', () => {
  expect(desktopSettings({})).toEqual({})
})
