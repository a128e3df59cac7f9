import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeQuorum } from '../../broker/api/55-describe-quorum.schema.ts'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import type { ClusterOptions, EmbeddedCluster } from '../../broker/runtime/types.ts'

/** A quorum of three on real processes: what dies, what goes on, and how it heals. */
const env = createRealEnv({ log: { write: () => undefined } })
let folder = ''
let cluster: EmbeddedCluster
let client: KafkaClient

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-quorum-'))
})
afterEach(async () => {
  await client?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function start(options: Partial<ClusterOptions> = {}): Promise<void> {
  cluster = await startCluster(env, { dataDirectory: folder, brokers: 3, controllers: 3, port: 0, ...options })
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers })
}

async function quorum(timeoutMs = 10_000) {
  const request = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
  const { topics } = await client.request('any', describeQuorum, request, { timeoutMs })
  return topics[0]!.partitions[0]!
}

async function create(topic: string, timeoutMs = 10_000, replicationFactor = 1): Promise<unknown> {
  const [answer] = await client.admin.createTopics([{ name: topic, partitionCount: 3, replicationFactor }], { timeoutMs })
  return answer?.error ?? null
}

/** May have to be told twice: a call whose answer was lost was carried out all the same. */
async function createSurely(topic: string, replicationFactor = 1): Promise<void> {
  await expect
    .poll(
      async () =>
        (await client.admin.listTopics()).some(({ name }) => name === topic) || (await create(topic, 10_000, replicationFactor)) === null,
      {
        timeout: 30_000,
      },
    )
    .toBe(true)
}

async function write(topic: string, values: readonly string[]): Promise<void> {
  const sent = await client.producer({ acks: 'all', idempotent: false }).sendAll(values.map((value) => ({ topic, key: value, value })))
  expect(sent.filter(({ error }) => error !== null)).toEqual([])
}

/** What the nodes have printed, all of them. */
async function printed(): Promise<string> {
  const logs = join(folder, 'logs')
  const files = await readdir(logs)
  return (await Promise.all(files.map((file) => readFile(join(logs, file), 'utf8')))).join('')
}

const stateOf = (id: number) => cluster.nodes().find((node) => node.id === id)?.state

describe('three controllers', () => {
  test('have one leader that two follow, and every broker observes', async () => {
    await start()
    await expect
      .poll(async () => {
        const { leaderId, currentVoters, observers } = await quorum()
        return {
          leads: [1001, 1002, 1003].includes(leaderId),
          voters: currentVoters.map(({ replicaId }) => replicaId).sort(),
          observers: observers.map(({ replicaId }) => replicaId).sort(),
        }
      })
      .toEqual({ leads: true, voters: [1001, 1002, 1003], observers: [1, 2, 3] })
  })

  test('the active one killed: topics are created as before, under another leader', async () => {
    await start()
    for (let round = 0; round < 3; round++) {
      const { leaderId, leaderEpoch } = await quorum()
      await cluster.kill(leaderId)
      await createSurely(`round-${round}`)
      const after = await quorum()
      expect(after.leaderId).not.toBe(leaderId)
      expect(after.leaderEpoch).toBeGreaterThan(leaderEpoch)
      await cluster.start(leaderId)
    }
  })

  test('two of them dead: data flows, topics cannot be made, and all of it heals', async () => {
    await start()
    await createSurely('data')
    // What a broker has not heard before the quorum is lost it does not know: so each has to take a write first.
    await write(
      'data',
      Array.from({ length: 30 }, (_, index) => `before-${index}`),
    )
    await cluster.kill(1001)
    await cluster.kill(1002)
    await write('data', ['a', 'b', 'c'])
    expect(await create('refused', 3_000).catch((error: unknown) => error)).not.toBeNull()
    await write('data', ['d'])
    expect([1, 2, 3].map(stateOf)).toEqual(['running', 'running', 'running'])
    await cluster.start(1002)
    await createSurely('healed')
    await cluster.start(1001)
    await expect.poll(async () => (await quorum()).currentVoters.every(({ logEndOffset }) => logEndOffset > 0)).toBe(true)
    await write('data', ['e'])
  })

  test('stopped in any order they start again, without the last leader too', async () => {
    await start()
    await createSurely('kept')
    const { leaderId } = await quorum()
    const others = [1001, 1002, 1003].filter((id) => id !== leaderId)
    await cluster.stop(others[0]!)
    await cluster.kill(leaderId)
    await cluster.stop(others[1]!)
    await Promise.all(others.map((id) => cluster.start(id)))
    await createSurely('without the last leader'.replaceAll(' ', '-'))
    await cluster.start(leaderId)
    expect((await client.admin.listTopics()).map(({ name }) => name).sort()).toEqual(['kept', 'without-the-last-leader'])
  })

  test('a whole cluster, killed and started again from its folder, is the same cluster', async () => {
    await start()
    await createSurely('kept')
    await write('kept', ['a', 'b'])
    const { clusterId } = cluster
    await Promise.all(cluster.nodes().map(({ id }) => cluster.kill(id)))
    await client.close()
    await cluster.shutdown()
    await start({ controllers: undefined })
    expect(cluster.clusterId).toBe(clusterId)
    expect(cluster.nodes().filter(({ role }) => role === 'controller')).toHaveLength(3)
    await write('kept', ['c'])
    const offsets = await client.admin.listOffsets([0, 1, 2].map((partition) => ({ topic: 'kept', partition, spec: 'latest' as const })))
    expect(offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)).toBe(3)
  })
})

describe('five controllers', () => {
  test('go on without two of them, the leader among these, and all are caught up once they are back', async () => {
    await start({ controllers: 5 })
    const { leaderId, currentVoters } = await quorum()
    expect(currentVoters.map(({ replicaId }) => replicaId).sort()).toEqual([1001, 1002, 1003, 1004, 1005])
    const dead = [leaderId, leaderId === 1005 ? 1001 : leaderId + 1]
    await Promise.all(dead.map((id) => cluster.kill(id)))
    await createSurely('without-two', 3)
    await write('without-two', ['a', 'b', 'c'])
    const during = await quorum()
    expect(dead).not.toContain(during.leaderId)
    await Promise.all(dead.map((id) => cluster.start(id)))
    const behind = async () => {
      const { highWatermark, currentVoters: voters } = await quorum()
      return voters
        .filter(({ logEndOffset }) => logEndOffset < Math.max(highWatermark, during.highWatermark))
        .map(({ replicaId }) => replicaId)
    }
    await expect.poll(behind, { timeout: 30_000 }).toEqual([])
    await createSurely('with-all', 3)
    await write('with-all', ['d'])
  })
})

describe('voters in the broker processes', () => {
  test('go on when one process is killed, end without waiting for each other, and start again', async () => {
    await start({ combined: true })
    expect(cluster.nodes().map(({ role }) => role)).toEqual(['broker', 'broker', 'broker'])
    await createSurely('kept')
    const { leaderId } = await quorum()
    const process = leaderId - 1000
    await cluster.kill(process)
    await createSurely('after')
    expect((await quorum()).leaderId).not.toBe(leaderId)
    await cluster.start(process)
    await client.close()
    await cluster.shutdown()
    const log = await printed()
    expect(log).toContain('leaders move away')
    expect(log).not.toContain('did not let this broker go')
    await start({ combined: undefined, controllers: undefined })
    expect((await client.admin.listTopics()).map(({ name }) => name).sort()).toEqual(['after', 'kept'])
  })
})
