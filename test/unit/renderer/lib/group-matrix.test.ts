import { expect, test } from 'vitest'
import { drainSeconds, groupMatrix } from '../../../../renderer/lib/group-matrix.ts'

const member = (memberId: string) => ({ memberId, instanceId: null, clientId: `client ${memberId}`, host: '/127.0.0.1', assignment: [] })
const partition = (topic: string, index: number, memberId: string | null, lag: number | null = 0) => ({
  topic,
  partition: index,
  committedOffset: 0,
  metadata: null,
  logStartOffset: 0,
  highWatermark: 0,
  lag,
  consumedPerSecond: null,
  memberId,
})

test('every member has a row, idle ones too, and partitions nobody reads share one more', () => {
  const matrix = groupMatrix({
    members: [member('a'), member('idle')],
    partitions: [partition('t', 1, 'a', 5), partition('t', 0, 'a', 2), partition('s', 0, null)],
  })
  expect(matrix.rows.map(({ memberId, partitionCount, lag }) => [memberId, partitionCount, lag])).toEqual([
    ['a', 2, 7],
    ['idle', 0, 0],
    [null, 1, 0],
  ])
})

test('columns go by topic and partition, and topics know their columns', () => {
  const matrix = groupMatrix({
    members: [member('a')],
    partitions: [partition('t', 10, 'a'), partition('t', 9, 'a'), partition('s', 0, 'a')],
  })
  expect(matrix.cells.map(({ partition: { topic, partition: index } }) => `${topic}-${index}`)).toEqual(['s-0', 't-9', 't-10'])
  expect(matrix.topics).toEqual([
    { topic: 's', from: 0, count: 1 },
    { topic: 't', from: 1, count: 2 },
  ])
})

test('a partition whose reader has just left counts as read by nobody', () => {
  const matrix = groupMatrix({ members: [], partitions: [partition('t', 0, 'gone')] })
  expect(matrix.rows).toMatchObject([{ memberId: null, partitionCount: 1 }])
})

test('time to drain is known only while the group gets on', () => {
  expect(drainSeconds({ lag: 0, consumedPerSecond: null })).toBe(0)
  expect(drainSeconds({ lag: 100, consumedPerSecond: 50 })).toBe(2)
  expect(drainSeconds({ lag: 100, consumedPerSecond: 0 })).toBeNull()
  expect(drainSeconds({ lag: null, consumedPerSecond: 50 })).toBeNull()
})

test('a member is said to be at its address, without the slash that Java prints before it', () => {
  const [row] = groupMatrix({ members: [member('a')], partitions: [] }).rows
  expect(row?.detail).toBe('a\n127.0.0.1')
})
