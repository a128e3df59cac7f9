/**
 * Where rows lie when there are more of them than a page can be tall. Browsers draw far down a page with too few digits to place text (single precision: two
 * pixels at twenty-four million), and end a page at some thirty million. So the page is at most `canvasHeightMax` tall, and beyond that a place on it stands for
 * a place among the rows, in proportion; rows in sight are drawn where the page is scrolled to.
 *
 * `scrollTop` is a place on the page, `offset` the same place among the rows, both in pixels. They are equal as long as the rows fit.
 */
export const canvasHeightMax = 6_000_000

export interface TallExtent {
  /** All rows under each other. */
  rowsHeight: number
  /** What is in sight of them. */
  viewHeight: number
}

export function canvasHeight({ rowsHeight }: Pick<TallExtent, 'rowsHeight'>): number {
  return Math.min(rowsHeight, canvasHeightMax)
}

export function isCompressed({ rowsHeight }: Pick<TallExtent, 'rowsHeight'>): boolean {
  return rowsHeight > canvasHeightMax
}

export function offsetMax({ rowsHeight, viewHeight }: TallExtent): number {
  return Math.max(0, rowsHeight - viewHeight)
}

export function toOffset(scrollTop: number, extent: TallExtent): number {
  return scrollTop * proportion(extent)
}

export function toScrollTop(offset: number, extent: TallExtent): number {
  return offset / proportion(extent)
}

function proportion(extent: TallExtent): number {
  const scrollMax = canvasHeight(extent) - extent.viewHeight
  return isCompressed(extent) && scrollMax > 0 ? offsetMax(extent) / scrollMax : 1
}

/** The rows in sight with some more on both sides; none when there are none. */
export function rowsInSight(
  offset: number,
  viewHeight: number,
  rowHeight: number,
  { count, overscan }: { count: number; overscan: number },
): { first: number; last: number } {
  const first = Math.max(0, Math.floor(offset / rowHeight) - overscan)
  return { first, last: Math.min(count - 1, Math.ceil((offset + viewHeight) / rowHeight) - 1 + overscan) }
}

/** Where to scroll so that a row is in sight: no further than needed, or to the middle. */
export function offsetShowing(index: number, align: 'nearest' | 'center', present: number, rowHeight: number, extent: TallExtent): number {
  const top = index * rowHeight
  const bottom = top + rowHeight
  const wanted =
    align === 'center'
      ? top - (extent.viewHeight - rowHeight) / 2
      : top < present
        ? top
        : bottom > present + extent.viewHeight
          ? bottom - extent.viewHeight
          : present
  return Math.min(offsetMax(extent), Math.max(0, wanted))
}
