import { expect, test } from 'vitest'
import { ailmentOf } from '../../../../broker/host/sampling/partition-ailments.ts'

const of = (isr: readonly number[], minimum: number | null, leader: number | null = isr[0] ?? null, replicas = [1, 2, 3]) =>
  ailmentOf({ leader, isr, replicas }, minimum)

test('a partition without a leader is offline, whoever is in sync', () => {
  expect(of([1, 2, 3], 2, null)).toBe('offline')
})

test('fewer in sync than the minimum refuses writes; just as many is at the edge; more is only under-replicated', () => {
  expect(of([1], 2)).toBe('below-min-isr')
  expect(of([1, 2], 2)).toBe('at-min-isr')
  expect(of([1, 2], 1)).toBe('under-replicated')
  expect(of([1, 2, 3], 3)).toBeNull()
})

test('the minimum counts no further than there are replicas', () => {
  expect(of([1], 2, 1, [1])).toBeNull()
  expect(of([1], 3, 1, [1, 2])).toBe('below-min-isr')
})

test('nothing is said of refused writes before the minimum is known', () => {
  expect(of([1], null)).toBe('under-replicated')
})
