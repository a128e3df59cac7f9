import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { isCancelled, problemOf, type Problem } from '../lib/problem.ts'

export interface Task<A extends unknown[], R> {
  busy: Ref<boolean>
  problem: ShallowRef<Problem | null>
  /** Runs it; the result, or null when it failed (then `problem` says why) or was overtaken by a later run. */
  run: (...args: A) => Promise<R | null>
  clear: () => void
}

/** One thing a person asked for: whether it is under way, and why it failed. Only the latest run counts. */
export function useTask<A extends unknown[], R>(work: (...args: A) => Promise<R>): Task<A, R> {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let latest = 0
  return {
    busy,
    problem,
    clear: () => (problem.value = null),
    async run(...args) {
      latest += 1
      const mine = latest
      busy.value = true
      problem.value = null
      try {
        const result = await work(...args)
        return mine === latest ? result : null
      } catch (error) {
        if (mine === latest && !isCancelled(error)) problem.value = problemOf(error)
        return null
      } finally {
        if (mine === latest) busy.value = false
      }
    },
  }
}
