/** One line of a table. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly budget?: Budget
}

/** `value` is to stay below (`<`) or above (`>`) it. */
export interface Budget {
  readonly relation: '<' | '>'
  readonly value: number
}

export interface Chapter {
  readonly title: string
  readonly figures: readonly Figure[]
  /** What a reader must know to read the figures: what was left out, and why. */
  readonly notes?: readonly string[]
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function shown(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** `met`, or by how much not. Empty without a budget. */
export function verdict({ value, budget }: Figure): string {
  if (budget === undefined) return ''
  if (isMet(value, budget)) return 'met'
  const gap = Math.abs(value - budget.value)
  return `MISSED by ${shown(gap)} (${((gap / budget.value) * 100).toFixed(0)} %)`
}

export function isMet(value: number, { relation, value: bound }: Budget): boolean {
  return relation === '<' ? value < bound : value > bound
}
