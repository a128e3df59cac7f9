import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { until } from '../../support/until.ts'
import { failure, startHarness, type HostHarness } from './harness.ts'

const orders = { clusterId: '', topic: 'orders' }
let harness: HostHarness
beforeEach(async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('orders', 3)
  kafka.addTopic('prices', 1).configs.set('cleanup.policy', 'compact')
  kafka.addTopic('__consumer_offsets', 1)
  for (const partition of [0, 1]) {
    kafka.append(
      'orders',
      partition,
      Array.from({ length: 40 }, (_, at) => ({ timestampMs: 1_000 + at, key: null, value: 'x' })),
    )
  }
  kafka.addGroup('billing', { 'orders-0': 10, 'orders-1': 40 })
  kafka.addGroup('archive', { 'orders-0': 39, 'orders-1': 40 })
  harness = await startHarness(kafka)
  orders.clusterId = harness.clusterId
})
afterEach(() => harness.close())

const startOf = (partition: number): number => harness.kafka.partition('orders', partition).logStartOffset

describe('a preview of deleting records', () => {
  test('up to the end names each partition, its count, and changes nothing', async () => {
    const { client, kafka } = harness
    kafka.partition('orders', 0).logStartOffset = 5
    const preview = await client.topics.previewDeleteRecords({ ...orders, target: { to: 'end' } })
    expect(preview.rows.map(({ partition, newLogStartOffset, deletedCount }) => [partition, newLogStartOffset, deletedCount])).toEqual([
      [0, 40, 35],
      [1, 40, 40],
      [2, 0, 0],
    ])
    expect(preview).toMatchObject({ deletedCount: 75, blocker: null, isUpperBound: false, unavailable: [] })
    expect(startOf(0)).toBe(5)
  })

  test('by time ends before the first record at or after it; at the end when none is that late', async () => {
    const { client } = harness
    const rows = async (timestampMs: number) =>
      (await client.topics.previewDeleteRecords({ ...orders, partitions: [1], target: { to: 'time', timestampMs } })).rows
    expect(await rows(1_015)).toMatchObject([{ partition: 1, newLogStartOffset: 15, deletedCount: 15 }])
    expect(await rows(9_000)).toMatchObject([{ newLogStartOffset: 40, deletedCount: 40 }])
  })

  test('by offsets keeps partitions that are not named, and what lies outside the log is said', async () => {
    const { client } = harness
    const offsets = [{ partition: 0, beforeOffset: 999 }]
    const { rows } = await client.topics.previewDeleteRecords({ ...orders, target: { to: 'offsets', offsets } })
    expect(rows[0]).toMatchObject({ newLogStartOffset: 40, note: 'Offset 999 is not in the log (0 to 40).' })
    expect(rows[1]).toMatchObject({ newLogStartOffset: 0, deletedCount: 0, note: null })
  })

  test('names groups that have not read what goes', async () => {
    const { client } = harness
    await until('groups to be known', async () => (await client.topics.list({ ...orders, filter: 'orders' })).rows[0]?.groupCount === 2)
    const { consequences } = await client.topics.previewDeleteRecords({ ...orders, target: { to: 'end' } })
    expect(consequences[0]).toMatch(/^billing has not read 30 of them/)
    expect(consequences[1]).toMatch(/^archive has not read 1 of them/)
  })

  test('says that a compacted topic refuses, and so does one of Kafka itself', async () => {
    const { client, clusterId } = harness
    const blockerOf = async (topic: string) =>
      (await client.topics.previewDeleteRecords({ clusterId, topic, target: { to: 'end' } })).blocker
    expect(await blockerOf('prices')).toMatch(/compacted only.*Add "delete" to cleanup.policy/)
    expect(await blockerOf('__consumer_offsets')).toMatch(/internal to Kafka/)
  })

  test('on a topic both compacted and deleted is an upper bound', async () => {
    const { client, kafka } = harness
    kafka.topics.get('orders')?.configs.set('cleanup.policy', 'compact,delete')
    expect(await client.topics.previewDeleteRecords({ ...orders, target: { to: 'end' } })).toMatchObject({
      isUpperBound: true,
      blocker: null,
    })
  })

  test('leaves out a partition without a leader, and says so', async () => {
    const { client, kafka } = harness
    kafka.partition('orders', 1).leader = null
    await until('it to be known', async () => (await client.topics.describe(orders)).offlineCount === 1)
    const preview = await client.topics.previewDeleteRecords({ ...orders, target: { to: 'end' } })
    expect(preview.rows.map(({ partition }) => partition)).toEqual([0, 2])
    expect(preview.unavailable).toEqual([{ partition: 1, reason: 'It has no leader.' }])
  })

  test('of a partition that is not there is refused', async () => {
    const { code } = await failure(harness.client.topics.previewDeleteRecords({ ...orders, partitions: [7], target: { to: 'end' } }))
    expect(code).toBe('PARTITION_NOT_FOUND')
  })
})

