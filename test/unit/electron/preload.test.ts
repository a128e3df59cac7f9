import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { shellGlobal, type Shell } from '../../../broker/contract/shell.ts'
import { HOST_LOST_MESSAGE, HOST_PORT_MESSAGE, HOST_PORT_REQUEST, SHELL_COMMAND, shellCalls } from '../../../electron/channels.ts'
import * as page from '../../../renderer/client/transports.ts'

const ipcRenderer = Object.assign(new EventEmitter(), { invoke: vi.fn(() => Promise.resolve(true)), send: vi.fn() })
const exposed = new Map<string, unknown>()
const window = Object.assign(new EventTarget(), { postMessage: vi.fn(), location: { origin: 'app://weir' } })

beforeEach(async () => {
  vi.doMock('electron', () => ({
    ipcRenderer,
    contextBridge: { exposeInMainWorld: (name: string, value: unknown) => exposed.set(name, value) },
  }))
  vi.stubGlobal('window', window)
  vi.resetModules()
  await import('../../../electron/preload.ts')
})
afterEach(() => {
  ipcRenderer.removeAllListeners()
  vi.clearAllMocks()
  vi.unstubAllGlobals()
})

const shell = (): Shell => exposed.get(shellGlobal) as Shell

test('page and preload agree on the names of their messages', () => {
  expect({ HOST_PORT_MESSAGE, HOST_LOST_MESSAGE, HOST_PORT_REQUEST }).toEqual({
    HOST_PORT_MESSAGE: page.HOST_PORT_MESSAGE,
    HOST_LOST_MESSAGE: page.HOST_LOST_MESSAGE,
    HOST_PORT_REQUEST: page.HOST_PORT_REQUEST,
  })
})

test('a port from main is posted to the page, and to our origin alone', () => {
  const port = {}
  ipcRenderer.emit(HOST_PORT_MESSAGE, { ports: [port] })
  expect(window.postMessage).toHaveBeenCalledExactlyOnceWith(HOST_PORT_MESSAGE, 'app://weir', [port])
})

test("the page's request for a port is passed on; messages from elsewhere are not", () => {
  const message = (source: unknown): Event => Object.assign(new Event('message'), { source, data: HOST_PORT_REQUEST })
  window.dispatchEvent(message({}))
  expect(ipcRenderer.send).not.toHaveBeenCalled()
  window.dispatchEvent(message(window))
  expect(ipcRenderer.send).toHaveBeenCalledWith(HOST_PORT_REQUEST)
})

test('the page sees the shell and nothing of Electron', () => {
  expect([...exposed.keys()]).toEqual([shellGlobal])
  expect(Object.keys(shell())).not.toContain('ipcRenderer')
})

test('commands of the menu reach the page until it stops listening', () => {
  const listener = vi.fn()
  const stop = shell().onCommand(listener)
  ipcRenderer.emit(SHELL_COMMAND, {}, 'open-palette')
  stop()
  ipcRenderer.emit(SHELL_COMMAND, {}, 'open-settings')
  expect(listener).toHaveBeenCalledExactlyOnceWith('open-palette')
})

test('a call of the shell goes through its own channel', async () => {
  await shell().openExternal('https://kafka.apache.org/')
  expect(ipcRenderer.invoke).toHaveBeenCalledExactlyOnceWith(shellCalls.openExternal, 'https://kafka.apache.org/')
})
