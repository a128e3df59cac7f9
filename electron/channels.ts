/** Names of what passes between the window and the shell. The first three are what the page listens for and posts. */
export const HOST_PORT_MESSAGE = 'weir:host-port'
export const HOST_LOST_MESSAGE = 'weir:host-lost'
export const HOST_PORT_REQUEST = 'weir:host-port-request'

export const SHELL_COMMAND = 'weir:shell-command'

/** One request-and-answer channel per call of the contract's `Shell` that needs the main process. */
export const shellCalls = {
  openExternal: 'weir:open-external',
  copyText: 'weir:copy-text',
  saveFile: 'weir:save-file',
  openFile: 'weir:open-file',
  notify: 'weir:notify',
  revealDataDirectory: 'weir:reveal-data-directory',
} as const

/** What main and host process say to each other. */
export type ToHost = { readonly type: 'connect' } | { readonly type: 'shutdown' }
export type FromHost = { readonly type: 'started'; readonly dataDirectory: string } | { readonly type: 'failed'; readonly message: string }
