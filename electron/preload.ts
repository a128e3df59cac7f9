/**
 * The only code that sees both the page and the desktop. It offers the contract's `Shell` and hands over message ports to
 * the host; nothing of Electron itself reaches the page.
 */
import { contextBridge, ipcRenderer } from 'electron'
import { shellGlobal, type Shell, type ShellCommand } from '../broker/contract/shell.ts'
import { HOST_LOST_MESSAGE, HOST_PORT_MESSAGE, HOST_PORT_REQUEST, SHELL_COMMAND, shellCalls } from './channels.ts'

// Ports cannot cross the context bridge; posting them to the page is Electron's way.
ipcRenderer.on(HOST_PORT_MESSAGE, (event) => window.postMessage(HOST_PORT_MESSAGE, window.location.origin, event.ports))
ipcRenderer.on(HOST_LOST_MESSAGE, () => window.postMessage(HOST_LOST_MESSAGE, window.location.origin))
window.addEventListener('message', (event) => {
  if (event.source === window && event.data === HOST_PORT_REQUEST) ipcRenderer.send(HOST_PORT_REQUEST)
})

const desktopShell: Shell = {
  kind: 'desktop',
  platform: process.platform,
  openExternal: (url) => ipcRenderer.invoke(shellCalls.openExternal, url),
  copyText: (text) => ipcRenderer.invoke(shellCalls.copyText, text),
  saveFile: (suggestedName, content) => ipcRenderer.invoke(shellCalls.saveFile, suggestedName, content),
  openFile: (options) => ipcRenderer.invoke(shellCalls.openFile, options),
  notify: (title, body) => ipcRenderer.invoke(shellCalls.notify, title, body),
  revealDataDirectory: () => ipcRenderer.invoke(shellCalls.revealDataDirectory),
  onCommand(listener) {
    const forward = (_event: unknown, command: ShellCommand): void => listener(command)
    ipcRenderer.on(SHELL_COMMAND, forward)
    return () => void ipcRenderer.off(SHELL_COMMAND, forward)
  },
}

contextBridge.exposeInMainWorld(shellGlobal, desktopShell)
