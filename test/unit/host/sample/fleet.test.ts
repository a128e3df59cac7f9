import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fleetBounds,
  reportIntervalMs,
  reportOf,
  reportPhaseMs,
  truckAt,
  truckCount,
  truckKey,
  truckOfKey,
} from '../../../../broker/host/sample/fleet.ts'
import { ReadPositions } from '../../../../broker/host/sample/positions.ts'
import { WorkloadClock } from '../../../../broker/host/sample/workload-clock.ts'

const anyTruck = fc.nat(truckCount - 1)
const anyTime = fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 })

describe('the fleet', () => {
  test('stays within its bounds, and no truck jumps', () => {
    fc.assert(
      fc.property(anyTruck, anyTime, (truck, timeMs) => {
        const now = truckAt(truck, timeMs)
        expect(now.latitude).toBeGreaterThanOrEqual(fleetBounds.south)
        expect(now.latitude).toBeLessThanOrEqual(fleetBounds.north)
        expect(now.longitude).toBeGreaterThanOrEqual(fleetBounds.west)
        expect(now.longitude).toBeLessThanOrEqual(fleetBounds.east)
        const next = truckAt(truck, timeMs + reportIntervalMs)
        const km = Math.hypot((next.latitude - now.latitude) * 111, (next.longitude - now.longitude) * 75)
        expect(km).toBeLessThan(0.6)
      }),
      { numRuns: 300 },
    )
  })

  test('is the same whenever it is asked', () => {
    expect(reportOf(41, 1_700_000_000_000)).toBe(reportOf(41, 1_700_000_000_000))
    expect(JSON.parse(reportOf(41, 1_700_000_000_000))).toMatchObject({ truckId: 'truck_42', time: '2023-11-14T22:13:20.000Z' })
  })

  test('reports evenly staggered over the interval', () => {
    const phases = Array.from({ length: truckCount }, (_, truck) => reportPhaseMs(truck))
    expect(new Set(phases).size).toBe(truckCount)
    expect(Math.max(...phases)).toBeLessThan(reportIntervalMs)
  })

  test('keys name trucks, and nothing else does', () => {
    expect(truckKey(41)).toBe('truck_42')
    expect(truckOfKey('truck_42')).toBe(41)
    for (const key of ['truck_0', 'truck_201', 'truck_', 'Truck_1', '42']) expect(truckOfKey(key)).toBeNull()
  })
})

test('what the dashboard has read stays where it was while the truck drives on', () => {
  const positions = new ReadPositions()
  const timeMs = 1_700_000_000_000
  positions.take(Buffer.from('truck_1'), Buffer.from(reportOf(0, timeMs)))
  positions.take(Buffer.from('truck_2'), Buffer.from('not json'))
  positions.take(null, Buffer.from(reportOf(1, timeMs)))
  const [first, second] = positions.at(timeMs + 60_000)
  expect(first?.readAgeMs).toBe(60_000)
  expect(first?.readLatitude).toBeCloseTo(truckAt(0, timeMs).latitude, 4)
  expect(second).toMatchObject({ truckId: 'truck_2', readLatitude: null, readAgeMs: null })
})

test("the workload's time runs at its speed and never goes back when that changes", () => {
  let nowMs = 1_000
  const clock = new WorkloadClock({ nowMs: () => 50_000, monotonicMs: () => nowMs }, 100)
  nowMs += 10
  expect(clock.nowMs()).toBe(51_000)
  clock.setSpeed(1)
  expect(clock.nowMs()).toBe(51_000)
  nowMs += 10
  expect(clock.nowMs()).toBe(51_010)
})
