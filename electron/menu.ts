import { Menu, type MenuItemConstructorOptions } from 'electron'
import type { ShellCommand } from '../broker/contract/shell.ts'

export interface MenuActions {
  command(command: ShellCommand): void
  openDocumentation(): void
  quit(): void
}

export function installMenu(platform: NodeJS.Platform, actions: MenuActions): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(platform, actions)))
}

export function menuTemplate(platform: NodeJS.Platform, actions: MenuActions): MenuItemConstructorOptions[] {
  const isMac = platform === 'darwin'
  const item = (label: string, command: ShellCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.command(command),
  })
  const settings = item('Settings…', 'open-settings', 'CmdOrCtrl+,')
  const quit: MenuItemConstructorOptions = { label: 'Quit Weir', accelerator: 'CmdOrCtrl+Q', click: () => actions.quit() }
  const separator: MenuItemConstructorOptions = { type: 'separator' }

  const file = [item('New Topic…', 'new-topic', 'CmdOrCtrl+N'), item('Add Cluster…', 'add-cluster'), separator]
  return [
    ...(isMac
      ? [{ label: 'Weir', submenu: [{ role: 'about' as const }, separator, settings, separator, { role: 'hide' as const }, quit] }]
      : []),
    {
      label: 'File',
      submenu: [...file, ...(isMac ? [] : [settings, separator]), { role: 'close', label: 'Close Window' }, ...(isMac ? [] : [quit])],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        item('Command Palette…', 'open-palette', 'CmdOrCtrl+K'),
        item('Dark or Light', 'toggle-theme'),
        separator,
        item('Reload', 'reload-data', 'CmdOrCtrl+R'),
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        separator,
        { role: 'toggleDevTools' },
      ],
    },
    { role: 'windowMenu' },
    { role: 'help', submenu: [{ label: 'Kafka Documentation', click: () => actions.openDocumentation() }] },
  ]
}
