import { expect, test } from 'vitest'
import { consumerRows } from '../../../../renderer/lib/consumer-rows.ts'

const partition = (index: number, host: string | null) => ({
  partition: index,
  committedOffset: 1,
  lag: 0,
  memberId: host === null ? null : 'm',
  clientId: host === null ? null : 'c',
  host,
})
const consumer = {
  groupId: 'g',
  state: 'Stable',
  memberCount: 1,
  lag: 0,
  partitions: [partition(0, '/10.0.0.7'), partition(1, 'db.example'), partition(2, null)],
}

test('an address is shown without the slash that Java prints before it', () => {
  const hosts = consumerRows([consumer], new Set()).flatMap((row) => (row.kind === 'partition' ? [row.host] : []))
  expect(hosts).toEqual(['10.0.0.7', 'db.example', null])
})

test('a closed group is one row', () => {
  expect(consumerRows([consumer], new Set(['g'])).map(({ kind }) => kind)).toEqual(['group'])
})
