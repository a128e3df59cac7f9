import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HOST_LOST_MESSAGE, HOST_PORT_MESSAGE, HOST_PORT_REQUEST, SHELL_COMMAND, shellCalls } from '../../../electron/channels.ts'
import { createFakeElectron, type FakeElectron, type FakeUtilityProcess, type FakeWindow } from './fake-electron.ts'

let userData = ''
let listenersBefore: Map<string, readonly unknown[]>
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

beforeEach(async () => {
  userData = await mkdtemp(join(tmpdir(), 'weir-desktop-'))
  listenersBefore = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  vi.stubEnv('npm_lifecycle_event', undefined)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  vi.doUnmock('electron')
  vi.resetModules()
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!listenersBefore.get(signal)?.includes(listener)) process.off(signal, listener)
  }
  await rm(userData, { recursive: true, force: true })
})

async function startDesktop(options: { isFirstInstance?: boolean; hasTray?: boolean } = {}): Promise<FakeElectron> {
  const fake = createFakeElectron({ userData, ...options })
  vi.resetModules()
  vi.doMock('electron', () => fake.electron)
  const { runDesktop } = await import('../../../electron/desktop.ts')
  runDesktop({ folder: '/app/out/main' })
  await Promise.resolve()
  await Promise.resolve()
  return fake
}

const windowOf = (fake: FakeElectron): FakeWindow => must(fake.windows[0])
const hostOf = (fake: FakeElectron, index = 0): FakeUtilityProcess => must(fake.hosts[index])
function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there')
  return value
}

/** What the page's preload does at every load. */
function askForPort(fake: FakeElectron, url = 'app://weir/index.html'): void {
  const sender = windowOf(fake).webContents
  fake.electron.ipcMain.emit(HOST_PORT_REQUEST, { sender, senderFrame: { url, parent: null } })
}
const portsGiven = (fake: FakeElectron): number =>
  windowOf(fake).webContents.posted.filter(({ channel }) => channel === HOST_PORT_MESSAGE).length

test('the window is sandboxed and isolated, has no Node, and shows the files under app://', async () => {
  const fake = await startDesktop()
  const window = windowOf(fake)
  expect(window.options['webPreferences']).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
  })
  expect(window.loadedUrl).toBe('app://weir/index.html')
  expect(fake.electron.app.enableSandbox).toHaveBeenCalled()
})

test('a second start shows the window of the first and starts no host of its own', async () => {
  const second = await startDesktop({ isFirstInstance: false })
  expect(second.hosts).toHaveLength(0)
  expect(second.app.quits).toBe(1)
  expect(process.stderr.write).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^Weir is open already, .* have no effect on it\.\n$/))
  const first = await startDesktop()
  windowOf(first).close()
  first.app.emit('second-instance')
  expect(windowOf(first).isVisible).toBe(true)
})

test('the page gets a port to the host, and another one after a reload', async () => {
  const fake = await startDesktop()
  askForPort(fake)
  expect(portsGiven(fake)).toBe(1)
  expect(hostOf(fake).received).toEqual([{ message: { type: 'connect' }, ports: [{ side: 'host' }] }])
  askForPort(fake)
  expect(portsGiven(fake)).toBe(2)
})

test('a page that is not ours gets no port', async () => {
  const fake = await startDesktop()
  askForPort(fake, 'https://example.org/')
  expect(portsGiven(fake)).toBe(0)
})

test('when the host dies the window is told, and gets a port to the next host', async () => {
  const fake = await startDesktop()
  askForPort(fake)
  hostOf(fake).emit('exit', 1)
  expect(windowOf(fake).webContents.posted.at(-1)?.channel).toBe(HOST_LOST_MESSAGE)
  vi.advanceTimersByTime(300)
  expect(fake.hosts).toHaveLength(2)
  expect(hostOf(fake, 1).received).toHaveLength(1)
  expect(portsGiven(fake)).toBe(2)
})

test('a host that dies again and again is started later each time', async () => {
  const fake = await startDesktop()
  hostOf(fake).emit('exit', 1)
  vi.advanceTimersByTime(300)
  hostOf(fake, 1).emit('exit', 1)
  vi.advanceTimersByTime(300)
  expect(fake.hosts).toHaveLength(2)
  vi.advanceTimersByTime(300)
  expect(fake.hosts).toHaveLength(3)
})

test('closing the window keeps the cluster, and says so', async () => {
  const fake = await startDesktop()
  expect(windowOf(fake).close()).toBe(false)
  expect(windowOf(fake).isVisible).toBe(false)
  expect(hostOf(fake).received).toEqual([])
  expect(fake.notifications).toEqual([expect.objectContaining({ title: 'Weir is still running' })])
})

