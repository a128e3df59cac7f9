/** A process of the runner: lives the lifetimes it is told to, one after the other, with a planted bug if asked for. */
import { plant } from './mutations/plant.ts'
import { plantedBugs } from './mutations/planted-bugs.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

const bugName = process.argv[2]
const bug = plantedBugs.find(({ name }) => name === bugName)
if (bugName !== undefined && bug === undefined) throw new Error(`no such bug: ${bugName}`)
const isPlanted = bug === undefined ? () => true : plant(bug)
const { runLifetime } = await import('./lifetime.ts')
if (!isPlanted()) throw new Error(`${bug?.file} is not among what a lifetime loads`)

process.on('message', ({ seed, isUnbounded }: ToWorker) => {
  runLifetime({ seed, isUnbounded }).then(
    (result) => tell({ seed, result, crash: null }),
    (error: unknown) => tell({ seed, result: null, crash: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

function tell(message: FromWorker): void {
  process.send?.(message)
}
