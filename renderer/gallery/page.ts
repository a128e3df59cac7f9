import type { Page } from '../../broker/contract/common.ts'

export function pageOf<Row>(matching: readonly Row[], totalUnfiltered: number, window: { from: number; count: number }): Page<Row> {
  return {
    rows: matching.slice(window.from, window.from + window.count),
    from: window.from,
    total: matching.length,
    totalUnfiltered,
    asOfMs: Date.now(),
    gaps: [],
  }
}

/** Sorted by one field of the row, missing values last. */
export function sortedBy<Row>(rows: readonly Row[], key: string, direction: 'ascending' | 'descending'): Row[] {
  const sign = direction === 'ascending' ? 1 : -1
  const valueOf = (row: Row): string | number | null => (row as Record<string, string | number | null>)[key] ?? null
  return [...rows].sort((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)]
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1
    return left < right ? -sign : left > right ? sign : 0
  })
}
