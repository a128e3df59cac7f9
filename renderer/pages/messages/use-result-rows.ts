import { shallowRef, type ShallowRef } from 'vue'
import type { MessageRow } from '../../../broker/contract/messages.ts'
import { host } from '../../client/host.ts'
import { isCancelled, problemOf, type Problem } from '../../lib/problem.ts'

/**
 * The rows of one result that are in sight, and some that were. The result itself stays in the host; here are at most `PAGES_MAX` pages of it. An index, once
 * given, stays that record's, so a page is only ever read again to make it longer.
 */
export interface ResultRows {
  rowAt: (index: number) => MessageRow | undefined
  /** Reads what is missing of these rows. */
  want: (first: number, last: number, rowCount: number) => void
  /** Rows at hand, to find a record among them. */
  known: () => Iterable<MessageRow>
  /** Grows with every page that arrives. */
  version: ShallowRef<number>
}

const PAGE_ROWS = 200
const PAGES_MAX = 60

export function createResultRows(queryId: string, signal: AbortSignal, onProblem: (problem: Problem) => void): ResultRows {
  const pages = new Map<number, readonly MessageRow[]>()
  const underWay = new Set<number>()
  const version = shallowRef(0)
  let wanted = { first: 0, last: 0, rowCount: 0 }

  const isWanted = (page: number): boolean => page >= Math.floor(wanted.first / PAGE_ROWS) && page <= Math.floor(wanted.last / PAGE_ROWS)
  const lacks = (page: number): boolean => (pages.get(page)?.length ?? 0) < Math.min(PAGE_ROWS, wanted.rowCount - page * PAGE_ROWS)

  function readMissing(): void {
    for (let page = Math.floor(wanted.first / PAGE_ROWS); page <= Math.floor(wanted.last / PAGE_ROWS); page += 1) {
      if (!underWay.has(page) && lacks(page)) void read(page)
    }
  }

  async function read(page: number): Promise<void> {
    underWay.add(page)
    try {
      const { rows } = await host().messages.rows({ queryId, from: page * PAGE_ROWS, count: PAGE_ROWS }, { signal })
      keep(page, rows)
    } catch (error) {
      if (!signal.aborted && !isCancelled(error)) onProblem(problemOf(error))
      return
    } finally {
      underWay.delete(page)
    }
    readMissing()
  }

  function keep(page: number, rows: readonly MessageRow[]): void {
    pages.delete(page)
    pages.set(page, rows)
    for (const other of pages.keys()) {
      if (pages.size <= PAGES_MAX) break
      if (!isWanted(other)) pages.delete(other)
    }
    version.value += 1
  }

  return {
    version,
    rowAt(index) {
      void version.value
      return pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS]
    },
    want(first, last, rowCount) {
      wanted = { first: Math.max(0, first), last: Math.min(last, rowCount - 1), rowCount }
      readMissing()
    },
    *known() {
      for (const rows of pages.values()) yield* rows
    },
  }
}
