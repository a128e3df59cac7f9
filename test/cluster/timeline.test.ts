import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { TimelineRow } from '../../broker/contract/activity.ts'
import type { ReplicaPage } from '../../broker/contract/brokers.ts'
import type { HostClient } from '../../broker/contract/contract.ts'
import { follow } from '../../broker/contract/stream.ts'
import type { ClusterEvent, ClusterEventKind } from '../../broker/contract/timeline.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { createHost, type Host } from '../../broker/host/host.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { EmbeddedCluster } from '../../broker/runtime/types.ts'
import { openWindow } from '../support/host-window.ts'
import { until } from '../support/until.ts'

/** What a screen is told while brokers and controllers are killed: by the contract, on real processes. */
const env = createRealEnv({ log: { write: () => undefined } })
const clusterId = 'embedded'
const TOPIC = 'replicated'
const ALONE = 'alone'
let folder = ''
let cluster: EmbeddedCluster
let host: Host
let client: HostClient

async function openHost(): Promise<void> {
  host = await createHost({ env, dataDirectory: join(folder, 'profile'), version: '0.0.0', embedded: [{ cluster, id: clusterId }] })
  client = openWindow((port) => host.attachPort(port)).client
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-timeline-'))
  cluster = await startCluster(env, { dataDirectory: join(folder, 'cluster'), brokers: 3, port: 0 })
  const kafka = createClient(env, { bootstrapServers: cluster.bootstrapServers, clientId: 'timeline-test' })
  const created = await kafka.admin.createTopics([
    {
      name: TOPIC,
      assignments: [
        [2, 1, 3],
        [1, 2, 3],
        [2, 3, 1],
      ],
      configs: { 'min.insync.replicas': '2' },
    },
    { name: ALONE, assignments: [[2]] },
  ])
  await kafka.close()
  for (const { error } of created) if (error != null) throw error
  await openHost()
  await until('every replica to be known in sync', async () => {
    const { counts, brokers } = await client.overview.get({ clusterId })
    return counts.partitions === 4 && counts.offline + counts.underReplicated === 0 && brokers.every(({ isAlive }) => isAlive)
  })
})

