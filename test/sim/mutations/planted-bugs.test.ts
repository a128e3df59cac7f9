import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasFailed, runLifetimes } from '../runner.ts'
import type { FromWorker } from '../worker-messages.ts'
import { withBug } from './plant.ts'
import { plantedBugs } from './planted-bugs.ts'

const root = resolve(import.meta.dirname, '../../..')

describe.each(plantedBugs)('$name', (bug) => {
  it('has its place in the sources', () => {
    const source = readFileSync(resolve(root, bug.file), 'utf8')
    expect(withBug(source, bug)).not.toBe(source)
  })

  it('is found', async () => {
    const outcomes: FromWorker[] = []
    await runLifetimes({
      seed: 'mutation',
      runs: bug.lifetimesMax,
      timeLimitMs: Infinity,
      stopsAtFailure: true,
      plantedBug: bug.name,
      onLifetime: (outcome) => outcomes.push(outcome),
    })
    const failed = outcomes.find(hasFailed)
    expect(failed?.crash ?? null).toBeNull()
    expect(failed?.result?.violations[0]?.invariant).toBe(bug.breaks)
  })
})

it('a bug whose passage is gone from the sources is refused loudly', () => {
  const bug = { ...plantedBugs[0]!, passage: 'this is nowhere' }
  expect(() => withBug('const source = 1', bug)).toThrow(/holds this passage 0 times/)
})
