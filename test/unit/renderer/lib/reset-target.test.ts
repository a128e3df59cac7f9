import { expect, test } from 'vitest'
import { readResetTarget } from '../../../../renderer/lib/reset-target.ts'

const NOW_MS = 1_800_000_000_000

test('a target is read from what was typed', () => {
  expect(readResetTarget('earliest', '', NOW_MS)).toEqual({ target: { to: 'earliest' } })
  expect(readResetTarget('time', '15m', NOW_MS)).toEqual({ target: { to: 'time', timestampMs: NOW_MS - 900_000 } })
  expect(readResetTarget('shift', ' -100 ', NOW_MS)).toEqual({ target: { to: 'shift', by: -100 } })
  expect(readResetTarget('offset', '42', NOW_MS)).toEqual({ target: { to: 'offset', offset: 42 } })
})

test.each([
  ['time', 'yesterday'],
  ['shift', ''],
  ['shift', '1.5'],
  ['offset', '-1'],
  ['offset', '9007199254740993'],
] as const)('%s "%s" is a mistake that says what to type', (kind, text) => {
  expect(readResetTarget(kind, text, NOW_MS)).toHaveProperty('mistake')
})
