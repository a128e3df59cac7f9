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
  type Ref,
  type ShallowRef,
} from 'vue'
import type { StreamEvent } from '../../broker/contract/stream.ts'
import { useHost, type HostClient } from '../client/host.ts'
import { followAndResume, type FollowStatus } from '../client/resume.ts'
import type { Problem } from '../lib/problem.ts'

export interface Live<T> {
  data: ShallowRef<T | null>
  status: Ref<FollowStatus>
  problem: ShallowRef<Problem | null>
  /** Nothing to show yet, and no failure either. */
  loading: ComputedRef<boolean>
  /** Failed before anything could be shown. */
  failed: ComputedRef<boolean>
  retry: () => void
}

/**
 * State that follows the host for as long as the component or store lives. `key` says what is followed, null for nothing; when it changes, the new stream opens
 * and the old data goes (unless `keep`, for another window of the same list). A new connection to the host opens it again at once.
 */
export function useLive<K, V, T = V>(options: {
  key: MaybeRefOrGetter<K | null>
  open: (client: HostClient, key: K, signal: AbortSignal) => PromiseLike<AsyncIterable<StreamEvent<V>>>
  reduce?: (previous: T | null, value: V) => T
  keep?: boolean
}): Live<T> {
  const { client, epoch } = useHost()
  const data = shallowRef<T | null>(null) as ShallowRef<T | null>
  const status = ref<FollowStatus>('loading')
  const problem = shallowRef<Problem | null>(null)
  const round = ref(0)
  const reduce = options.reduce ?? ((_previous: T | null, value: V) => value as unknown as T)
  let abort: AbortController | null = null

  const start = (): void => {
    abort?.abort()
    abort = null
    status.value = data.value === null ? 'loading' : 'stale'
    const key = toValue(options.key)
    if (key === null) return
    const controller = new AbortController()
    abort = controller
    void followAndResume<V>({
      acknowledger: client,
      open: (signal) => options.open(client, key, signal),
      onValue: (value) => (data.value = reduce(data.value, value)),
      onStatus: (next, nextProblem) => {
        status.value = next
        problem.value = nextProblem
      },
      signal: controller.signal,
    })
  }

  watch(
    () => JSON.stringify(toValue(options.key)),
    () => {
      if (options.keep !== true) data.value = null
      problem.value = null
      start()
    },
    { immediate: true },
  )
  watch([epoch, round], start)
  if (getCurrentScope() !== undefined) onScopeDispose(() => abort?.abort())

  return {
    data,
    status,
    problem,
    loading: computed(() => data.value === null && status.value !== 'failed'),
    failed: computed(() => data.value === null && status.value === 'failed'),
    retry: () => (round.value += 1),
  }
}
