/**
 * `npm run sim -- --seed S --runs N [--minutes M]`: lives lifetimes and reports; the exit code is 1 when one failed.
 * `--mutations` looks for each planted bug instead, and fails when one is not found.
 */
import { Command, InvalidArgumentError } from 'commander'
import { plantedBugs } from './mutations/planted-bugs.ts'
import { describeFailure, Report } from './report.ts'
import { hasFailed, runLifetimes } from './runner.ts'
import type { FromWorker } from './worker-messages.ts'

interface Options {
  readonly seed?: string
  readonly runs: number
  readonly minutes?: number
  readonly jobs?: number
  readonly beyondBound: boolean
  readonly mutations: boolean
  readonly bug?: string
  readonly log: boolean
}

const PROGRESS_EVERY = 500
const LOG_LINES = 200

const options = new Command('sim')
  .description('Lives simulated lifetimes of a cluster under faults, and checks that its promises hold.')
  .option('--seed <seed>', 'where the lifetimes begin; a fresh one when absent')
  .option('--runs <count>', 'lifetimes, each with a seed of its own', positive, 100)
  .option('--minutes <minutes>', 'start no lifetime after this', positive)
  .option('--jobs <count>', 'processes side by side', positive)
  .option('--beyond-bound', 'let more replicas lose unsynced records than is promised to be survived', false)
  .option('--mutations', 'look for each planted bug', false)
  .option('--bug <name>', 'look for that planted bug only')
  .option('--log', 'print the last lines of the nodes of a failed lifetime', false)
  .parse()
  .opts<Options>()

const seed = options.seed ?? String(Math.floor(Math.random() * 1e9))
const timeLimitMs = options.minutes === undefined ? Infinity : options.minutes * 60_000
process.exitCode = (options.mutations ? await findPlantedBugs() : await live()) ? 0 : 1

async function live(): Promise<boolean> {
  const report = new Report()
  const onLifetime = (outcome: FromWorker): void => {
    report.add(outcome)
    if (hasFailed(outcome)) tellFailure(outcome)
    if (options.runs === 1 && outcome.result !== null) console.log(`trace ${outcome.result.traceHash}`)
    if (report.lifetimes % PROGRESS_EVERY === 0) console.log(`${report.lifetimes} lifetimes, ${report.ratePerMinute.toFixed(0)} a minute`)
  }
  const { runs, jobs, beyondBound } = options
  await runLifetimes({ seed, runs, timeLimitMs, jobs, isUnbounded: beyondBound, onLifetime })
  console.log(`seed ${seed}\n${report.toString()}`)
  return report.failures.length === 0 && report.lifetimes > 0
}

async function findPlantedBugs(): Promise<boolean> {
  let areAllFound = true
  for (const { name, lifetimesMax } of plantedBugs.filter((bug) => options.bug === undefined || bug.name === options.bug)) {
    let lifetimes = 0
    let found: FromWorker | null = null
    const startedMs = performance.now()
    const onLifetime = (outcome: FromWorker): void => {
      lifetimes++
      if (found === null && hasFailed(outcome)) found = outcome
    }
    await runLifetimes({ seed, runs: lifetimesMax, timeLimitMs, jobs: options.jobs, stopsAtFailure: true, plantedBug: name, onLifetime })
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
    console.log(`${found === null ? 'NOT FOUND' : 'found'}: ${name}, in ${lifetimes} lifetimes, ${seconds} s`)
    if (found === null) areAllFound = false
    else console.log(describeFailure(found, ` --mutations --bug "${name}"`).split('\n').slice(0, 3).join('\n'))
  }
  return areAllFound
}

function tellFailure(outcome: FromWorker): void {
  console.log(describeFailure(outcome, options.beyondBound ? ' --beyond-bound' : ''))
  if (options.log) console.log((outcome.result?.logTail ?? []).slice(-LOG_LINES).join('\n'))
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above zero.')
  return value
}
