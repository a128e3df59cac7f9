import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { until } from '../../support/until.ts'
import { failure, firstOf, startHarness, type HostHarness } from './harness.ts'

let harness: HostHarness
beforeEach(async () => {
  const kafka = new FakeKafka()
  kafka.addTopic('orders', 3)
  kafka.addTopic('payments', 1)
  kafka.addTopic('__consumer_offsets', 2)
  kafka.append(
    'orders',
    0,
    Array.from({ length: 40 }, (_, at) => ({ timestampMs: at, key: null, value: 'x' })),
  )
  kafka.addGroup('billing', { 'orders-0': 10 })
  kafka.addGroup('shipping', { 'orders-0': 39 }, [{ memberId: 'm1', clientId: 'svc', assignment: [{ topic: 'orders', partition: 0 }] }])
  harness = await startHarness(kafka)
})
afterEach(() => harness.close())

describe('topics', () => {
  test('are filtered by parts of the name, sorted by any column, and paged in the host', async () => {
    const { client, clusterId } = harness
    await firstOf(
      client,
      (signal) => client.topics.watchList({ clusterId }, { signal }),
      ({ rows }) => rows.some((row) => row.worstLag === 30),
    )
    expect((await client.topics.list({ clusterId })).rows.map(({ name }) => name)).toEqual(['orders', 'payments'])
    expect((await client.topics.list({ clusterId, includeInternal: true })).total).toBe(3)
    const filtered = await client.topics.list({ clusterId, filter: 'DERS or' })
    expect(filtered).toMatchObject({ total: 1, totalUnfiltered: 2 })
    const byLag = await client.topics.list({ clusterId, sortBy: 'worstLag', direction: 'descending', count: 1 })
    expect(byLag.rows[0]).toMatchObject({
      name: 'orders',
      worstLag: 30,
      worstLagGroupId: 'billing',
      groupCount: 2,
      recordCount: 40,
      partitionCount: 3,
    })
    const second = await client.topics.list({ clusterId, sortBy: 'partitionCount', direction: 'descending', from: 1 })
    expect(second.rows.map(({ name }) => name)).toEqual(['payments'])
  })

  test('what is not known sorts last in both directions', async () => {
    const { client, clusterId } = harness
    await until('lag to be known', async () => (await client.topics.list({ clusterId, filter: 'orders' })).rows[0]?.worstLag === 30)
    for (const direction of ['ascending', 'descending'] as const) {
      const { rows } = await client.topics.list({ clusterId, sortBy: 'worstLag', direction })
      expect(rows.at(-1)).toMatchObject({ name: 'payments', worstLag: null })
    }
  })

  test('a preview of a deletion says what goes and who reads it', async () => {
    const { client, clusterId } = harness
    await until('groups to be known', async () => (await client.topics.list({ clusterId, filter: 'orders' })).rows[0]?.groupCount === 2)
    const preview = await client.topics.previewDelete({ clusterId, topic: 'orders' })
    expect(preview.groups[0]).toEqual({ groupId: 'shipping', state: 'Stable', memberCount: 1 })
    expect(preview.consequences.join(' ')).toMatch(/shipping reads it now/)
    expect(harness.kafka.topics.has('orders')).toBe(true)
  })

  test('a wrong setting is told on its field, and changes nothing', async () => {
    const { client, clusterId } = harness
    const changes = [
      { name: 'retention.ms', value: '5' },
      { name: 'retention.msx', value: '5' },
    ]
    const checked = await client.topics.changeSettings({ clusterId, topic: 'orders', changes, validateOnly: true })
    expect(checked.problems).toEqual([{ field: 'retention.msx', message: expect.stringContaining('retention.msx') }])
    expect((await failure(client.topics.changeSettings({ clusterId, topic: 'orders', changes }))).code).toBe('SETTING_INVALID')
    const { rows } = await client.activity.list({ clusterId })
    expect(rows.find(({ action }) => action === 'topic.settings')).toMatchObject({
      failure: expect.stringContaining('retention.msx'),
      undo: 'none',
    })
  })

  test('an undo is refused when somebody has changed the setting since', async () => {
    const { client, clusterId, kafka } = harness
    const { activityId } = await client.topics.changeSettings({
      clusterId,
      topic: 'orders',
      changes: [{ name: 'retention.ms', value: '5' }],
    })
    kafka.topics.get('orders')?.configs.set('retention.ms', '7')
    const preview = await client.activity.previewUndo({ id: activityId ?? 0 })
    expect(preview.blocker).toMatch(/changed again since/)
    expect((await failure(client.activity.undo({ id: activityId ?? 0 }))).code).toBe('NOT_UNDOABLE')
    expect(kafka.topics.get('orders')?.configs.get('retention.ms')).toBe('7')
  })

  test('a topic that went away while its partitions are watched ends the stream with its name', async () => {
    const { client, clusterId, kafka } = harness
    const watching = failure(
      firstOf(
        client,
        (signal) => client.topics.watchPartitions({ clusterId, topic: 'payments' }, { signal }),
        () => {
          kafka.topics.delete('payments')
          return false
        },
      ),
    )
    expect(await watching).toMatchObject({ code: 'TOPIC_NOT_FOUND', subject: 'payments' })
  })
})