describe('deleting records', () => {
  const partitions = [
    { partition: 0, beforeOffset: 15 },
    { partition: 1, beforeOffset: 20 },
  ]
  const journalled = async () =>
    (await harness.client.activity.list({ clusterId: harness.clusterId })).rows.find(({ action }) => action === 'topic.delete-records')

  test('goes exactly to the offsets confirmed, tells each partition, and is journalled', async () => {
    const { client, kafka } = harness
    kafka.append('orders', 0, [{ timestampMs: 9_999, key: null, value: 'written meanwhile' }])
    const result = await client.topics.deleteRecords({ ...orders, partitions, confirmName: 'orders' })
    expect(result).toMatchObject({
      deletedCount: 35,
      outcomes: [
        { partition: 0, logStartOffset: 15, deletedCount: 15, failure: null },
        { partition: 1, logStartOffset: 20, deletedCount: 20, failure: null },
      ],
    })
    expect([startOf(0), startOf(1)]).toEqual([15, 20])
    expect(await journalled()).toMatchObject({
      id: result.activityId,
      summary: 'Deleted 35 records of orders in 2 partitions.',
      failure: null,
      undo: 'none',
    })
  })

  test('that one partition refuses is done in the others, and both are told and journalled', async () => {
    const { client, kafka } = harness
    kafka.partition('orders', 1).leader = null
    const { outcomes, deletedCount } = await client.topics.deleteRecords({ ...orders, partitions, confirmName: 'orders' })
    expect(deletedCount).toBe(15)
    expect(outcomes[1]).toEqual({ partition: 1, logStartOffset: null, deletedCount: 0, failure: 'There is no leader.' })
    expect(await journalled()).toMatchObject({
      summary: 'Deleted 15 records of orders in 1 partition.',
      failure: '1 partition failed: There is no leader.',
    })
  })

  test('that every partition refuses rejects with why, and is journalled as failed', async () => {
    const { client, clusterId } = harness
    const refused = client.topics.deleteRecords({
      clusterId,
      topic: 'prices',
      partitions: [{ partition: 0, beforeOffset: 0 }],
      confirmName: 'prices',
    })
    expect((await failure(refused)).message).toMatch(/prices is compacted only/)
    expect((await journalled())?.failure).toMatch(/compacted only/)
  })

  test('needs the name of the topic, and a connection that may change things', async () => {
    const { client, clusterId } = harness
    const remove = (confirmName: string) => client.topics.deleteRecords({ ...orders, partitions, confirmName })
    expect((await failure(remove('order'))).code).toBe('CONFIRMATION_MISMATCH')
    await client.clusters.update({ clusterId, readOnly: true })
    expect((await failure(remove('orders'))).code).toBe('CLUSTER_READ_ONLY')
    expect(startOf(0)).toBe(0)
  })
})
