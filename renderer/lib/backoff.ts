/** Waits, and ends early when told to stop; true when the time passed. */
export function pause(spanMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    }, spanMs)
    const stop = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** The pause before the given attempt (0 is the first retry): doubling, capped. */
export function backoffMs(attempt: number, firstMs = 250, maxMs = 5_000): number {
  return Math.min(firstMs * 2 ** attempt, maxMs)
}
