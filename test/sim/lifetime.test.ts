import { expect, it } from 'vitest'
import { FAULTS_MIN } from './fault-schedule.ts'
import { ACKNOWLEDGED_MIN, LIFETIME_MS } from './lifetime-constants.ts'
import { runLifetime } from './lifetime.ts'
import { hasFailed, runLifetimes } from './runner.ts'
import type { FromWorker } from './worker-messages.ts'

/** In processes of their own, as `npm run sim` does. */
async function outcomesOf(options: { readonly seed: string; readonly runs: number; readonly isUnbounded?: boolean }) {
  const outcomes: FromWorker[] = []
  await runLifetimes({ ...options, timeLimitMs: Infinity, onLifetime: (outcome) => outcomes.push(outcome) })
  return outcomes
}

it('a seed takes the same steps each time, in this process and in another', async () => {
  const here = await runLifetime({ seed: 'replay' })
  const again = await runLifetime({ seed: 'replay' })
  const [elsewhere] = await outcomesOf({ seed: 'replay', runs: 1 })
  expect(again.traceHash).toBe(here.traceHash)
  expect(elsewhere?.result?.traceHash).toBe(here.traceHash)
  expect((await runLifetime({ seed: 'replay.1' })).traceHash).not.toBe(here.traceHash)
})

it('a lifetime is long, troubled and busy enough', async () => {
  const { virtualMs, faults, acknowledged, consumed, comparedBatches, violations } = await runLifetime({ seed: 'whole' })
  expect(violations).toEqual([])
  expect(virtualMs).toBeGreaterThanOrEqual(LIFETIME_MS)
  expect(Object.values(faults).reduce((total, count) => total + count, 0)).toBeGreaterThanOrEqual(FAULTS_MIN)
  expect(acknowledged).toBeGreaterThanOrEqual(ACKNOWLEDGED_MIN)
  expect(consumed).toBeGreaterThanOrEqual(ACKNOWLEDGED_MIN)
  expect(comparedBatches).toBeGreaterThan(0)
})

it('losses beyond the bound are told as expected', async () => {
  const outcomes = await outcomesOf({ seed: 'beyond', runs: 24, isUnbounded: true })
  expect(outcomes.filter(hasFailed)).toEqual([])
  expect(outcomes.some(({ result }) => result?.wasBeyondBound === true && result.expectedLosses.length > 0)).toBe(true)
})
