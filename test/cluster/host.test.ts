import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import type { HostClient } from '../../broker/contract/contract.ts'
import { problemOf, type Problem } from '../../broker/contract/errors.ts'
import type { Overview } from '../../broker/contract/overview.ts'
import type { SampleState } from '../../broker/contract/sample.ts'
import type { StreamEvent } from '../../broker/contract/stream.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { createHost, type Host } from '../../broker/host/host.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { EmbeddedCluster } from '../../broker/runtime/types.ts'
import { firstOf } from '../support/contract-stream.ts'
import { openWindow } from '../support/host-window.ts'
import { until } from '../support/until.ts'

/** The host on real brokers, with its real worker: what the screen gets. */
const env = createRealEnv({ log: { write: () => undefined } })
const clusterId = 'embedded'
let folder = ''
let cluster: EmbeddedCluster
let host: Host
let client: HostClient
let kafka: KafkaClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-host-'))
  cluster = await startCluster(env, { dataDirectory: join(folder, 'cluster'), brokers: 3, port: 0 })
  host = await createHost({ env, dataDirectory: join(folder, 'profile'), version: '0.0.0', embedded: [{ cluster, id: clusterId }] })
  client = openWindow((port) => host.attachPort(port)).client
  kafka = createClient(env, { bootstrapServers: cluster.bootstrapServers, clientId: 'my-service' })
  await until('the host to be connected', async () => (await client.overview.get({ clusterId })).cluster.state.status === 'connected')
})

