import { onBeforeUnmount } from 'vue'
import { useRouter } from 'vue-router'
import { shellGlobal, type Shell, type ShellCommand } from '../../broker/contract/shell.ts'
import { useWindowStore } from '../stores/window.ts'
import { useIntents } from './intents.ts'

/** Commands of the desktop's native menu and tray; a browser has none. */
export function useShellCommands(): void {
  const shell = desktopShell()
  if (shell === null) return
  const router = useRouter()
  const overlays = useWindowStore()
  const { carryOut } = useIntents()

  const commands: Record<ShellCommand, () => unknown> = {
    'open-palette': () => overlays.openPalette(),
    'open-settings': () => router.push({ name: 'settings' }),
    'new-topic': () => carryOut({ kind: 'create-topic' }),
    'add-cluster': () => carryOut({ kind: 'add-connection' }),
    'toggle-theme': () => carryOut({ kind: 'toggle-theme' }),
    'reload-data': () => window.location.reload(),
  }
  onBeforeUnmount(shell.onCommand((command) => void commands[command]()))
}

/** What the desktop's preload put on the window, or null in a browser. */
export function desktopShell(): Shell | null {
  const shell: unknown = (window as unknown as Record<string, unknown>)[shellGlobal]
  return typeof shell === 'object' && shell !== null ? (shell as Shell) : null
}
