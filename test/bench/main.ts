/**
 * What Weir costs and carries, as tables. Everything runs on clusters started the way a user starts them. Machines are
 * noisy: compare figures of one run with one another, and runs only on the same quiet machine.
 */
import { parseArgs } from 'node:util'
import type { Chapter } from './figure.ts'
import { chapters, peers } from './chapters.ts'
import { command, load, machine, print, writeReport } from './report.ts'

const HELP = `Usage: npm run bench [-- options]

Measures Weir on this machine and prints tables with the budgets that it meets or misses.

  --quick          fewer rounds and less data
  --only NAMES     these chapters alone, comma-separated; none for the peer alone:
                   ${Object.keys(chapters).join(', ')}
  --peer kafka     the same loads on Apache Kafka, interleaved (needs Java 17; fetches Kafka once)
  --report FILE    writes the tables as Markdown too
  --help           prints this
`

interface Options {
  readonly quick: boolean
  readonly only: readonly string[] | null
  readonly peer: string | null
  readonly reportFile: string | null
}

function optionsOf(parameters: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...parameters],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        peer: { type: 'string' },
        report: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return HELP
    const only = values.only?.split(',').filter((name) => name !== 'none') ?? null
    const unknown = only?.filter((name) => !(name in chapters)) ?? []
    if (unknown.length > 0) throw new Error(`No such chapter: ${unknown.join(', ')}. There are: ${Object.keys(chapters).join(', ')}.`)
    const peer = values.peer ?? null
    if (peer !== null && !(peer in peers)) throw new Error(`No such peer: ${peer}. There is: ${Object.keys(peers).join(', ')}.`)
    return { quick: values.quick, only, peer, reportFile: values.report ?? null }
  } catch (error) {
    console.error((error as Error).message.split('\n')[0])
    process.exit(2)
  }
}

/** A chapter that fails is said in its place, and the others go on. Returns whether all went well. */
async function run({ quick, only, peer, reportFile }: Options): Promise<boolean> {
  const startedAt = new Date()
  const loadAtStart = load()
  console.log(`${machine()}, load ${loadAtStart} at the start\nRepeat with: ${command()}`)
  const wanted = Object.entries(chapters).filter(([name]) => only === null || only.includes(name))
  const compared = Object.entries(peers).filter(([name]) => name === peer)
  const done: Chapter[] = []
  let isWhole = true
  for (const [name, measure] of [...wanted, ...compared]) {
    try {
      for await (const chapter of measure(quick)) {
        print(chapter)
        done.push(chapter)
      }
    } catch (error) {
      isWhole = false
      const reason = error instanceof Error ? error.message : String(error)
      console.error(`\n${name} failed: ${error instanceof Error ? (error.stack ?? reason) : reason}`)
      done.push({ title: `${name}: failed`, figures: [], notes: [reason] })
    }
  }
  if (reportFile !== null) writeReport(reportFile, { startedAt, loadAtStart, chapters: done })
  return isWhole
}

// Ended from outside, it still takes what it started with it.
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
const options = optionsOf(process.argv.slice(2))
if (typeof options === 'string') process.stdout.write(options)
else process.exit((await run(options)) ? 0 : 1)
