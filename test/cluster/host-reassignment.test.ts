import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import type { HostClient } from '../../broker/contract/contract.ts'
import { problemOf } from '../../broker/contract/errors.ts'
import type { ReassignmentState } from '../../broker/contract/reassignments.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { createHost, type Host } from '../../broker/host/host.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { EmbeddedCluster } from '../../broker/runtime/types.ts'
import { firstOf } from '../support/contract-stream.ts'
import { openWindow } from '../support/host-window.ts'
import { until } from '../support/until.ts'

/** Replicas and leaders moved through the contract, on real brokers: what the screen does. */
const env = createRealEnv({ log: { write: () => undefined } })
const clusterId = 'embedded'
const value = 'x'.repeat(1_000)
let folder = ''
let cluster: EmbeddedCluster
let host: Host
let client: HostClient
let kafka: KafkaClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-host-reassign-'))
  cluster = await startCluster(env, { dataDirectory: join(folder, 'cluster'), brokers: 3, port: 0 })
  host = await startHost()
  kafka = createClient(env, { bootstrapServers: cluster.bootstrapServers })
})
afterAll(async () => {
  await kafka?.close()
  await host?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function startHost(): Promise<Host> {
  const started = await createHost({
    env,
    dataDirectory: join(folder, 'profile'),
    version: '0.0.0',
    embedded: [{ cluster, id: clusterId }],
  })
  client = openWindow((port) => started.attachPort(port)).client
  return started
}

/** A topic with two partitions on brokers 1 and 2, and records in it. */
async function fill(topic: string, recordCount: number): Promise<void> {
  await kafka.admin.createTopics([
    {
      name: topic,
      assignments: [
        [1, 2],
        [2, 1],
      ],
      configs: { 'min.insync.replicas': '1' },
    },
  ])
  const sent = await kafka.producer({ acks: 'all' }).sendAll(Array.from({ length: recordCount }, () => ({ topic, value })))
  expect(sent.filter(({ error }) => error !== null)).toEqual([])
  await until(`${topic} to be known`, async () => (await client.topics.list({ clusterId, filter: topic })).total === 1)
}

async function replicasOf(topic: string): Promise<readonly (readonly number[])[]> {
  const [described] = await kafka.admin.describeTopics([topic])
  return (described?.partitions ?? []).map(({ replicas }) => replicas)
}

async function endsOf(topic: string): Promise<number> {
  const ends = await kafka.admin.listOffsets([0, 1].map((partition) => ({ topic, partition, spec: 'latest' as const })))
  return ends.reduce((total, { offset }) => total + (offset ?? 0), 0)
}

async function throttlesOf(topic: string): Promise<readonly string[]> {
  const described = await kafka.admin.describeConfigs([
    { type: 'topic', name: topic },
    ...[1, 2, 3].map((id) => ({ type: 'broker' as const, name: String(id) })),
  ])
  return described.flatMap(({ type, entries }) =>
    entries.filter(({ name, source }) => name.includes('.replication.throttled.') && source === type).map(({ name }) => name),
  )
}

/** Rates of replication set on the brokers themselves, as `1 leader.replication.throttled.rate=1000`. */
async function ratesSet(): Promise<readonly string[]> {
  const described = await kafka.admin.describeConfigs([1, 2, 3].map((id) => ({ type: 'broker' as const, name: String(id) })))
  return described.flatMap(({ name, entries }) =>
    entries
      .filter((entry) => entry.source === 'broker' && entry.name.endsWith('.throttled.rate'))
      .map((entry) => `${name} ${entry.name}=${entry.value}`),
  )
}

function everyRateAt(bytesPerSecond: number): readonly string[] {
  return [1, 2, 3].flatMap((id) => ['leader', 'follower'].map((side) => `${id} ${side}.replication.throttled.rate=${bytesPerSecond}`))
}

const sameItems = (left: readonly string[], right: readonly string[]): boolean => left.toSorted().join() === right.toSorted().join()

function stateWith(condition: (state: ReassignmentState) => boolean): Promise<ReassignmentState> {
  return firstOf(client, (signal) => client.reassignments.watch({ clusterId }, { signal }), condition)
}

async function previewOf(topic: string, brokers: number[]) {
  const preview = await client.reassignments.preview({ clusterId, goal: { kind: 'spread', topic, brokers } })
  if (preview.planId === null) throw new Error('there is nothing to move')
  return { ...preview, planId: preview.planId }
}

test('a topic moves to other brokers as the preview said, loses nothing, and is taken back from Activity', async () => {
  await fill('moved', 1_000)
  const before = await replicasOf('moved')
  const preview = await previewOf('moved', [2, 3])
  expect(preview.moves.map(({ adding, removing }) => [adding, removing])).toEqual([0, 1].map(() => [[3], [1]]))
  const wrong = await client.reassignments.start({ clusterId, planId: preview.planId, confirmName: 'move' }).catch(problemOf)
  expect(wrong).toMatchObject({ code: 'CONFIRMATION_MISMATCH' })
  const started = await client.reassignments.start({ clusterId, planId: preview.planId, confirmName: 'moved' })
  const done = await stateWith(({ run }) => run?.status === 'done')
  expect(done.run).toMatchObject({ runId: started.runId, doneCount: 2, failedCount: 0, problem: null, summary: '2 partitions moved.' })
  expect(await replicasOf('moved')).toEqual(preview.moves.map(({ after }) => after))
  expect(await endsOf('moved')).toBe(1_000)
  const again = await client.reassignments.start({ clusterId, planId: preview.planId, confirmName: 'moved' }).catch(problemOf)
  expect(again).toMatchObject({ code: 'PLAN_OUTDATED' })

  const undo = await client.activity.previewUndo({ id: started.activityId ?? 0 })
  expect(undo).toMatchObject({ blocker: null, changes: [{ what: 'moved-0' }, { what: 'moved-1' }] })
  await client.activity.undo({ id: started.activityId ?? 0 })
  await stateWith(({ run }) => run?.status === 'done' && run.runId !== started.runId)
  expect(await replicasOf('moved')).toEqual(before)
})

test('a throttled move outlives its host, is cancelled, and leaves neither throttle nor other replicas behind', async () => {
  await fill('slow', 2_000)
  const before = await replicasOf('slow')
  const { planId } = await previewOf('slow', [2, 3])
  await client.reassignments.start({ clusterId, planId, confirmName: 'slow', throttleBytesPerSecond: 1_000 })
  expect(await throttlesOf('slow')).not.toEqual([])
  const moving = await stateWith(({ partitions }) => partitions.some(({ bytesTotal }) => (bytesTotal ?? 0) > 0))
  expect(moving.partitions[0]).toMatchObject({ state: 'moving', origin: 'run', adding: [3], caughtUp: [] })
  const conflict = await previewOf('moved', [1, 3])
  expect(await client.reassignments.start({ clusterId, planId: conflict.planId, confirmName: 'moved' }).catch(problemOf)).toMatchObject({
    code: 'REASSIGNMENT_CONFLICT',
  })

  await host.close()
  host = await startHost()
  const resumed = await stateWith(({ run }) => run?.status === 'running')
  expect(resumed.run?.throttleBytesPerSecond).toBe(1_000)
  await client.reassignments.cancel({ clusterId, what: 'run' })
  const cancelled = await stateWith(({ run }) => run?.status === 'cancelled')
  expect(cancelled.run).toMatchObject({ cancelledCount: 2, problem: null, summary: '2 partitions went back to where they were.' })
  await until('the former replicas, in their order', async () => JSON.stringify(await replicasOf('slow')) === JSON.stringify(before))
  await until('no throttle to be left', async () => (await throttlesOf('slow')).length === 0)
  expect(await endsOf('slow')).toBe(2_000)
})

test('the limit of a move under way is changed on the brokers, and none of it is left at the end', async () => {
  await fill('paced', 4_000)
  const { planId } = await previewOf('paced', [2, 3])
  const { runId } = await client.reassignments.start({ clusterId, planId, confirmName: 'paced', throttleBytesPerSecond: 1_000 })
  await until('brokers to have the first limit', async () => sameItems(await ratesSet(), everyRateAt(1_000)))
  await client.reassignments.setLimit({ clusterId, runId, throttleBytesPerSecond: 2_000 })
  await until('brokers to have the second', async () => sameItems(await ratesSet(), everyRateAt(2_000)))
  const held = await stateWith(({ run }) => run?.throttleBytesPerSecond === 2_000)
  expect(held.run?.status).toBe('running')
  await client.clusters.update({ clusterId, readOnly: true })
  const refused = await client.reassignments.setLimit({ clusterId, runId, throttleBytesPerSecond: 3_000 }).catch(problemOf)
  await client.clusters.update({ clusterId, readOnly: false })
  expect(refused).toMatchObject({ code: 'CLUSTER_READ_ONLY' })

  const { activityId } = await client.reassignments.setLimit({ clusterId, runId, throttleBytesPerSecond: 50_000_000 })
  const done = await stateWith(({ run }) => run?.runId === runId && run.status === 'done')
  expect(done.run).toMatchObject({ doneCount: 2, problem: null })
  await until('no throttle to be left', async () => (await throttlesOf('paced')).length === 0)
  expect(await endsOf('paced')).toBe(4_000)
  const { rows } = await client.activity.list({ clusterId, filter: 'Changed the limit' })
  expect(rows.find(({ id }) => id === activityId)).toMatchObject({ action: 'reassignment.limit', subject: 'paced', failure: null })
  const late = await client.reassignments.setLimit({ clusterId, runId, throttleBytesPerSecond: 1_000 }).catch(problemOf)
  expect(late).toMatchObject({ code: 'REASSIGNMENT_CONFLICT' })
})

test('what somebody else moves is shown beside the own, and can be cancelled', async () => {
  await fill('theirs', 2_000)
  await kafka.admin.incrementalAlterConfigs([
    { type: 'broker', name: '3', changes: [{ name: 'follower.replication.throttled.rate', operation: 'set', value: '1000' }] },
    { type: 'topic', name: 'theirs', changes: [{ name: 'follower.replication.throttled.replicas', operation: 'set', value: '*' }] },
  ])
  await kafka.admin.alterPartitionReassignments([{ topic: 'theirs', partition: 0, replicas: [3, 2] }])
  const seen = await stateWith(({ elsewhereCount }) => elsewhereCount === 1)
  expect(seen.partitions.find(({ topic }) => topic === 'theirs')).toMatchObject({ origin: 'elsewhere', adding: [3], removing: [1] })
  expect(await client.reassignments.cancel({ clusterId, what: 'elsewhere' })).toMatchObject({ cancelledCount: 1 })
  await stateWith(({ elsewhereCount }) => elsewhereCount === 0)
})

test('after a kill and a restart, leadership is given back where the preview said', async () => {
  await fill('led', 10)
  await client.nodes.kill({ clusterId, nodeId: 1 })
  await until('broker 2 to lead both', async () => {
    const [described] = await kafka.admin.describeTopics(['led'])
    return described?.partitions.every(({ leader }) => leader === 2)
  })
  await until('the preview to say who is down', async () => {
    const { blocked } = await client.elections.preview({ clusterId, topic: 'led' })
    return blocked[0]?.reason === 'Broker 1 is down.'
  })
  await client.nodes.start({ clusterId, nodeId: 1 })
  const preview = await until('the preferred replica to be in sync', async () => {
    const found = await client.elections.preview({ clusterId, topic: 'led' })
    return found.changeTotal === 1 ? found : null
  })
  expect(preview.changes).toEqual([{ topic: 'led', partition: 0, from: 2, to: 1 }])
  const result = await client.elections.run({ clusterId, topic: 'led' })
  expect(result).toMatchObject({ electedCount: 1, failedCount: 0 })
  await until('broker 1 to lead again', async () => (await kafka.admin.describeTopics(['led']))[0]?.partitions[0]?.leader === 1)
})

test('a read-only connection refuses to move anything', async () => {
  const { planId } = await previewOf('led', [2, 3])
  await client.clusters.update({ clusterId, readOnly: true })
  try {
    for (const refused of [
      client.reassignments.start({ clusterId, planId, confirmName: 'led' }),
      client.reassignments.cancel({ clusterId, what: 'elsewhere' }),
      client.elections.run({ clusterId }),
    ]) {
      expect(await refused.catch(problemOf)).toMatchObject({ code: 'CLUSTER_READ_ONLY' })
    }
  } finally {
    await client.clusters.update({ clusterId, readOnly: false })
  }
})
