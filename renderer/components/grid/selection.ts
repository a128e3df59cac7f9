/** Where the selection goes for a key, or null when the key is not about moving. Letters move only without a modifier. */
export function moveSelection(
  event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  selected: number,
  { count, pageRows }: { count: number; pageRows: number },
): number | null {
  if (count === 0 || event.ctrlKey || event.metaKey || event.altKey) return null
  const last = count - 1
  switch (event.key) {
    case 'ArrowDown':
    case 'j':
      return Math.min(selected + 1, last)
    case 'ArrowUp':
    case 'k':
      return Math.max(selected - 1, 0)
    case 'PageDown':
      return Math.min(Math.max(selected, 0) + pageRows, last)
    case 'PageUp':
      return Math.max(selected - pageRows, 0)
    case 'Home':
      return 0
    case 'End':
      return last
    default:
      return null
  }
}
