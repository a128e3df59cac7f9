import { expect, test } from 'vitest'
import { CopyRate } from '../../../../broker/host/reassignments/copy-rate.ts'

/** Measured at one look a second. */
function measured(...bytes: readonly number[]): CopyRate {
  const rate = new CopyRate()
  bytes.forEach((copied, at) => rate.measure(copied, at * 1_000))
  return rate
}

test('a rate takes two measurements, and the newest counts most', () => {
  expect(measured(500).within(Infinity)).toBeNull()
  expect(measured(0, 1_000).within(Infinity)).toBe(1_000)
  expect(measured(0, 1_000, 3_000).within(Infinity)).toBe(1_400)
})

test('a burst beyond the limit is not taken for the pace', () => {
  expect(measured(0, 1_000_000).within(2_000)).toBe(2_000)
})

test('after another limit the first measurement counts alone, from the moment of the change', () => {
  const rate = measured(0, 1_000, 2_000)
  rate.outdate(10_000)
  expect(rate.within(Infinity)).toBe(1_000)
  rate.measure(52_000, 11_000)
  expect(rate.within(Infinity)).toBe(50_000)
  rate.measure(102_000, 12_000)
  rate.measure(102_000, 13_000)
  expect(rate.within(Infinity)).toBe(50_000)
})

test('only what is new is progress', () => {
  const rate = new CopyRate()
  expect([rate.measure(null, 0), rate.measure(5, 0), rate.measure(5, 1_000), rate.measure(3, 2_000), rate.measure(4, 3_000)]).toEqual([
    false,
    true,
    false,
    false,
    true,
  ])
})
