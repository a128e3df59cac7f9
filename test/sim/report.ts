/** What is said of many lifetimes: the sums, the rate, and each failure with how to see it again. */
import { FAULT_KINDS } from './fault-schedule.ts'
import type { LifetimeResult } from './lifetime.ts'
import { hasFailed } from './runner.ts'
import type { FromWorker } from './worker-messages.ts'

const summed = [
  'virtualMs',
  'acknowledged',
  'consumed',
  'assignments',
  'quorumElections',
  'partitionElections',
  'hints',
  'comparedBatches',
  'closeCalls',
  'heldBack',
] as const satisfies readonly (keyof LifetimeResult)[]

export class Report {
  readonly failures: FromWorker[] = []
  lifetimes = 0
  beyondBound = 0
  expectedLosses = 0
  lifetimesWithLosses = 0
  readonly #startedMs = performance.now()
  readonly #sums = new Map<(typeof summed)[number], number>()
  readonly #faults = new Map<string, number>()

  add(outcome: FromWorker): void {
    this.lifetimes++
    if (hasFailed(outcome)) this.failures.push(outcome)
    const { result } = outcome
    if (result === null) return
    if (result.wasBeyondBound) this.beyondBound++
    if (result.expectedLosses.length > 0) this.lifetimesWithLosses++
    this.expectedLosses += result.expectedLosses.length
    for (const name of summed) this.#sums.set(name, (this.#sums.get(name) ?? 0) + result[name])
    for (const kind of FAULT_KINDS) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + result.faults[kind])
  }

  get ratePerMinute(): number {
    return this.lifetimes / ((performance.now() - this.#startedMs) / 60_000)
  }

  toString(): string {
    const sum = (name: (typeof summed)[number]): string => (this.#sums.get(name) ?? 0).toLocaleString('en')
    const faults = [...this.#faults].map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`).join(', ')
    const hours = ((this.#sums.get('virtualMs') ?? 0) / 3_600_000).toFixed(1)
    return [
      `${this.lifetimes.toLocaleString('en')} lifetimes, ${this.failures.length} failed; ${this.ratePerMinute.toFixed(0)} a minute; ${hours} virtual hours`,
      `records acknowledged ${sum('acknowledged')}, consumed ${sum('consumed')}; batches compared ${sum('comparedBatches')}`,
      `elections: quorum ${sum('quorumElections')}, partitions ${sum('partitionElections')}; group assignments ${sum('assignments')}`,
      `faults: ${faults}; exit hints ${sum('hints')}`,
      `unsynced losses: ${sum('closeCalls')} took acknowledged records from a replica, one short of the bound; ${sum('heldBack')} were held back by it`,
      ...(this.beyondBound === 0
        ? []
        : [
            `beyond the bound: ${this.beyondBound} lifetimes, of which ${this.lifetimesWithLosses} lost something, as expected (${this.expectedLosses} findings)`,
          ]),
    ].join('\n')
  }
}

/** `flags`: what else the run was asked for. */
export function describeFailure({ seed, result, crash }: FromWorker, flags = ''): string {
  const lines = [`FAILED seed ${seed}; to see it again: npm run sim -- --seed ${seed} --runs 1 --log${flags}`]
  if (crash !== null) lines.push(`  the simulation crashed: ${crash}`)
  for (const { invariant, atMs, detail } of result?.violations ?? []) lines.push(`  at ${atMs} ms: ${invariant}: ${detail}`)
  if (result !== null) lines.push(`  trace ${result.traceHash}, ${result.stepCount} steps`)
  return lines.join('\n')
}
