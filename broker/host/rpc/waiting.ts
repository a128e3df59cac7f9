import type { Env } from '../../env/types.ts'

/** Resolves after `delayMs`, or at once when `signal` aborts: callers look at the signal. Never rejects. */
export function pause(env: Env, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = env.timers.after(delayMs, finish)
    function finish(): void {
      timer.cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    signal?.addEventListener('abort', finish, { once: true })
  })
}

/** `promise`, or `fallback` after `timeoutMs`. What comes later, failures too, is dropped. */
export function within<Value, Fallback>(
  env: Env,
  timeoutMs: number,
  promise: Promise<Value>,
  fallback: Fallback,
): Promise<Value | Fallback> {
  return new Promise((resolve, reject) => {
    const timer = env.timers.after(timeoutMs, () => resolve(fallback))
    promise.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
