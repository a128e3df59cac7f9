import { computed, ref, shallowRef, watch, type ComputedRef } from 'vue'
import { pageRowsMax, type Page } from '../../broker/contract/common.ts'
import type { StreamEvent } from '../../broker/contract/stream.ts'
import type { HostClient } from '../client/host.ts'
import type { Problem } from '../lib/problem.ts'
import { windowAround, type RowWindow } from '../lib/row-window.ts'
import { useLive } from './live.ts'

export interface PagedList<Row> {
  total: ComputedRef<number>
  totalUnfiltered: ComputedRef<number>
  asOfMs: ComputedRef<number | null>
  gaps: ComputedRef<readonly string[]>
  rowAt: (index: number) => Row | undefined
  /** The rows in sight; the window that is followed moves with them. */
  onRange: (first: number, last: number) => void
  loading: ComputedRef<boolean>
  failed: ComputedRef<boolean>
  problem: ComputedRef<Problem | null>
  retry: () => void
}

/**
 * A list that pages, sorts and filters in the host, of which a window around the rows in sight is followed live. Rows seen before stay known until the question
 * changes, so scrolling back shows them at once.
 */
export function usePagedList<Row, Query extends object>(options: {
  query: () => Query | null
  open: (client: HostClient, input: Query & RowWindow, signal: AbortSignal) => PromiseLike<AsyncIterable<StreamEvent<Page<Row>>>>
}): PagedList<Row> {
  const visible = ref<RowWindow>({ from: 0, count: 100 })
  const known = shallowRef<ReadonlyMap<number, Row>>(new Map())

  watch(
    () => JSON.stringify(options.query()),
    () => {
      visible.value = { from: 0, count: 100 }
      known.value = new Map()
    },
    { flush: 'sync' },
  )

  const live = useLive<Query & RowWindow, Page<Row>>({
    key: () => {
      const query = options.query()
      return query === null ? null : { ...query, ...visible.value }
    },
    open: options.open,
    keep: true,
  })

  watch(live.data, (page) => {
    if (page === null) return
    const rows = new Map([...known.value].filter(([index]) => index < page.total))
    for (const [place, row] of page.rows.entries()) rows.set(page.from + place, row)
    known.value = rows
  })

  return {
    total: computed(() => live.data.value?.total ?? 0),
    totalUnfiltered: computed(() => live.data.value?.totalUnfiltered ?? 0),
    asOfMs: computed(() => live.data.value?.asOfMs ?? null),
    gaps: computed(() => live.data.value?.gaps ?? []),
    rowAt: (index) => known.value.get(index),
    onRange(first, last) {
      const wanted = windowAround(first, last, visible.value, pageRowsMax)
      if (wanted !== null) visible.value = wanted
    },
    loading: live.loading,
    failed: live.failed,
    problem: computed(() => live.problem.value),
    retry: live.retry,
  }
}
