import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Landed, RecordInput, RepeatProgress } from '../../../broker/contract/produce.ts'
import { follow } from '../../../broker/contract/stream.ts'
import { host } from '../../client/host.ts'
import { isCancelled, problemOf, type Problem } from '../../lib/problem.ts'

/** Sending one record, or the same one repeatedly until it is done or stopped; what was sent stays sent. */
export interface Sending {
  busy: Ref<boolean>
  problem: ShallowRef<Problem | null>
  landed: ShallowRef<Landed | null>
  repeat: ShallowRef<RepeatProgress | null>
  send: (record: RecordInput, how: { count: number; intervalMs: number }) => Promise<void>
  stop: () => void
  clear: () => void
}

export function useSending(): Sending {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const landed = shallowRef<Landed | null>(null)
  const repeat = shallowRef<RepeatProgress | null>(null)
  let abort: AbortController | null = null

  function clear(): void {
    problem.value = null
    landed.value = null
    repeat.value = null
  }

  async function send(record: RecordInput, { count, intervalMs }: { count: number; intervalMs: number }): Promise<void> {
    if (busy.value) return
    clear()
    busy.value = true
    const controller = new AbortController()
    abort = controller
    const { signal } = controller
    try {
      if (count <= 1) landed.value = await host().produce.send(record, { signal })
      else
        await follow(host(), host().produce.repeat({ record, count, intervalMs }, { signal }), (progress) => void (repeat.value = progress))
    } catch (error) {
      if (!signal.aborted && !isCancelled(error)) problem.value = problemOf(error)
    } finally {
      busy.value = false
    }
  }

  const stop = (): void => abort?.abort()
  onScopeDispose(stop)
  return { busy, problem, landed, repeat, send, stop, clear }
}
