import { expect, test } from 'vitest'
import { named, plural } from '../../../broker/host/plural.ts'

test('one is one, everything else is many', () => {
  expect([0, 1, 2].map((count) => plural(count, 'record'))).toEqual(['0 records', '1 record', '2 records'])
  expect(plural(2, 'partition is', 'partitions are')).toBe('2 partitions are')
})

test('large counts are grouped', () => {
  expect(plural(1_284, 'record')).toBe('1,284 records')
})

test('a few are called by name, and the rest counted', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((names) => named(names, 3))).toEqual(['', 'a', 'a and b', 'a, b and c'])
  expect(named(['a', 'b', 'c'], 2)).toBe('a, b and 1 other')
  expect(named(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 others')
})
