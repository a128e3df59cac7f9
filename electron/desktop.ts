/**
 * The desktop shell: one instance, one window, a tray, a menu, and the host process beside it. Windows come and go; the cluster lives in
 * the host until Quit, which stops it in order.
 *
 *   running -> hidden: the window is closed (said so)      hidden -> running: tray, dock, or a second start
 *   running, hidden -> quitting: Quit                      quitting -> ended: the host has ended
 */
import { join } from 'node:path'
import { app, dialog, ipcMain, type BrowserWindow } from 'electron'
import type { ShellCommand } from '../broker/contract/shell.ts'
import { declareAppScheme, serveAppFiles } from './app-protocol.ts'
import { HOST_PORT_REQUEST, SHELL_COMMAND } from './channels.ts'
import { openExternalLink } from './external-links.ts'
import { hardenEveryWebContents, hardenSession, isOurs } from './hardening.ts'
import { createHostSupervisor, type HostSupervisor } from './host-supervisor.ts'
import { installMenu } from './menu.ts'
import { whenParentVanishes } from './parent.ts'
import { answerShellCalls } from './shell-calls.ts'
import { createTray, sayStillRunning } from './tray.ts'
import { createMainWindow, iconPath, preloadPath, rendererPath, showWindow } from './window.ts'

const documentationUrl = 'https://kafka.apache.org/documentation/'

export interface DesktopOptions {
  /** Where main's bundle lies; everything else is found from there. */
  readonly folder: string
}

export function runDesktop({ folder }: DesktopOptions): void {
  if (!app.requestSingleInstanceLock()) {
    process.stderr.write('Weir is open already, and its window is shown. Options given to this start have no effect on it.\n')
    app.quit()
    return
  }
  app.enableSandbox()
  declareAppScheme()
  hardenEveryWebContents()
  const desktop = createDesktop(folder)
  app.on('second-instance', () => desktop.show())
  app.on('activate', () => desktop.show())
  // The cluster outlives its window; only Quit ends it.
  app.on('window-all-closed', () => undefined)
  app.on('before-quit', (event) => desktop.onBeforeQuit(event))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())
  whenParentVanishes(() => app.quit())
  void app.whenReady().then(() => desktop.start())
}

interface Desktop {
  start(): void
  show(): void
  onBeforeQuit(event: { preventDefault(): void }): void
}

function createDesktop(folder: string): Desktop {
  let window: BrowserWindow | null = null
  let phase: 'running' | 'quitting' | 'ended' = 'running'
  let hasTray = false
  let dataDirectory: string | null = null

  const host: HostSupervisor = createHostSupervisor({
    entry: join(folder, 'host-process.js'),
    onMessage(message) {
      if (message.type === 'started') dataDirectory = message.dataDirectory
      else dialog.showErrorBox('Weir could not start its host', message.message)
    },
    onLost: (exitCode) => process.stderr.write(`The host ended unexpectedly (exit code ${exitCode}) and is started again.\n`),
  })

  const openWindow = (): BrowserWindow =>
    createMainWindow({
      preload: preloadPath(folder),
      icon: iconPath(folder, 'icon.png'),
      statePath: join(app.getPath('userData'), 'window.json'),
      isQuitting: () => phase !== 'running',
      onHidden() {
        if (hasTray) sayStillRunning(show)
        else app.quit()
      },
    })

  const show = (): void => {
    if (phase !== 'running' || !app.isReady()) return
    if (window === null || window.isDestroyed()) window = openWindow()
    else showWindow(window)
  }

  const command = (name: ShellCommand): void => {
    show()
    window?.webContents.send(SHELL_COMMAND, name)
  }

  return {
    start() {
      hardenSession()
      serveAppFiles(rendererPath(folder))
      answerShellCalls({ dataDirectory: () => dataDirectory })
      ipcMain.on(HOST_PORT_REQUEST, (event) => {
        if (event.senderFrame !== null && isOurs(event.senderFrame.url)) host.connect(event.sender)
      })
      host.start()
      installMenu(process.platform, { command, openDocumentation: () => void openExternalLink(documentationUrl), quit: () => app.quit() })
      hasTray = createTray(iconPath(folder, 'tray.png'), { show, quit: () => app.quit() }) !== null
      show()
    },
    show,
    onBeforeQuit(event) {
      if (phase === 'ended') return
      event.preventDefault()
      if (phase === 'quitting') return
      phase = 'quitting'
      void host.shutdown().finally(() => {
        phase = 'ended'
        app.quit()
      })
    },
  }
}
