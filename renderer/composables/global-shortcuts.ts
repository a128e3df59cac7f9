import { onBeforeUnmount, onMounted } from 'vue'
import { useRoute } from 'vue-router'
import { matchShortcut, type Shortcut } from '../lib/shortcuts.ts'
import { useClustersStore } from '../stores/clusters.ts'
import { useSearchStore } from '../stores/search.ts'
import { useWindowStore } from '../stores/window.ts'
import { useIntents } from './intents.ts'
import { runPageShortcut } from './page-shortcuts.ts'

const SEQUENCE_PAUSE_MS = 1200

/** Keys that work on every page, unless something is being typed or a dialog is open. */
export function useGlobalShortcuts(): void {
  const overlays = useWindowStore()
  const clusters = useClustersStore()
  const search = useSearchStore()
  const route = useRoute()
  const { carryOut } = useIntents()
  let pressed: string[] = []
  let lastMs = 0

  function run(shortcut: Shortcut): void {
    if (shortcut.intent === undefined) return
    if (shortcut.intent === 'palette') overlays.openPalette()
    else if (shortcut.intent === 'filter') focusFilter()
    else if (shortcut.intent === 'produce') {
      const topic = route.params['topic']
      if (!clusters.isReadOnly) overlays.produce = { topic: typeof topic === 'string' ? topic : (search.topics[0] ?? '') }
    } else void carryOut(shortcut.intent)
  }

  function onKeydown(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      if (overlays.paletteOpen) overlays.paletteOpen = false
      else overlays.openPalette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target) || isDialogOpen()) return
    pressed = event.timeStamp - lastMs > SEQUENCE_PAUSE_MS ? [event.key] : [...pressed, event.key]
    lastMs = event.timeStamp
    const match = matchShortcut(pressed) ?? matchShortcut((pressed = [event.key]))
    if (match === 'prefix') return
    pressed = []
    if (match === null) {
      if (runPageShortcut(event)) event.preventDefault()
      return
    }
    event.preventDefault()
    run(match)
  }

  onMounted(() => window.addEventListener('keydown', onKeydown))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKeydown))
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function isDialogOpen(): boolean {
  return document.querySelector('[role="dialog"][data-state="open"], [role="menu"], [role="listbox"]') !== null
}

/** The page's filter field carries `data-filter`. */
function focusFilter(): void {
  document.querySelector<HTMLInputElement>('[data-filter] input, input[data-filter]')?.focus()
}
