/** The tables of a run: on the terminal as they come, and as one Markdown file at the end. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { shown, verdict, type Chapter, type Figure } from './figure.ts'

const NAME_COLUMNS = 64
const VALUE_COLUMNS = 9
const UNIT_COLUMNS = 12
/** Written by hand; a new report takes it over as it is. */
const ANALYSIS = join(import.meta.dirname, 'ANALYSIS.md')

/** What the figures were taken on, so that two reports can be compared, or are seen not to be comparable. */
export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} x ${cpu?.model ?? 'unknown CPU'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`
}

/** Processes that ran or wanted to, on average over the last minute. */
export function load(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '?'
}

export function command(): string {
  return `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`
}

export function print({ title, figures, notes = [] }: Chapter): void {
  console.log(`\n${title}`)
  for (const note of notes) console.log(`  ${note}`)
  for (const figure of figures) {
    const { name, value, unit, budget } = figure
    const judged = budget === undefined ? '' : `   budget ${budget.relation} ${budget.value}: ${verdict(figure)}`
    console.log(`  ${name.padEnd(NAME_COLUMNS)} ${shown(value).padStart(VALUE_COLUMNS)} ${unit.padEnd(UNIT_COLUMNS)}${judged}`)
  }
}

export interface Run {
  readonly startedAt: Date
  readonly loadAtStart: string
  readonly chapters: readonly Chapter[]
}

export function writeReport(path: string, { startedAt, loadAtStart, chapters }: Run): void {
  const minutes = ((Date.now() - startedAt.getTime()) / 60_000).toFixed(1)
  const lines = [
    '# Bench report',
    '',
    'Generated; what is written by hand is at the end.',
    '',
    '| | |',
    '|---|---|',
    `| machine | ${machine()} |`,
    `| load average | ${loadAtStart} at the start, ${load()} at the end |`,
    `| date | ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${minutes} minutes |`,
    `| commit | ${commit()} |`,
    `| repeat with | \`${command()}\` |`,
    '',
    '## Budgets',
    '',
    ...table(
      ['', 'measured', 'budget', ''],
      chapters.flatMap(({ title, figures }) =>
        figures.filter(({ budget }) => budget !== undefined).map((figure) => budgetRow(title, figure)),
      ),
    ),
    ...chapters.flatMap(chapterLines),
    ...(existsSync(ANALYSIS) ? ['', readFileSync(ANALYSIS, 'utf8').trimEnd()] : []),
    '',
  ]
  writeFileSync(path, lines.join('\n'))
}

function budgetRow(title: string, figure: Figure): string[] {
  const { name, value, unit, budget } = figure
  return [`${title}: ${name}`, `${shown(value)} ${unit}`, `${budget?.relation} ${budget?.value} ${unit}`, verdict(figure)]
}

function chapterLines({ title, figures, notes = [] }: Chapter): string[] {
  const rows = figures.map((figure) => [figure.name.trim(), shown(figure.value), figure.unit])
  return ['', `## ${title}`, '', ...notes.flatMap((note) => [note, '']), ...(rows.length === 0 ? [] : table(['', '', ''], rows))]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

/** With `+` when the working tree differs from it. */
function commit(): string {
  try {
    const git = (...parameters: string[]) => execFileSync('git', parameters, { encoding: 'utf8', cwd: import.meta.dirname }).trim()
    const isClean = git('status', '--porcelain', '--untracked-files=no') === ''
    return `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : '+'}`
  } catch {
    return 'unknown'
  }
}
