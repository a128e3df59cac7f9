/**
 * What only the shell around the screen can do. The desktop's preload puts an implementation on `window.weirShell`; without
 * one the screen uses the browser's own means. Not part of the host's contract: it never leaves the machine's window.
 */
export const shellGlobal = 'weirShell'

export interface Shell {
  readonly kind: 'desktop' | 'browser'
  /** As `linux`, `darwin`, `win32`; `browser` where not known. */
  readonly platform: string
  /** Opens http(s) links outside; anything else is refused. */
  openExternal(url: string): Promise<boolean>
  copyText(text: string): Promise<void>
  /** Asks where to, and writes; resolves with the path or name, `null` when the person changed their mind. */
  saveFile(suggestedName: string, content: Uint8Array): Promise<string | null>
  /** Asks which, and reads at most `bytesMax`; `null` when the person changed their mind. */
  openFile(options: { readonly bytesMax: number; readonly extensions?: readonly string[] }): Promise<OpenedFile | null>
  notify(title: string, body: string): Promise<void>
  /** Shows the profile folder in the file manager; false where there is none. */
  revealDataDirectory(): Promise<boolean>
  /** Commands of the native menu and tray. Returns how to stop listening. */
  onCommand(listener: (command: ShellCommand) => void): () => void
  /**
   * Hands over a new message port to the host: at start, after a reload, and after the host was restarted. Browsers have
   * none and open a WebSocket at `/rpc` instead.
   */
  onHostPort?(listener: (port: MessagePort) => void): () => void
}

export interface OpenedFile {
  readonly name: string
  readonly content: Uint8Array
  /** The file was larger than asked for. */
  readonly isTruncated: boolean
}

export type ShellCommand = 'open-palette' | 'open-settings' | 'new-topic' | 'add-cluster' | 'toggle-theme' | 'reload-data'
