import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** One line of the report. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the design allows: `value` is to be below (`<`) or above (`>`) it. */
  readonly budget?: { readonly relation: '<' | '>'; readonly value: number }
}

export interface Chapter {
  readonly title: string
  readonly figures: readonly Figure[]
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** What the figures were taken on, so that two reports can be compared, or are seen not to be comparable. */
export function machine(): string {
  const [cpu] = cpus()
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0]
  return `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, load ${load} at the start`
}

export function print({ title, figures }: Chapter): void {
  console.log(`\n${title}`)
  for (const { name, value, unit, budget } of figures) {
    const shown = value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
    const verdict = budget === undefined ? '' : `   budget ${budget.relation} ${budget.value}: ${isMet(value, budget) ? 'met' : 'MISSED'}`
    console.log(`  ${name.padEnd(64)} ${shown.padStart(9)} ${unit.padEnd(12)}${verdict}`)
  }
}

function isMet(value: number, budget: NonNullable<Figure['budget']>): boolean {
  return budget.relation === '<' ? value < budget.value : value > budget.value
}