test('where there is no tray, closing the window quits: nothing runs unseen', async () => {
  const fake = await startDesktop({ hasTray: false })
  windowOf(fake).close()
  expect(hostOf(fake).received.at(-1)?.message).toEqual({ type: 'shutdown' })
})

test('Quit ends the app only once the host has stopped the cluster', async () => {
  const fake = await startDesktop()
  fake.app.quit()
  expect(hostOf(fake).received.at(-1)?.message).toEqual({ type: 'shutdown' })
  expect(fake.app.quits).toBe(0)
  fake.app.quit()
  expect(hostOf(fake).received).toHaveLength(1)
  hostOf(fake).emit('exit', 0)
  await vi.waitFor(() => expect(fake.app.quits).toBe(1))
  expect(fake.hosts).toHaveLength(1)
})

test('a host that does not end is ended', async () => {
  const fake = await startDesktop()
  fake.app.quit()
  vi.advanceTimersByTime(40_000)
  expect(hostOf(fake).isKilled).toBe(true)
  await vi.waitFor(() => expect(fake.app.quits).toBe(1))
})

test('where the window was is kept for the next start', async () => {
  const fake = await startDesktop()
  windowOf(fake).close()
  expect(JSON.parse(await readFile(join(userData, 'window.json'), 'utf8'))).toMatchObject({
    bounds: { x: 10, y: 20, width: 1000, height: 700 },
  })
  const next = await startDesktop()
  expect(windowOf(next).options).toMatchObject({ x: 10, y: 20, width: 1000, height: 700 })
})

test('the page can go nowhere else, and web links leave through the system browser', async () => {
  const fake = await startDesktop()
  const { webContents } = windowOf(fake)
  const navigation = { url: 'https://example.org/', preventDefault: vi.fn() }
  webContents.emit('will-navigate', navigation)
  expect(navigation.preventDefault).toHaveBeenCalled()
  const inside = { url: 'app://weir/index.html#/settings', preventDefault: vi.fn() }
  webContents.emit('will-navigate', inside)
  expect(inside.preventDefault).not.toHaveBeenCalled()
  expect(webContents.windowOpenHandler?.({ url: 'https://kafka.apache.org/' })).toEqual({ action: 'deny' })
  expect(fake.electron.shell.openExternal).toHaveBeenCalledExactlyOnceWith('https://kafka.apache.org/')
})

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  'app://weir/',
  'smb://host/share',
  'https://user:secret@example.org/',
  'no address',
])('%s is not opened outside', async (url) => {
  const fake = await startDesktop()
  windowOf(fake).webContents.windowOpenHandler?.({ url })
  expect(fake.electron.shell.openExternal).not.toHaveBeenCalled()
})

test('every permission is denied but copying for our own page', async () => {
  const fake = await startDesktop()
  const answers: boolean[] = []
  const request = must(fake.session['request'] ?? undefined) as (
    contents: unknown,
    name: string,
    answer: (granted: boolean) => void,
  ) => void
  const contents = windowOf(fake).webContents
  for (const name of ['media', 'geolocation', 'notifications', 'clipboard-read', 'clipboard-sanitized-write']) {
    request(contents, name, (granted) => answers.push(granted))
  }
  expect(answers).toEqual([false, false, false, false, true])
  contents.url = 'https://example.org/'
  request(contents, 'clipboard-sanitized-write', (granted) => answers.push(granted))
  expect(answers.at(-1)).toBe(false)
})

test('calls to the shell are answered to our own page alone', async () => {
  const fake = await startDesktop()
  const copy = must(fake.handlers.get(shellCalls.copyText))
  await copy({ senderFrame: { url: 'app://weir/index.html', parent: null } }, '127.0.0.1:9092')
  expect(fake.electron.clipboard.writeText).toHaveBeenCalledExactlyOnceWith('127.0.0.1:9092')
  expect(() => copy({ senderFrame: { url: 'https://example.org/', parent: null } }, 'x')).toThrow(/Only the console/)
  expect(() => copy({ senderFrame: null }, 'x')).toThrow(/Only the console/)
})

test('a menu command reaches the page and brings the window back', async () => {
  const fake = await startDesktop()
  windowOf(fake).close()
  const [template] = must(vi.mocked(fake.electron.Menu.setApplicationMenu).mock.calls[0]) as [
    { label?: string; submenu?: { label?: string; click?: () => void }[] }[],
  ]
  const palette = template.flatMap(({ submenu }) => submenu ?? []).find(({ label }) => label?.startsWith('Command Palette'))
  palette?.click?.()
  expect(windowOf(fake).isVisible).toBe(true)
  expect(windowOf(fake).webContents.sent).toEqual([{ channel: SHELL_COMMAND, parameters: ['open-palette'] }])
})
