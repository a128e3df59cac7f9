export interface RowWindow {
  from: number
  count: number
}

const MARGIN = 60
const STEP = 50

/** The window to follow so that the rows in sight are inside it with some room, or null when the present one still holds them. */
export function windowAround(first: number, last: number, present: RowWindow, countMax: number): RowWindow | null {
  if (first >= present.from && last < present.from + present.count) return null
  const from = Math.max(0, Math.floor((first - MARGIN) / STEP) * STEP)
  const count = Math.min(countMax, Math.ceil((last + MARGIN - from) / STEP) * STEP)
  return { from, count: Math.max(100, count) }
}