afterAll(async () => {
  await kafka?.close()
  await host?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

const first = <Value>(
  open: (signal: AbortSignal) => PromiseLike<AsyncIterable<StreamEvent<Value>>>,
  condition: (value: Value) => boolean,
): Promise<Value> => firstOf(client, open, condition)
const overviewWith = (condition: (overview: Overview) => boolean): Promise<Overview> =>
  first((signal) => client.overview.watch({ clusterId }, { signal }), condition)
const failure = (promise: Promise<unknown>): Promise<Problem> => promise.then(() => Promise.reject(new Error('it did not fail')), problemOf)

async function createTopic(name: string, partitionCount = 3): Promise<void> {
  await client.topics.create({ clusterId, name, partitionCount })
  await until(`${name} to be known`, async () =>
    (await client.topics.list({ clusterId, filter: name })).rows.some((row) => row.name === name),
  )
}

async function resultOf(query: Parameters<HostClient['messages']['open']>[0]) {
  const { queryId } = await client.messages.open(query)
  await first(
    (signal) => client.messages.watch({ queryId }, { signal }),
    ({ state }) => state !== 'scanning',
  )
  return { queryId, progress: await client.messages.progress({ queryId }) }
}

describe('the overview', () => {
  test('shows three live brokers, the quorum and where to connect', async () => {
    const overview = await overviewWith(
      ({ brokers, quorum }) => brokers.filter(({ isAlive }) => isAlive).length === 3 && quorum?.leaderId !== null,
    )
    expect(overview.bootstrapServers).toEqual(cluster.bootstrapServers.split(','))
    expect(overview.brokers.map(({ id, node, problem }) => ({ id, node, problem }))).toEqual(
      [1, 2, 3].map((id) => ({ id, node: 'running', problem: null })),
    )
    expect(overview.quorum?.voters.map(({ id }) => id)).toEqual([1001, 1002, 1003])
  })

  test('lists a connected client with its library, apart from the console itself', async () => {
    await kafka.metadata({ refresh: true })
    const { connections } = await first(
      (signal) => client.connections.watch({ clusterId }, { signal }),
      (list) => list.connections.some(({ clientId }) => clientId === 'my-service'),
    )
    expect(connections.find(({ clientId }) => clientId === 'my-service')).toMatchObject({ library: 'weir', isOwn: false })
    expect(connections.some(({ isOwn }) => isOwn)).toBe(true)
  })
})

describe('topics', () => {
  test('are created, described, changed, undone and deleted by name', async () => {
    await createTopic('orders')
    const validated = await client.topics.create({ clusterId, name: 'orders', validateOnly: true })
    expect(validated.problems).toHaveLength(1)
    const { changes, activityId } = await client.topics.changeSettings({
      clusterId,
      topic: 'orders',
      changes: [{ name: 'retention.ms', value: '60000' }],
    })
    expect(changes).toEqual([{ name: 'retention.ms', before: null, after: '60000' }])
    const setting = async () => (await client.topics.settings({ clusterId, topic: 'orders' })).find(({ name }) => name === 'retention.ms')
    expect(await until('the setting to apply', async () => ((await setting())?.source === 'topic' ? setting() : null))).toMatchObject({
      value: '60000',
      defaultValue: '604800000',
    })
    const wrong = await client.topics.changeSettings({
      clusterId,
      topic: 'orders',
      changes: [{ name: 'retention.ms', value: 'soon' }],
      validateOnly: true,
    })
    expect(wrong.problems[0]).toMatchObject({ field: 'retention.ms' })
    await client.activity.undo({ id: activityId ?? 0 })
    await until('the setting to be back', async () => (await setting())?.source === 'default')
    expect((await failure(client.activity.undo({ id: activityId ?? 0 }))).code).toBe('NOT_UNDOABLE')
    expect((await failure(client.topics.delete({ clusterId, topic: 'orders', confirmName: 'order' }))).code).toBe('CONFIRMATION_MISMATCH')
    await client.topics.delete({ clusterId, topic: 'orders', confirmName: 'orders' })
    await until('the topic to be gone', async () => (await client.topics.list({ clusterId })).rows.every(({ name }) => name !== 'orders'))
    const { rows } = await client.activity.list({ clusterId, kind: 'change' })
    expect(rows.map(({ action }) => action)).toEqual(expect.arrayContaining(['topic.create', 'topic.settings', 'topic.delete']))
  })

  test('a read-only cluster refuses every change in the host', async () => {
    await createTopic('kept')
    await client.clusters.update({ clusterId, readOnly: true })
    try {
      expect((await failure(client.topics.delete({ clusterId, topic: 'kept', confirmName: 'kept' }))).code).toBe('CLUSTER_READ_ONLY')
      expect((await failure(client.produce.send({ clusterId, topic: 'kept', value: { text: 'x' } }))).code).toBe('CLUSTER_READ_ONLY')
      expect((await failure(client.nodes.kill({ clusterId, nodeId: 1 }))).code).toBe('CLUSTER_READ_ONLY')
    } finally {
      await client.clusters.update({ clusterId, readOnly: false })
    }
  })
})

describe('messages', () => {
  test('a sent record is found where it landed, with its number exact and its headers', async () => {
    await createTopic('sent')
    const value = '{"id":9007199254740993}'
    const landed = await client.produce.send({
      clusterId,
      topic: 'sent',
      key: { text: 'k' },
      value: { text: value },
      headers: [{ key: 'h', value: { encoding: 'hex', text: 'ff 00' } }],
      compression: 'zstd',
    })
    const detail = await client.messages.at({ clusterId, topic: 'sent', partition: landed.partition, offset: landed.offset ?? -1 })
    expect(detail).toMatchObject({
      value: { text: value, encoding: 'json' },
      headers: [{ key: 'h', value: { text: 'ff00', encoding: 'hex' } }],
      batch: { compression: 'zstd' },
    })
    const tombstone = await client.produce.send({ clusterId, topic: 'sent', key: { text: 'k' }, value: null })
    expect(tombstone.partition).toBe(landed.partition)
    const { queryId } = await resultOf({ clusterId, topic: 'sent' })
    const { rows } = await client.messages.rows({ queryId, from: 0, count: 10 })
    expect(rows.map((row) => row.value?.text ?? null)).toEqual([null, value])
  })

  test('text is found in the whole topic, in every codec', async () => {
    await createTopic('searched')
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const producer = kafka.producer({ compression })
      await producer.sendAll(
        Array.from({ length: 2_000 }, (_, index) => ({
          topic: 'searched',
          key: `truck_${index}`,
          value: `{"position":${index},"codec":"${compression}"}`,
        })),
      )
      await producer.close()
    }
    const { progress, queryId } = await resultOf({
      clusterId,
      topic: 'searched',
      text: { contains: 'TRUCK_42', in: ['key'] },
      rowsMax: null,
    })
    expect(progress).toMatchObject({ state: 'done', scanned: 10_000, problem: null, remaining: 0 })
    // truck_42 and truck_420 to truck_429, with each codec.
    expect(progress.matched).toBe(55)
    const { buckets } = await client.messages.histogram({ queryId, buckets: 20 })
    expect(buckets.reduce((total, { recordCount }) => total + (recordCount ?? 0), 0)).toBe(10_000)
  })

  test('repeated sending reports where the last one landed', async () => {
    await createTopic('repeated')
    const record = { clusterId, topic: 'repeated', value: { text: 'n {{index}}' }, useTemplates: true }
    const done = await first(
      (signal) => client.produce.repeat({ record, count: 500, intervalMs: 0 }, { signal }),
      ({ isDone }) => isDone,
    )
    expect(done).toMatchObject({ sent: 500, failed: 0, total: 500 })
    const { queryId, progress } = await resultOf({ clusterId, topic: 'repeated', text: { contains: 'n 499' }, rowsMax: null })
    expect(progress.matched).toBe(1)
    expect((await client.messages.rows({ queryId, from: 0, count: 1 })).rows[0]?.value?.text).toBe('n 499')
  })
})

describe('groups', () => {
  test('lag is shown per partition and over time; offsets are moved after a preview, and back', async () => {
    await createTopic('read')
    const producer = kafka.producer()
    await producer.sendAll(Array.from({ length: 300 }, (_, index) => ({ topic: 'read', partition: index % 3, value: `v${index}` })))
    await producer.close()
    const consumer = kafka.consumer({ groupId: 'readers', topics: ['read'], startWithoutCommit: 'earliest', autoCommitIntervalMs: null })
    let count = 0
    while (count < 300) for (const { records } of await consumer.poll()) count += records.length
    await consumer.commit()
    const stable = await first(
      (signal) => client.groups.watch({ clusterId, groupId: 'readers' }, { signal }),
      ({ state, totalLag }) => state === 'Stable' && totalLag === 0,
    )
    expect(stable.members).toHaveLength(1)
    expect(stable.members[0]?.assignment).toEqual([{ topic: 'read', partitions: [0, 1, 2] }])
    const target = { to: 'shift', by: -10 } as const
    expect((await client.groups.previewReset({ clusterId, groupId: 'readers', target })).blocker).toMatch(/1 member/)
    expect((await failure(client.groups.reset({ clusterId, groupId: 'readers', target, confirmName: 'readers' }))).code).toBe(
      'GROUP_NOT_EMPTY',
    )
    await consumer.close()
    const preview = await client.groups.previewReset({ clusterId, groupId: 'readers', target })
    expect(preview).toMatchObject({ blocker: null, reReadCount: 30, skippedCount: 0 })
    const { activityId } = await client.groups.reset({ clusterId, groupId: 'readers', target, confirmName: 'readers' })
    expect((await client.groups.describe({ clusterId, groupId: 'readers' })).totalLag).toBe(30)
    const listed = await first(
      (signal) => client.groups.watchList({ clusterId, filter: 'readers' }, { signal }),
      ({ rows }) => rows[0]?.totalLag === 30,
    )
    expect(listed.rows[0]?.worst).toMatchObject({ topic: 'read', lag: 10 })
    const lanes = await first(
      (signal) => client.topics.watchPartitions({ clusterId, topic: 'read' }, { signal }),
      ({ lanes: all }) => all.every(({ groups }) => groups[0]?.lag === 10),
    )
    expect(lanes.lanes.map(({ highWatermark, state }) => [highWatermark, state])).toEqual([1, 2, 3].map(() => [100, 'healthy']))
    const nowMs = Date.now()
    await until('the lag to be recorded', async () => {
      const [series] = await client.groups.lagHistory({ clusterId, groupId: 'readers', fromMs: nowMs - 60_000, toMs: Date.now() })
      return series?.points.some(([, lag]) => lag === 30)
    })
    await client.activity.undo({ id: activityId })
    expect((await client.groups.describe({ clusterId, groupId: 'readers' })).totalLag).toBe(0)
    await client.groups.delete({ clusterId, groupId: 'readers', confirmName: 'readers' })
    expect((await failure(client.groups.describe({ clusterId, groupId: 'readers' }))).code).toBe('GROUP_NOT_FOUND')
  })
})

describe('nodes', () => {
  test('a killed broker is seen dead at once, and comes back', async () => {
    await createTopic('fragile')
    const stopped = first(
      (signal) => client.nodes.watch({ clusterId }, { signal }),
      (nodes) => nodes.find(({ id }) => id === 2)?.pid === null,
    )
    await client.nodes.kill({ clusterId, nodeId: 2 })
    await stopped
    const dead = await overviewWith(({ brokers }) => brokers.find(({ id }) => id === 2)?.isAlive === false)
    expect(dead.brokers.find(({ id }) => id === 2)?.problem).toBe('Broker 2 was killed (SIGKILL).')
    expect((await failure(client.nodes.pause({ clusterId, nodeId: 2 }))).code).toBe('NODE_STATE_CONFLICT')
    const started = await client.nodes.start({ clusterId, nodeId: 2 })
    expect(started.state).toBe('running')
    await overviewWith(({ brokers, counts }) => brokers.every(({ isAlive }) => isAlive) && counts.offline === 0)
    const { rows } = await client.activity.list({ clusterId, kind: 'event', filter: 'broker 2' })
    expect(rows.length).toBeGreaterThan(1)
  })
})

describe('connections to other clusters', () => {
  test('a second cluster is tested, added, read and removed; one that does not answer says precisely why and stalls nothing', async () => {
    const refused = await client.clusters.test({ bootstrapServers: ['127.0.0.1:1'] })
    expect(refused).toMatchObject({ ok: false, failure: { reason: 'refused' } })
    expect(refused.steps.at(-1)).toMatchObject({ step: 'connect', ok: false, address: '127.0.0.1:1' })
    const tested = await client.clusters.test({ bootstrapServers: [cluster.bootstrapServers] })
    expect(tested).toMatchObject({ ok: true, sameAsClusterId: clusterId })
    const dead = await client.clusters.add({ name: 'Dead', bootstrapServers: ['127.0.0.1:1'] })
    const same = await client.clusters.add({ name: 'Same', bootstrapServers: [cluster.bootstrapServers], readOnly: true })
    const views = await first(
      (signal) => client.clusters.watch(undefined, { signal }),
      (all) => all.filter(({ state }) => state.status !== 'connecting').length === 3,
    )
    expect(views.find(({ id }) => id === dead.id)?.state).toMatchObject({ status: 'unreachable', reason: 'refused' })
    expect(views.find(({ id }) => id === same.id)?.state.status).toBe('connected')
    expect((await client.topics.list({ clusterId: dead.id })).rows).toEqual([])
    expect((await failure(client.nodes.list({ clusterId: same.id }))).code).toBe('CLUSTER_NOT_EMBEDDED')
    expect((await failure(client.clusters.add({ name: 'dead', bootstrapServers: ['a:1'] }))).code).toBe('CLUSTER_NAME_TAKEN')
    await client.clusters.remove({ clusterId: dead.id, confirmName: 'Dead' })
    await client.clusters.remove({ clusterId: same.id, confirmName: 'Same' })
    expect((await client.clusters.list()).map(({ id }) => id)).toEqual([clusterId])
  })
})

describe('the sample workload', () => {
  const sampleWith = (condition: (state: SampleState) => boolean): Promise<SampleState> =>
    first((signal) => client.sample.watch({ clusterId }, { signal }), condition)

  test('writes an hour of the past, drives on, and a slowed consumer falls behind what is true', async () => {
    await client.sample.start({ clusterId, speed: 100 })
    const running = await sampleWith(
      ({ status, consumers }) => status === 'running' && consumers.every(({ consumedCount }) => consumedCount > 0),
    )
    expect(running.producedCount).toBeGreaterThanOrEqual(36_000)
    await sampleWith(({ consumers }) => consumers.every(({ lag }) => lag !== null && lag < 3_000))
    await client.sample.setConsumerPace({ clusterId, groupId: 'location-dashboard', recordsPerSecondMax: 0 })
    const positions = await first(
      (signal) => client.sample.positions({ clusterId }, { signal }),
      ({ trucks }) => trucks.some(({ readAgeMs }) => (readAgeMs ?? 0) > 100_000),
    )
    expect(positions.trucks).toHaveLength(200)
    const lagging = await first(
      (signal) => client.groups.watchList({ clusterId, sortBy: 'totalLag', direction: 'descending' }, { signal }),
      ({ rows }) => (rows[0]?.totalLag ?? 0) > 4_000,
    )
    expect(lagging.rows[0]?.groupId).toBe('location-dashboard')
    expect((await client.sample.stop({ clusterId })).status).toBe('stopped')
    expect((await failure(client.sample.setSpeed({ clusterId, speed: 10 }))).code).toBe('SAMPLE_STATE_CONFLICT')
  })
})
