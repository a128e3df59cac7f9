import { join } from 'node:path'
import { BrowserWindow, screen } from 'electron'
import { APP_URL } from './app-protocol.ts'
import { DEFAULT_SIZE, fitToScreens, loadWindowState, MINIMUM_SIZE, saveWindowState } from './window-state.ts'

export interface WindowOptions {
  readonly preload: string
  readonly icon: string
  readonly statePath: string
  /** Whether closing ends the app; otherwise the window hides and the cluster lives on in the tray. */
  isQuitting(): boolean
  onHidden(): void
}

/** The one window: sandboxed, isolated, without Node, and shown once there is something to see. */
export function createMainWindow(options: WindowOptions): BrowserWindow {
  const state = loadWindowState(options.statePath)
  const bounds = fitToScreens(
    state.bounds,
    screen.getAllDisplays().map(({ workArea }) => workArea),
  )
  const window = new BrowserWindow({
    ...DEFAULT_SIZE,
    ...bounds,
    minWidth: MINIMUM_SIZE.width,
    minHeight: MINIMUM_SIZE.height,
    title: 'Weir',
    icon: options.icon,
    show: false,
    backgroundColor: '#0f1115',
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  })
  if (state.isMaximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', (event) => {
    saveWindowState(options.statePath, { bounds: window.getNormalBounds(), isMaximized: window.isMaximized() })
    if (options.isQuitting()) return
    event.preventDefault()
    window.hide()
    options.onHidden()
  })
  void window.loadURL(APP_URL)
  return window
}

export function showWindow(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

export const preloadPath = (mainFolder: string): string => join(mainFolder, '../preload/preload.cjs')
export const rendererPath = (mainFolder: string): string => join(mainFolder, '../renderer')
export const iconPath = (mainFolder: string, name: string): string => join(mainFolder, '../icons', name)
