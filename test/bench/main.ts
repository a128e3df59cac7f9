/**
 * What Weir costs and carries, as tables: `npm run bench [-- --quick] [-- --only start,produce]`.
 *
 * Everything runs on clusters started the way a user starts them. Machines are noisy: compare figures of one run with one
 * another, and runs only on the same quiet machine.
 */
import { parseArgs } from 'node:util'
import { withCluster } from './cluster.ts'
import { fetchChapter } from './fetch.ts'
import { machine, print, type Chapter } from './figure.ts'
import { latencyChapter } from './latency.ts'
import { memoryChapter } from './memory.ts'
import { produceChapter } from './produce.ts'
import { searchChapter } from './search.ts'
import { coldStartChapter, restartChapter } from './start.ts'
import { figures as wireFigures } from './wire.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } })
const quick = values.quick
const EPHEMERAL = ['--ephemeral']

const chapters: Readonly<Record<string, () => Promise<Chapter>>> = {
  start: () => coldStartChapter(quick ? 3 : 10),
  memory: () => withCluster(EPHEMERAL, (cluster) => memoryChapter(cluster, quick ? 2_000 : 10_000)),
  produce: () => withCluster(EPHEMERAL, (cluster) => produceChapter(cluster, quick ? 500 : 3_000)),
  fetch: () => withCluster(EPHEMERAL, (cluster) => fetchChapter(cluster, quick ? 100_000 : 500_000)),
  latency: () => withCluster(EPHEMERAL, (cluster) => latencyChapter(cluster, quick ? 4 : 15)),
  search: () => withCluster(EPHEMERAL, (cluster) => searchChapter(cluster, quick ? 300_000 : 3_000_000)),
  restart: () => restartChapter((quick ? 0.125 : 1) * 2 ** 30),
  wire: async () => ({ title: 'Codec', figures: [...wireFigures()] }),
}

const wanted = values.only?.split(',') ?? Object.keys(chapters)
const unknown = wanted.filter((name) => !(name in chapters))
if (unknown.length > 0) {
  console.error(`No such chapter: ${unknown.join(', ')}. There are: ${Object.keys(chapters).join(', ')}.`)
  process.exit(2)
}

console.log(`${machine()}\nRepeat with: npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`)
for (const name of wanted) print(await chapters[name]!())
process.exit(0)
