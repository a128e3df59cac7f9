import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeKafka } from '../../../support/fake-kafka.ts'
import { until } from '../../../support/until.ts'
import { failure, firstOf, startHarness, type HostHarness } from '../harness.ts'

let harness: HostHarness
beforeEach(async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('orders', 6)
  kafka.addTopic('payments', 3)
  harness = await startHarness(kafka)
})
afterEach(() => harness.close())

/** Partitions of the topic lose their leader. */
function takeOffline(topic: string, ...partitions: readonly number[]): void {
  for (const index of partitions) harness.kafka.partition(topic, index).leader = null
}

const offline = () =>
  until('the event', async () => {
    const { rows } = await harness.client.activity.timeline({ clusterId: harness.clusterId, lanes: ['partition'] })
    return rows.length === 0 ? null : rows
  })

test('a remote cluster tells of its elections by the protocol alone, once, and bounded by name', async () => {
  const { client } = harness
  takeOffline('orders', 0, 3)
  const [row] = await offline()
  expect(row).toMatchObject({ source: 'cluster', kind: 'partition-offline', topics: ['orders'], partitionCount: 2, partition: null })
  const { partitions, total, isDropped } = await client.activity.eventPartitions({ eventId: row?.id ?? 0 })
  expect({ total, isDropped, names: partitions.map(({ partition }) => partition) }).toEqual({ total: 2, isDropped: false, names: [0, 3] })
  expect((await failure(client.activity.eventPartitions({ eventId: 999 }))).code).toBe('NOT_FOUND')
})

test('a screen that watches hears of an event, on the list and on the axis', async () => {
  const { client, clusterId } = harness
  const listed = firstOf(
    client,
    (signal) => client.activity.watchTimeline({ clusterId, topic: 'payments' }, { signal }),
    ({ rows }) => rows.some((row) => row.source === 'cluster' && row.kind === 'partition-offline'),
  )
  const counted = firstOf(
    client,
    (signal) => client.activity.watchMarks({ clusterId, spanMs: 600_000 }, { signal }),
    ({ marks }) => marks.some(({ lane }) => lane === 'partition'),
  )
  takeOffline('payments', 1)
  expect((await listed).total).toBeGreaterThan(0)
  const { marks, fromMs, toMs, slotMs } = await counted
  expect(marks.find(({ lane }) => lane === 'partition')).toMatchObject({ count: 1, isLoss: true })
  expect(toMs - fromMs).toBe(slotMs * 120)
  expect(toMs % slotMs).toBe(0)
})

test('the journal and the events are filtered as one', async () => {
  const { client, clusterId } = harness
  await client.topics.create({ clusterId, name: 'mine' })
  takeOffline('orders', 0)
  await offline()
  const sourcesOf = async (input: Omit<Parameters<typeof client.activity.timeline>[0], 'clusterId'>) =>
    (await client.activity.timeline({ clusterId, ...input })).rows.map(({ source }) => source)
  expect(await sourcesOf({ lanes: ['change'] })).toEqual(['journal', 'journal'])
  expect(await sourcesOf({ topic: 'mine' })).toEqual(['journal'])
  expect(await sourcesOf({ topic: 'orders', lanes: ['partition', 'change'] })).toEqual(['cluster'])
  expect(await sourcesOf({ filter: 'went offline' })).toEqual(['cluster'])
  expect(await sourcesOf({ fromMs: Date.now() + 60_000 })).toEqual([])
})

test('the overview names what is affected, worst first, and the list of topics is narrowed to it', async () => {
  const { client, clusterId } = harness
  takeOffline('payments', 0, 1)
  takeOffline('orders', 5)
  const overview = await until('both to be known', async () => {
    const seen = await client.overview.get({ clusterId })
    return seen.counts.offline === 3 ? seen : null
  })
  expect(
    overview.affectedTopics.map(({ topic, ailment, partitions }) => [topic, ailment, partitions.map(({ partition }) => partition)]),
  ).toEqual([
    ['payments', 'offline', [0, 1]],
    ['orders', 'offline', [5]],
  ])
  expect(overview.affectedTopicCount).toBe(2)
  harness.kafka.partition('orders', 5).leader = 1
  await until('one to be well', async () => (await client.topics.list({ clusterId, onlyAffected: true })).total === 1)
})

test('the replicas of a topic are shown from what is known, and one that is not there is refused by name', async () => {
  const { client, clusterId } = harness
  takeOffline('orders', 2)
  const page = await firstOf(
    client,
    (signal) => client.brokers.watchReplicas({ clusterId, topic: 'orders', from: 2, count: 2 }, { signal }),
    ({ rows }) => rows[0]?.leader === null,
  )
  expect(page).toMatchObject({ total: 6, from: 2, brokerIds: [1, 2, 3] })
  expect(page.rows.map(({ partition, ailment }) => [partition, ailment])).toEqual([
    [2, 'offline'],
    [3, null],
  ])
  const refused = firstOf(
    client,
    (signal) => client.brokers.watchReplicas({ clusterId, topic: 'nowhere' }, { signal }),
    () => true,
  )
  expect(await failure(refused)).toMatchObject({ code: 'TOPIC_NOT_FOUND', subject: 'nowhere' })
})

test('what was seen of a connection goes with it', async () => {
  const { client, clusterId } = harness
  takeOffline('orders', 0)
  await offline()
  await client.clusters.remove({ clusterId, confirmName: 'Test' })
  const { rows } = await client.activity.timeline({})
  expect(rows.filter(({ source }) => source === 'cluster')).toEqual([])
})
