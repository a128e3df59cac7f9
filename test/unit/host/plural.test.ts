import { expect, test } from 'vitest'
import { plural } from '../../../broker/host/plural.ts'

test('one is one, everything else is many', () => {
  expect([0, 1, 2].map((count) => plural(count, 'record'))).toEqual(['0 records', '1 record', '2 records'])
  expect(plural(2, 'partition is', 'partitions are')).toBe('2 partitions are')
})
