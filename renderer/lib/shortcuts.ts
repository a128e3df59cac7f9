import type { Intent } from './palette.ts'

/** The keys that work everywhere: single letters for actions, `g` and a letter for places. */
export interface Shortcut {
  keys: readonly string[]
  label: string
  section: 'Go to' | 'Do' | 'In a list'
  intent?: Intent | 'palette' | 'produce' | 'filter'
}

export const shortcuts: readonly Shortcut[] = [
  { keys: ['Ctrl', 'K'], label: 'Command palette', section: 'Do', intent: 'palette' },
  { keys: ['/'], label: 'Filter what is shown', section: 'Do', intent: 'filter' },
  { keys: ['p'], label: 'Produce a record', section: 'Do', intent: 'produce' },
  { keys: ['n'], label: 'Create a topic', section: 'Do', intent: { kind: 'create-topic' } },
  { keys: ['c'], label: 'Copy the bootstrap address', section: 'Do', intent: { kind: 'copy-address' } },
  { keys: ['l'], label: 'Show the most lagging partition', section: 'Do', intent: { kind: 'lagging-partition' } },
  { keys: ['?'], label: 'This help', section: 'Do', intent: { kind: 'help' } },
  { keys: ['g', 'o'], label: 'Overview', section: 'Go to', intent: { kind: 'go', place: 'overview' } },
  { keys: ['g', 't'], label: 'Topics', section: 'Go to', intent: { kind: 'go', place: 'topics' } },
  { keys: ['g', 'g'], label: 'Groups', section: 'Go to', intent: { kind: 'go', place: 'groups' } },
  { keys: ['g', 'b'], label: 'Brokers', section: 'Go to', intent: { kind: 'go', place: 'brokers' } },
  { keys: ['g', 'a'], label: 'Activity', section: 'Go to', intent: { kind: 'go', place: 'activity' } },
  { keys: ['g', 's'], label: 'Settings', section: 'Go to', intent: { kind: 'go', place: 'settings' } },
  { keys: ['↑', '↓'], label: 'Move (also j and k)', section: 'In a list' },
  { keys: ['Enter'], label: 'Open', section: 'In a list' },
  { keys: ['Esc'], label: 'Close what is open', section: 'In a list' },
]

/** The shortcut that the keys pressed so far spell, `prefix` when more may follow, or null. */
export function matchShortcut(pressed: readonly string[]): Shortcut | 'prefix' | null {
  const spelled = pressed.join(' ')
  const found = shortcuts.find((shortcut) => shortcut.intent !== undefined && shortcut.keys.join(' ') === spelled)
  if (found) return found
  return shortcuts.some(
    (shortcut) =>
      shortcut.intent !== undefined &&
      shortcut.keys.length > pressed.length &&
      shortcut.keys.slice(0, pressed.length).join(' ') === spelled,
  )
    ? 'prefix'
    : null
}
