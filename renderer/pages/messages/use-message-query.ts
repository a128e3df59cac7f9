import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import type { MessageQuery, MessageRow, QueryProgress } from '../../../broker/contract/messages.ts'
import { follow } from '../../../broker/contract/stream.ts'
import { host, useHost } from '../../client/host.ts'
import { backoffMs, pause } from '../../lib/backoff.ts'
import { isCancelled, problemOf, type Problem } from '../../lib/problem.ts'
import { createResultRows, type ResultRows } from './use-result-rows.ts'

/**
 * One question about records, open in the host while the page looks at its answer.
 *
 *   opening -> open: the host told how far it is
 *   opening -> failed: it cannot be answered; tried again while the host or the cluster is away
 *   open -> stale: the host was lost; rows at hand stay, and the query is taken up again, or asked anew when the host has forgotten it
 *   any -> opening: another question
 */
export interface MessageResult {
  state: Ref<'opening' | 'open' | 'stale' | 'failed'>
  queryId: Ref<string | null>
  progress: ShallowRef<QueryProgress | null>
  problem: ShallowRef<Problem | null>
  rowCount: ComputedRef<number>
  rowAt: (index: number) => MessageRow | undefined
  onRange: (first: number, last: number) => void
  /** The index of a record among the rows at hand, or null. */
  indexOf: (place: { partition: number; offset: number }) => number | null
  more: (rows: number) => Promise<void>
  cancel: () => Promise<void>
  rerun: () => void
}

const passing: ReadonlySet<string> = new Set(['HOST_LOST', 'CLUSTER_UNREACHABLE', 'TIMED_OUT'])
const nobody = (): void => undefined

export function useMessageQuery(question: () => MessageQuery | null): MessageResult {
  const { client, epoch } = useHost()
  const state = ref<'opening' | 'open' | 'stale' | 'failed'>('opening')
  const queryId = ref<string | null>(null)
  const progress = shallowRef<QueryProgress | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const rows = shallowRef<ResultRows | null>(null)
  const round = ref(0)
  let seen = { first: 0, last: 0 }
  let abort: AbortController | null = null

  const wantSeen = (): void => {
    const rowCount = progress.value?.rowCount ?? 0
    if (rowCount > 0) rows.value?.want(seen.first, seen.last, rowCount)
  }

  async function openQuery(query: MessageQuery, signal: AbortSignal): Promise<string> {
    const opened = await client.messages.open(query, { signal })
    queryId.value = opened.queryId
    rows.value = createResultRows(opened.queryId, signal, (rowsProblem) => {
      problem.value = rowsProblem
      if (rowsProblem.code === 'QUERY_NOT_FOUND') round.value += 1
    })
    return opened.queryId
  }

  async function run(query: MessageQuery, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const id = queryId.value ?? (await openQuery(query, signal))
        await follow(client, client.messages.watch({ queryId: id }, { signal }), (value) => {
          if (signal.aborted) return
          attempt = 0
          progress.value = value
          problem.value = value.problem
          state.value = 'open'
          wantSeen()
        })
        return
      } catch (error) {
        if (signal.aborted || isCancelled(error)) return
        problem.value = problemOf(error)
        state.value = progress.value === null ? 'failed' : 'stale'
        if (problem.value.code === 'QUERY_NOT_FOUND') forget()
        else if (!passing.has(problem.value.code)) return
      }
      if (!(await pause(backoffMs(attempt), signal))) return
    }
  }

  function forget(): void {
    if (queryId.value !== null) void client.messages.close({ queryId: queryId.value }).catch(nobody)
    queryId.value = null
    progress.value = null
    rows.value = null
  }

  function start(isSameQuestion: boolean): void {
    abort?.abort()
    abort = null
    if (!isSameQuestion) {
      forget()
      seen = { first: 0, last: 0 }
      problem.value = null
      state.value = 'opening'
    }
    const query = question()
    if (query === null) return
    abort = new AbortController()
    if (isSameQuestion && queryId.value !== null && rows.value !== null)
      rows.value = createResultRows(queryId.value, abort.signal, (rowsProblem) => (problem.value = rowsProblem))
    void run(query, abort.signal)
  }

  watch([() => JSON.stringify(question()), round], () => start(false), { immediate: true })
  watch(epoch, () => start(true))
  onScopeDispose(() => {
    abort?.abort()
    forget()
  })

  const tell = async (work: (id: string) => Promise<unknown>): Promise<void> => {
    if (queryId.value === null) return
    try {
      await work(queryId.value)
    } catch (error) {
      if (!isCancelled(error)) problem.value = problemOf(error)
    }
  }

  return {
    state,
    queryId,
    progress,
    problem,
    rowCount: computed(() => progress.value?.rowCount ?? 0),
    rowAt: (index) => rows.value?.rowAt(index),
    onRange(first, last) {
      seen = { first, last }
      wantSeen()
    },
    indexOf({ partition, offset }) {
      for (const row of rows.value?.known() ?? []) if (row.partition === partition && row.offset === offset) return row.index
      return null
    },
    more: (count) => tell((id) => host().messages.more({ queryId: id, rows: count })),
    cancel: () => tell((id) => host().messages.cancel({ queryId: id })),
    rerun: () => (round.value += 1),
  }
}
