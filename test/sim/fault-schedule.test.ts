import { expect, it } from 'vitest'
import { FAULTS_MIN, scheduleFaults } from './fault-schedule.ts'

const options = {
  brokers: ['b1', 'b2', 'b3'],
  controllers: ['q1', 'q2', 'q3'],
  clients: ['p1', 'c1'],
  consumers: ['c1'],
  startMs: 300,
  endMs: 30_000,
}
const scheduleOf = (seed: string) => scheduleFaults({ ...options, seed })

it('a seed has one schedule, another seed another', () => {
  expect(scheduleOf('a')).toEqual(scheduleOf('a'))
  expect(scheduleOf('a')).not.toEqual(scheduleOf('b'))
})

it('a schedule has enough faults, in order, each over by the end', () => {
  for (let seed = 0; seed < 200; seed++) {
    const faults = scheduleOf(String(seed))
    expect(faults.length).toBeGreaterThanOrEqual(FAULTS_MIN)
    expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).toSorted((one, next) => one - next))
    for (const { atMs, durationMs, target, other } of faults) {
      expect(atMs).toBeGreaterThanOrEqual(options.startMs)
      expect(atMs + durationMs).toBeLessThanOrEqual(options.endMs)
      expect(other).not.toBe(target)
    }
  }
})
