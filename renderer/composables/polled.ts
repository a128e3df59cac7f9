import {
  computed,
  getCurrentScope,
  onScopeDispose,
  ref,
  shallowRef,
  toValue,
  watch,
  type ComputedRef,
  type MaybeRefOrGetter,
  type ShallowRef,
} from 'vue'
import { useHost } from '../client/host.ts'
import { pause } from '../lib/backoff.ts'
import { isCancelled, problemOf, type Problem } from '../lib/problem.ts'

export interface Polled<T> {
  data: ShallowRef<T | null>
  problem: ShallowRef<Problem | null>
  loading: ComputedRef<boolean>
  failed: ComputedRef<boolean>
  /** Reads again now: after a change, or because someone asks. */
  refresh: () => void
}

/** What the host gives only when asked, asked again every so often. One question at a time: the next waits for the answer before it. */
export function usePolled<K, T>(options: {
  key: MaybeRefOrGetter<K | null>
  read: (key: K, signal: AbortSignal) => Promise<T>
  everyMs: number
}): Polled<T> {
  const { epoch } = useHost()
  const data = shallowRef<T | null>(null) as ShallowRef<T | null>
  const problem = shallowRef<Problem | null>(null)
  const round = ref(0)
  let abort: AbortController | null = null

  async function poll(key: K, signal: AbortSignal): Promise<void> {
    do {
      try {
        const answer = await options.read(key, signal)
        if (signal.aborted) return
        data.value = answer
        problem.value = null
      } catch (error) {
        if (signal.aborted || isCancelled(error)) return
        problem.value = problemOf(error)
      }
    } while (await pause(options.everyMs, signal))
  }

  watch(
    [() => JSON.stringify(toValue(options.key)), round, epoch],
    ([keyText], [previousKeyText]) => {
      abort?.abort()
      abort = null
      if (keyText !== previousKeyText) {
        data.value = null
        problem.value = null
      }
      const key = toValue(options.key)
      if (key === null) return
      abort = new AbortController()
      void poll(key, abort.signal)
    },
    { immediate: true },
  )
  if (getCurrentScope() !== undefined) onScopeDispose(() => abort?.abort())

  return {
    data,
    problem,
    loading: computed(() => data.value === null && problem.value === null),
    failed: computed(() => data.value === null && problem.value !== null),
    refresh: () => (round.value += 1),
  }
}
