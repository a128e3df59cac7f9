import { afterEach, expect, test } from 'vitest'
import { slicesOf } from '../../../broker/host/sampling/loop.ts'
import { groupsPerRound } from '../../../broker/host/sampling/group-sampler.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { until } from '../../support/until.ts'
import { startHarness, type HostHarness } from './harness.ts'

let harness: HostHarness | null = null
afterEach(() => harness?.close())

test('a new topic is known with its records soon after it was made', async () => {
  harness = await startHarness()
  const { client, clusterId, kafka } = harness
  kafka.addTopic('fresh', 2)
  kafka.append('fresh', 1, [{ timestampMs: 1, key: null, value: 'x' }])
  await until('its records to be counted', async () => (await client.topics.list({ clusterId })).rows[0]?.recordCount === 1)
})

test("what flows is counted without Kafka's own bookkeeping", async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('quiet', 1)
  kafka.addTopic('__consumer_offsets', 1)
  harness = await startHarness(kafka)
  const { client, clusterId } = harness
  await until('a rate of the internal topic', async () => {
    kafka.append('__consumer_offsets', 0, [{ timestampMs: 1, key: null, value: 'x' }])
    const { rows } = await client.topics.list({ clusterId, includeInternal: true })
    return (rows.find(({ isInternal }) => isInternal)?.recordsInPerSecond ?? 0) > 0
  })
  expect((await client.overview.get({ clusterId })).recordsInPerSecond).toBe(0)
})

test('a topic deleted and made again starts anew', async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('again', 3)
  harness = await startHarness(kafka)
  const { client, clusterId } = harness
  await until('it to be known', async () => (await client.topics.list({ clusterId })).rows[0]?.recordCount === 0)
  kafka.topics.delete('again')
  await until('it to be gone', async () => (await client.topics.list({ clusterId })).total === 0)
  kafka.addTopic('again', 1)
  await until('the new one', async () => (await client.topics.list({ clusterId })).rows[0]?.partitionCount === 1)
})

test('more groups than one round looks into are all had in turn, and listed in pages', async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('t', 1)
  kafka.append('t', 0, [{ timestampMs: 1, key: null, value: 'x' }])
  const count = groupsPerRound + 50
  for (let number = 0; number < count; number += 1) kafka.addGroup(`group-${String(number).padStart(5, '0')}`, { 't-0': number % 2 })
  harness = await startHarness(kafka)
  const { client, clusterId } = harness
  await until('every group to be sampled', async () => (await client.overview.get({ clusterId })).counts.totalLag === count / 2)
  const page = await client.groups.list({ clusterId, from: count - 3, count: 100 })
  expect(page).toMatchObject({ total: count, from: count - 3 })
  expect(page.rows.map(({ totalLag }) => totalLag)).toEqual([0, 1, 2].map((at) => ((count - 3 + at) % 2 === 0 ? 1 : 0)))
})

test('lag has a past for the group, its topic and its partition', async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('t', 2)
  kafka.append(
    't',
    1,
    [1, 2, 3].map((timestampMs) => ({ timestampMs, key: null, value: 'x' })),
  )
  kafka.addGroup('g', { 't-1': 1 })
  harness = await startHarness(kafka)
  const { client, clusterId } = harness
  const span = { clusterId, groupId: 'g', fromMs: Date.now() - 60_000, pointsMax: 20 }
  const lastOf = async (which: { topic?: string; partition?: number; perPartition?: boolean }): Promise<number | null | undefined> => {
    const series = await client.groups.lagHistory({ ...span, ...which, toMs: Date.now() + 5_000 })
    return series[0]?.points.findLast(([, value]) => value !== null)?.[1]
  }
  for (const which of [{}, { topic: 't' }, { topic: 't', partition: 1 }, { perPartition: true }]) {
    await until(`lag of ${JSON.stringify(which)}`, async () => (await lastOf(which)) === 2)
  }
})

test('a group that keeps up with a busy topic is as far behind as it is, not caught up with an end read before', async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('t', 1)
  const group = kafka.addGroup('g', { 't-0': 0 })
  const call = kafka.call.bind(kafka)
  // Between one look and the next, 100 records are written and all but 5 of them consumed.
  kafka.call = (name) => {
    call(name)
    if (name !== 'fetchOffsets') return
    kafka.append(
      't',
      0,
      Array.from({ length: 100 }, () => ({ timestampMs: 1, key: null, value: 'x' })),
    )
    group.offsets.set('t-0', kafka.partition('t', 0).endOffset - 5)
  }
  harness = await startHarness(kafka)
  const { client, clusterId } = harness
  await until('the lag', async () => (await client.groups.list({ clusterId })).rows[0]?.totalLag === 5)
  const span = { clusterId, groupId: 'g', fromMs: Date.now() - 60_000, pointsMax: 20 }
  const recorded = async () => (await client.groups.lagHistory({ ...span, partition: 0, topic: 't', toMs: Date.now() + 5_000 }))[0]?.points
  await until('its past', async () => (await recorded())?.some(([, value]) => value === 5))
})

test('slices cover all in order', () => {
  expect([...slicesOf([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]])
  expect([...slicesOf([], 2)]).toEqual([])
})
