import { EventEmitter } from 'node:events'
import { vi } from 'vitest'

/** As much of Electron as the shell uses, in memory. Each test makes its own and puts it in Electron's place. */
export class FakeWebContents extends EventEmitter {
  readonly posted: { channel: string; message: unknown; ports: readonly unknown[] }[] = []
  readonly sent: { channel: string; parameters: readonly unknown[] }[] = []
  windowOpenHandler: ((details: { url: string }) => { action: string }) | null = null
  isGone = false
  url = 'app://weir/index.html'
  postMessage(channel: string, message: unknown, ports: readonly unknown[] = []): void {
    this.posted.push({ channel, message, ports })
  }
  send(channel: string, ...parameters: unknown[]): void {
    this.sent.push({ channel, parameters })
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.windowOpenHandler = handler
  }
  getURL = (): string => this.url
  isDestroyed = (): boolean => this.isGone
}

export class FakeUtilityProcess extends EventEmitter {
  readonly entry: string
  readonly received: { message: unknown; ports: readonly unknown[] }[] = []
  isKilled = false
  constructor(entry: string) {
    super()
    this.entry = entry
  }
  postMessage(message: unknown, ports: readonly unknown[] = []): void {
    this.received.push({ message, ports })
  }
  kill(): boolean {
    this.isKilled = true
    this.emit('exit', 9)
    return true
  }
}

export class FakeWindow extends EventEmitter {
  readonly options: Record<string, unknown>
  readonly webContents = new FakeWebContents()
  loadedUrl: string | null = null
  isVisible = false
  isGone = false
  constructor(options: Record<string, unknown>) {
    super()
    this.options = options
  }
  loadURL(url: string): Promise<void> {
    this.loadedUrl = url
    return Promise.resolve()
  }
  show(): void {
    this.isVisible = true
  }
  hide(): void {
    this.isVisible = false
  }
  focus(): void {}
  restore(): void {}
  maximize(): void {}
  isMinimized = (): boolean => false
  isMaximized = (): boolean => false
  isDestroyed = (): boolean => this.isGone
  getNormalBounds = () => ({ x: 10, y: 20, width: 1000, height: 700 })
  /** What the window manager's close button does. Answers whether the window went. */
  close(): boolean {
    let isPrevented = false
    this.emit('close', { preventDefault: () => (isPrevented = true) })
    if (!isPrevented) this.isGone = true
    return !isPrevented
  }
}

type Handler = (event: unknown, ...parameters: unknown[]) => unknown
type Answer = (...parameters: never[]) => unknown

export function createFakeElectron(options: { readonly userData: string; readonly isFirstInstance?: boolean; readonly hasTray?: boolean }) {
  const windows: FakeWindow[] = []
  const hosts: FakeUtilityProcess[] = []
  const notifications: { title: string; body: string }[] = []
  const handlers = new Map<string, Handler>()
  const session: Record<string, Answer | null> = {}
  const remember = (name: string) => (answer: Answer | null) => void (session[name] = answer)
  const app = Object.assign(new EventEmitter(), {
    quits: 0,
    isReady: () => true,
    requestSingleInstanceLock: () => options.isFirstInstance !== false,
    enableSandbox: vi.fn(),
    whenReady: () => Promise.resolve(),
    getPath: () => options.userData,
    /** As Electron does: asks everyone, and ends unless someone objects. */
    quit() {
      let isPrevented = false
      app.emit('before-quit', { preventDefault: () => (isPrevented = true) })
      if (!isPrevented) app.quits += 1
    },
  })
  const electron = {
    app,
    BrowserWindow: class extends FakeWindow {
      constructor(given: Record<string, unknown>) {
        super(given)
        windows.push(this)
        app.emit('web-contents-created', {}, this.webContents)
      }
    },
    clipboard: { writeText: vi.fn() },
    dialog: { showErrorBox: vi.fn(), showSaveDialog: vi.fn(), showOpenDialog: vi.fn() },
    ipcMain: Object.assign(new EventEmitter(), { handle: (channel: string, handler: Handler) => void handlers.set(channel, handler) }),
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: vi.fn() },
    MessageChannelMain: class {
      readonly port1 = { side: 'host' }
      readonly port2 = { side: 'window' }
    },
    Notification: class extends EventEmitter {
      static isSupported = (): boolean => true
      readonly given: { title: string; body: string }
      constructor(given: { title: string; body: string }) {
        super()
        this.given = given
      }
      show(): void {
        notifications.push(this.given)
      }
    },
    protocol: { registerSchemesAsPrivileged: vi.fn(), handle: vi.fn() },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    session: {
      defaultSession: {
        setPermissionRequestHandler: remember('request'),
        setPermissionCheckHandler: remember('check'),
        setDevicePermissionHandler: remember('device'),
        setDisplayMediaRequestHandler: remember('display'),
      },
    },
    shell: { openExternal: vi.fn(() => Promise.resolve()), openPath: vi.fn(() => Promise.resolve('')) },
    Tray: class extends EventEmitter {
      constructor() {
        super()
        if (options.hasTray === false) throw new Error('no tray on this desktop')
      }
      setToolTip(): void {}
      setContextMenu(): void {}
    },
    utilityProcess: {
      fork(entry: string) {
        const host = new FakeUtilityProcess(entry)
        hosts.push(host)
        return host
      },
    },
  }
  return { electron, app, windows, hosts, notifications, handlers, session }
}

export type FakeElectron = ReturnType<typeof createFakeElectron>
