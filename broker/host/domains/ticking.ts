import type { Env } from '../../env/types.ts'
import type { Changes } from '../rpc/changes.ts'

/** Changes for what must be asked for anew: one every `intervalMs`, as long as somebody listens. */
export function everyInterval(env: Env, intervalMs: number): Pick<Changes, 'on'> {
  return {
    on(listener) {
      let timer = env.timers.after(intervalMs, tick)
      function tick(): void {
        timer = env.timers.after(intervalMs, tick)
        listener()
      }
      return () => timer.cancel()
    },
  }
}
