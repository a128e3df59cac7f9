import { Menu, Notification, Tray } from 'electron'

export interface TrayActions {
  show(): void
  quit(): void
}

/** `null` where the desktop has no tray: then the window is the only handle, and closing it must quit. */
export function createTray(icon: string, actions: TrayActions): Tray | null {
  try {
    const tray = new Tray(icon)
    tray.setToolTip('Weir: the cluster is running')
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: 'Open Weir', click: () => actions.show() },
        { type: 'separator' },
        { label: 'Stop the cluster and quit', click: () => actions.quit() },
      ]),
    )
    tray.on('click', () => actions.show())
    return tray
  } catch {
    // Electron throws where no tray can be made; the caller is told by null.
    return null
  }
}

/** Said each time the window closes and the cluster stays: silently running brokers would be a surprise. */
export function sayStillRunning(onClick: () => void): void {
  if (!Notification.isSupported()) return
  const notification = new Notification({
    title: 'Weir is still running',
    body: 'The cluster goes on in the tray. Quit Weir there to stop it.',
    silent: true,
  })
  notification.on('click', onClick)
  notification.show()
}
