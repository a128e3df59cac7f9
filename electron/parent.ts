const pollMs = 500

/** Started by npm, the app must not outlive it: npm cannot pass on its own death. */
export function whenParentVanishes(onVanished: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onVanished()
  }, pollMs)
  timer.unref()
}