describe('groups', () => {
  test('are filtered by state and sorted by lag', async () => {
    const { client, clusterId } = harness
    await until('lag', async () => (await client.groups.list({ clusterId, filter: 'billing' })).rows[0]?.totalLag === 30)
    const byLag = await client.groups.list({ clusterId, sortBy: 'totalLag', direction: 'descending' })
    expect(byLag.rows.map(({ groupId, totalLag }) => [groupId, totalLag])).toEqual([
      ['billing', 30],
      ['shipping', 1],
    ])
    expect((await client.groups.list({ clusterId, states: ['Stable'] })).rows.map(({ groupId }) => groupId)).toEqual(['shipping'])
  })

  test('a member that reads nothing is shown idle', async () => {
    const { client, clusterId, kafka } = harness
    kafka.groups.get('shipping')?.members.push({ memberId: 'm2', clientId: 'svc', assignment: [] })
    const detail = await client.groups.describe({ clusterId, groupId: 'shipping' })
    expect(detail.members.map(({ memberId, assignment }) => [memberId, assignment.length])).toEqual([
      ['m1', 1],
      ['m2', 0],
    ])
    expect(detail.partitions[0]).toMatchObject({
      topic: 'orders',
      partition: 0,
      committedOffset: 39,
      highWatermark: 40,
      lag: 1,
      memberId: 'm1',
    })
  })

  test('a reset is clamped to the log, says so, and undoing it removes offsets that were not there', async () => {
    const { client, clusterId, kafka } = harness
    const topics = [{ topic: 'orders', partitions: [0, 1] }]
    const input = { clusterId, groupId: 'billing', topics, target: { to: 'offset', offset: 25 } } as const
    const preview = await client.groups.previewReset({ ...input, topics })
    expect(preview.rows.map(({ partition, before, after, note }) => [partition, before, after, note !== null])).toEqual([
      [0, 10, 25, false],
      [1, null, 0, true],
    ])
    const { activityId } = await client.groups.reset({ ...input, topics, confirmName: 'billing' })
    expect(Object.fromEntries(kafka.groups.get('billing')?.offsets ?? [])).toEqual({ 'orders-0': 25, 'orders-1': 0 })
    await client.activity.undo({ id: activityId })
    expect(Object.fromEntries(kafka.groups.get('billing')?.offsets ?? [])).toEqual({ 'orders-0': 10 })
  })

  test('a group with members refuses a reset before anything is sent', async () => {
    const { client, clusterId, kafka } = harness
    const input = { clusterId, groupId: 'shipping', target: { to: 'earliest' } } as const
    expect((await failure(client.groups.reset({ ...input, confirmName: 'shipping' }))).code).toBe('GROUP_NOT_EMPTY')
    expect(kafka.calls).not.toContain('alterOffsets')
  })
})

