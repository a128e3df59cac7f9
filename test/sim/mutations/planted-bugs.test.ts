import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeFailure } from '../report.ts'
import { hasFailed, runLifetimes } from '../runner.ts'
import type { FromWorker } from '../worker-messages.ts'
import { withBug } from './plant.ts'
import { plantedBugs, type PlantedBug } from './planted-bugs.ts'

const root = resolve(import.meta.dirname, '../../..')

async function outcomesOf(bug: PlantedBug, seed: string, runs: number): Promise<FromWorker[]> {
  const outcomes: FromWorker[] = []
  const onLifetime = (outcome: FromWorker): void => void outcomes.push(outcome)
  await runLifetimes({ seed, runs, timeLimitMs: Infinity, stopsAtFailure: true, plantedBug: bug.name, onLifetime })
  return outcomes
}

describe.each(plantedBugs)('$name', (bug) => {
  it('has its place in the sources', () => {
    const source = readFileSync(resolve(root, bug.file), 'utf8')
    expect(withBug(source, bug)).not.toBe(source)
  })

  it('is found, and again by the seed that is printed, in the same steps', async () => {
    const found = (await outcomesOf(bug, 'mutation', bug.lifetimesMax)).find(hasFailed)
    expect(found?.crash ?? null).toBeNull()
    expect(found?.result?.violations[0]?.invariant).toBe(bug.breaks)
    const [printedSeed] = /(?<=--seed )\S+/.exec(describeFailure(found!)) ?? []
    const [again] = await outcomesOf(bug, printedSeed!, 1)
    expect(again?.result?.traceHash).toBe(found?.result?.traceHash)
    expect(again?.result?.violations).toEqual(found?.result?.violations)
  })
})

it('a bug whose passage is gone from the sources is refused loudly', () => {
  const bug = { ...plantedBugs[0]!, passage: 'this is nowhere' }
  expect(() => withBug('const source = 1', bug)).toThrow(/holds this passage 0 times/)
})