afterAll(async () => {
  await host?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

const rows = async (): Promise<readonly TimelineRow[]> => (await client.activity.timeline({ clusterId, count: 200 })).rows

async function eventOf(kind: ClusterEventKind, isIt: (event: ClusterEvent) => boolean = () => true): Promise<ClusterEvent> {
  const found = await until(
    kind,
    async () => (await rows()).find((row) => row.source === 'cluster' && row.kind === kind && isIt(row)) ?? null,
  )
  if (found.source !== 'cluster') throw new Error('not an event of the cluster')
  return found
}

describe('a broker that is killed', () => {
  test('is fenced, its leaders move, it falls out of sync, and what nobody else has is offline', async () => {
    await client.nodes.kill({ clusterId, nodeId: 2 })
    expect(await eventOf('broker-fenced')).toMatchObject({ brokerIds: [2], partitionCount: 0 })
    const moved = await eventOf('leader-changed', ({ partitionCount }) => partitionCount === 2)
    expect(moved).toMatchObject({ cause: 'broker-ended', topics: [TOPIC], topicCount: 1, brokerIds: [2, 1, 3] })
    expect(moved.summary).toBe(`2 partitions of ${TOPIC} are led by brokers 1 (1), 3 (1): broker 2 ended.`)
    const { partitions } = await client.activity.eventPartitions({ eventId: moved.id })
    expect(partitions.map(({ partition, from, to }) => [partition, from, to])).toEqual([
      [0, 2, 1],
      [2, 2, 3],
    ])
    // The last of an in-sync set leaves it too, and stays eligible to lead.
    expect(await eventOf('isr-shrunk', ({ partitionCount }) => partitionCount === 4)).toMatchObject({ brokerIds: [2], topicCount: 2 })
    expect(await eventOf('partition-offline')).toMatchObject({ topics: [ALONE], partition: 0, cause: 'broker-ended' })
  })

  test('leaves partitions at the edge and without a leader, which are named and filtered', async () => {
    const overview = await until('the minimum to be known', async () => {
      const seen = await client.overview.get({ clusterId })
      return seen.counts.atMinIsr === 3 ? seen : null
    })
    expect(overview.counts).toMatchObject({ offline: 1, underReplicated: 3, belowMinIsr: 0 })
    expect(overview.affectedTopics.map(({ topic, ailment }) => [topic, ailment])).toEqual([
      [ALONE, 'offline'],
      [TOPIC, 'at-min-isr'],
    ])
    expect((await client.topics.list({ clusterId, onlyAffected: true })).rows.map(({ name }) => name)).toEqual([ALONE, TOPIC])
  })

  test('shows its replicas offline, partition by partition, with the epoch of the election', async () => {
    const ending = new AbortController()
    const pages: ReplicaPage[] = []
    await follow(client, client.brokers.watchReplicas({ clusterId, topic: TOPIC }, { signal: ending.signal }), (page) => {
      pages.push(page)
      ending.abort()
    }).catch((error: unknown) => {
      if (pages.length === 0) throw error
    })
    const [page] = pages
    expect(page?.brokerIds).toEqual([1, 2, 3])
    expect(page?.rows[0]?.replicas).toEqual([
      { brokerId: 2, state: 'offline' },
      { brokerId: 1, state: 'leader' },
      { brokerId: 3, state: 'in-sync' },
    ])
    expect(page?.rows[0]?.leaderEpoch).toBeGreaterThan(page?.rows[1]?.leaderEpoch ?? Number.NaN)
  })

  test('is unfenced, catches up and brings its partition back when it is started again', async () => {
    await client.nodes.start({ clusterId, nodeId: 2 })
    expect(await eventOf('broker-unfenced')).toMatchObject({ brokerIds: [2] })
    expect(await eventOf('partition-online')).toMatchObject({ topics: [ALONE], partition: 0 })
    expect((await eventOf('isr-expanded', ({ partitionCount }) => partitionCount >= 3)).topics).toContain(TOPIC)
    await until('nothing to be affected', async () => (await client.overview.get({ clusterId })).affectedTopicCount === 0)
  })
})

describe('the quorum', () => {
  test('elects another controller when its leader is killed, is lost with the second, and returns', async () => {
    const leaderOf = async () => (await client.overview.get({ clusterId })).quorum
    const before = await until('a leader', async () => {
      const quorum = await leaderOf()
      return quorum?.leaderId == null ? null : { leaderId: quorum.leaderId, epoch: quorum.leaderEpoch ?? 0 }
    })
    await client.nodes.kill({ clusterId, nodeId: before.leaderId })
    const elected = await eventOf('controller-elected')
    expect(elected.brokerIds).toHaveLength(2)
    expect(elected.brokerIds[1]).toBe(before.leaderId)
    const second = elected.brokerIds[0] ?? 0
    await client.nodes.kill({ clusterId, nodeId: second })
    expect(await eventOf('quorum-lost')).toMatchObject({ brokerIds: [second] })
    expect((await leaderOf())?.leaderId).toBeNull()
    await client.nodes.start({ clusterId, nodeId: before.leaderId })
    await eventOf('quorum-returned')
    const after = await until('the new leader to be told', async () => {
      const quorum = await leaderOf()
      return quorum?.leaderId == null ? null : quorum
    })
    expect(after.leaderEpoch).toBeGreaterThan(before.epoch)
    await client.nodes.start({ clusterId, nodeId: second })
  })
})

test('the timeline has a past after a restart of the host, and is filtered by topic and broker', async () => {
  const before = (await rows()).filter(({ source }) => source === 'cluster')
  await host.close()
  await openHost()
  const after = (await rows()).filter(({ source }) => source === 'cluster')
  expect(after.map(({ summary }) => summary)).toEqual(expect.arrayContaining(before.map(({ summary }) => summary)))
  const ofTopic = await client.activity.timeline({ clusterId, topic: ALONE, lanes: ['partition'] })
  expect(ofTopic.rows.map((row) => row.source === 'cluster' && row.kind)).toEqual(['partition-online', 'partition-offline'])
  const ofBroker = await client.activity.timeline({ clusterId, brokerId: 2, lanes: ['broker'] })
  expect(ofBroker.rows.map((row) => row.source === 'cluster' && row.kind)).toEqual(['broker-unfenced', 'broker-fenced'])
})
