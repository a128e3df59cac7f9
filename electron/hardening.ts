/** What no page of ours may do, whatever it shows: go elsewhere, open windows, embed others, ask for devices. */
import { app, session, type Session, type WebContents } from 'electron'
import { APP_ORIGIN } from './app-protocol.ts'
import { openExternalLink } from './external-links.ts'

/** Copying an address is all the window needs of the platform; it is asked for by our own pages only. */
const grantedPermission = 'clipboard-sanitized-write'

export function hardenSession(target: Session = session.defaultSession): void {
  target.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === grantedPermission && isOurs(contents.getURL())),
  )
  target.setPermissionCheckHandler((_contents, permission, origin) => permission === grantedPermission && isOurs(origin))
  target.setDevicePermissionHandler(() => false)
  target.setDisplayMediaRequestHandler(null)
}

export function hardenEveryWebContents(): void {
  app.on('web-contents-created', (_event, contents) => hardenWebContents(contents))
}

export function hardenWebContents(contents: WebContents): void {
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.on('will-navigate', (event) => {
    if (!isOurs(event.url)) event.preventDefault()
  })
  contents.on('will-redirect', (event) => {
    if (!isOurs(event.url)) event.preventDefault()
  })
  contents.setWindowOpenHandler(({ url }) => {
    void openExternalLink(url)
    return { action: 'deny' }
  })
}

export function isOurs(url: string): boolean {
  return url === APP_ORIGIN || url.startsWith(`${APP_ORIGIN}/`)
}
