import { spawn } from 'node:child_process'

/** On a machine without a browser, or a display, the printed address is all there is. */
export function openInBrowser(url: string): void {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return
  const [command, ...parameters] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  if (command === undefined) return
  const opener = spawn(command, parameters, { stdio: 'ignore', detached: true })
  opener.on('error', () => undefined)
  opener.unref()
}
