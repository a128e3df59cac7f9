import type { Page, SortDirection } from '../../contract/common.ts'

/** True when every part of the filter, separated by blanks, occurs; without case. */
export function matchesFilter(text: string, parts: readonly string[]): boolean {
  const lower = text.toLowerCase()
  return parts.every((part) => lower.includes(part))
}

export function filterParts(filter: string): readonly string[] {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((part) => part !== '')
}

/** Sorts by a value of each row: numbers and texts by size, what is not known last, whichever the direction. */
export function sortRows<Row>(
  rows: Row[],
  valueOf: (row: Row) => string | number | null,
  nameOf: (row: Row) => string,
  direction: SortDirection,
): void {
  const sign = direction === 'ascending' ? 1 : -1
  rows.sort((a, b) => {
    const [valueA, valueB] = [valueOf(a), valueOf(b)]
    if (valueA === null || valueB === null) return Number(valueA === null) - Number(valueB === null) || compare(nameOf(a), nameOf(b))
    return sign * compare(valueA, valueB) || compare(nameOf(a), nameOf(b))
  })
}

export function pageOf<Row>(
  rows: readonly Row[],
  window: { readonly from: number; readonly count: number },
  rest: Pick<Page<Row>, 'totalUnfiltered' | 'asOfMs' | 'gaps'>,
): Page<Row> {
  return { rows: rows.slice(window.from, window.from + window.count), from: window.from, total: rows.length, ...rest }
}

function compare<Value extends string | number>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}