describe('an unreachable cluster', () => {
  test('is told with its reason, keeps what was known, and comes back by itself', async () => {
    const { client, clusterId, kafka } = harness
    kafka.isDown = true
    await client.clusters.reconnect({ clusterId })
    const down = await firstOf(
      client,
      (signal) => client.overview.watch({ clusterId }, { signal }),
      ({ cluster }) => cluster.state.status === 'unreachable',
    )
    expect(down.cluster.state).toMatchObject({ reason: 'refused', message: expect.stringContaining('127.0.0.1:1') })
    expect(down.brokers.every(({ isAlive }) => !isAlive)).toBe(true)
    expect((await client.topics.list({ clusterId })).total).toBe(2)
    kafka.isDown = false
    await client.clusters.reconnect({ clusterId })
    await firstOf(
      client,
      (signal) => client.clusters.watch(undefined, { signal }),
      ([view]) => view?.state.status === 'connected',
    )
    const { rows } = await client.activity.list({ clusterId, kind: 'event' })
    expect(rows.map(({ action }) => action)).toEqual(expect.arrayContaining(['cluster.unreachable', 'cluster.connected']))
  })
})

describe('sending', () => {
  test('text, hex and templates become the bytes they say', async () => {
    const { client, clusterId, kafka } = harness
    const base = { clusterId, topic: 'payments', partition: 0 }
    await client.produce.send({ ...base, key: { encoding: 'hex', text: '00 ff' }, value: { text: 'n={{index}}' }, useTemplates: true })
    const [batch] = kafka.partition('payments', 0).batches
    expect(Buffer.from(batch?.records[0]?.key ?? '').toString('hex')).toBe('00ff')
    expect(Buffer.from(batch?.records[0]?.value ?? '').toString()).toBe('n=0')
    expect(await failure(client.produce.send({ ...base, value: { encoding: 'hex', text: 'xyz' } }))).toMatchObject({
      code: 'RECORD_INVALID',
      subject: 'value',
    })
    expect((await failure(client.produce.send({ ...base, topic: 'none', value: null }))).code).toBe('TOPIC_NOT_FOUND')
  })

  test('repeating stops when its call is aborted', async () => {
    const { client, clusterId, kafka } = harness
    const record = { clusterId, topic: 'payments', value: { text: 'again' } }
    await firstOf(
      client,
      (signal) => client.produce.repeat({ record, count: 1_000_000, intervalMs: 1 }, { signal }),
      ({ sent }) => sent > 0,
    )
    await until('sending to have stopped', async () => (await client.activity.list({ clusterId, filter: 'of 1,000,000' })).total === 1)
    const sent = kafka.partition('payments', 0).endOffset
    expect(sent).toBeLessThan(1_000)
  })
})

describe('settings and filters', () => {
  test('are changed one by one, and a filter is replaced by name', async () => {
    const { client } = harness
    expect((await client.settings.change({ theme: 'dark' })).theme).toBe('dark')
    expect(await client.settings.get()).toMatchObject({ theme: 'dark', timeZone: 'local' })
    const saved = await client.settings.saveFilter({ scope: 'messages', name: 'mine', content: '{}' })
    await client.settings.saveFilter({ scope: 'messages', name: 'mine', content: '{"a":1}' })
    expect(await client.settings.listFilters({ scope: 'messages' })).toMatchObject([{ id: saved.id, content: '{"a":1}' }])
    await client.settings.removeFilter({ id: saved.id })
    expect((await failure(client.settings.removeFilter({ id: saved.id }))).code).toBe('NOT_FOUND')
  })
})

describe('the palette', () => {
  test('finds what begins with the text before what contains it', async () => {
    const { client } = harness
    const hits = await client.search.find({ text: 'ord' })
    expect(hits[0]).toMatchObject({ kind: 'topic', name: 'orders', hint: '3 partitions' })
    expect((await client.search.find({ text: 'ship' }))[0]).toMatchObject({ kind: 'group', name: 'shipping' })
    expect((await client.search.find({ text: 'broker 2' })).map(({ kind, name }) => [kind, name])).toContainEqual(['broker', '2'])
  })
})
