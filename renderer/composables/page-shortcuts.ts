import { onBeforeUnmount, onMounted, shallowRef, type ShallowRef } from 'vue'

/** Single keys that only the page in view understands; the help lists them while it is in view. Keys that work everywhere come first. */
export interface PageShortcut {
  /** As `KeyboardEvent.key` says it. */
  key: string
  /** How the help shows it, when that is not the key itself. */
  shown?: string
  /** Empty for keys the help tells elsewhere. */
  label: string
  run: () => unknown
}

const current = shallowRef<readonly PageShortcut[]>([])

export function usePageShortcuts(shortcuts: readonly PageShortcut[]): void {
  onMounted(() => (current.value = shortcuts))
  onBeforeUnmount(() => {
    if (current.value === shortcuts) current.value = []
  })
}

export function pageShortcuts(): Readonly<ShallowRef<readonly PageShortcut[]>> {
  return current
}

/** Runs the page's shortcut for a key, unless the key means something to what has the focus; true when there was one. */
export function runPageShortcut(event: KeyboardEvent): boolean {
  const pressesFocused =
    (event.key === ' ' || event.key === 'Enter') &&
    event.target instanceof HTMLElement &&
    event.target.closest('button, a, summary') !== null
  const shortcut = pressesFocused ? undefined : current.value.find(({ key }) => key === event.key)
  shortcut?.run()
  return shortcut !== undefined
}
