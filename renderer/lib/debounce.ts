/** Runs after calls have stopped coming for a while; `cancel` drops what is pending. */
export function debounce<A extends unknown[]>(
  work: (...args: A) => void,
  pauseMs: number,
): ((...args: A) => void) & { cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const soon = (...args: A): void => {
    clearTimeout(timer)
    timer = setTimeout(() => work(...args), pauseMs)
  }
  return Object.assign(soon, { cancel: () => clearTimeout(timer) })
}
