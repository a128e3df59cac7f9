import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startCluster } from '../../broker/runtime/cluster.ts'
import { speaksKafka } from '../../broker/runtime/kafka-probe.ts'
import type { ClusterNotice, EmbeddedCluster, NodeView } from '../../broker/runtime/types.ts'

/** `startCluster` as a test suite uses it, from the sources; node by node through every state. */
const env = createRealEnv({ log: { write: () => undefined } })
let folder = ''
let cluster: EmbeddedCluster
let client: KafkaClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-embedded-'))
  cluster = await startCluster(env, { dataDirectory: join(folder, 'first'), port: 0, brokers: 2 })
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, clientId: 'my-service', softwareName: 'my-library' })
})
afterAll(async () => {
  await client?.close()
  await cluster?.shutdown()
  await rm(folder, { recursive: true, force: true })
})

const node = (id: number): NodeView => {
  const found = cluster.nodes().find((one) => one.id === id)
  if (found === undefined) throw new Error(`no node ${id}`)
  return found
}

test('every node runs, with a process and a port of its own', () => {
  const nodes = cluster.nodes()
  expect(nodes.map(({ id, state }) => [id, state])).toEqual([
    [1001, 'running'],
    [1, 'running'],
    [2, 'running'],
  ])
  expect(new Set(nodes.map(({ pid }) => pid)).size).toBe(3)
  expect(new Set(nodes.map(({ port }) => port)).size).toBe(3)
})

test("a client's connection is listed with its name, its library and where it comes from", async () => {
  await client.metadata({ topics: 'all', refresh: true })
  const connections = (await cluster.connections()).flatMap(({ connections: list }) => list ?? [])
  expect(connections).toContainEqual(
    expect.objectContaining({
      clientId: 'my-service',
      softwareName: 'my-library',
      listener: 'CLIENT',
      remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    }),
  )
})

test.skipIf(process.platform === 'win32')('a paused broker answers nothing, and goes on where it was when resumed', async () => {
  const { pid } = node(2)
  expect(await cluster.pause(2)).toMatchObject({ state: 'paused', pid })
  expect((await cluster.connections()).find(({ nodeId }) => nodeId === 2)?.connections).toBeNull()
  // A broker's settings are asked of itself.
  const settings = { type: 'broker', name: '2' } as const
  const [unanswered] = await client.admin.describeConfigs([settings], { timeoutMs: 300 }).catch((error: unknown) => [{ error }])
  expect(unanswered?.error).not.toBeNull()
  expect(await cluster.resume(2)).toMatchObject({ state: 'running', pid })
  const [answered] = await client.admin.describeConfigs([settings])
  expect(answered).toMatchObject({ error: null })
})

test('a broker that is stopped and started again has another process, the same port and its data', async () => {
  await client.admin.createTopics([{ name: 'kept', assignments: [[2]] }])
  await client.producer({ idempotent: false }).send({ topic: 'kept', value: 'here' })
  const before = node(2)
  expect(await cluster.stop(2)).toMatchObject({ state: 'stopped', pid: null, exit: { code: 0 } })
  const after = await cluster.start(2)
  expect(after).toMatchObject({ state: 'running', port: before.port })
  expect(after.pid).not.toBe(before.pid)
  const [end] = await client.admin.listOffsets([{ topic: 'kept', partition: 0, spec: 'latest' }])
  expect(end).toMatchObject({ offset: 1, error: null })
})

test('a killed broker is stopped by request, and restarts', async () => {
  expect(await cluster.kill(1)).toMatchObject({ state: 'stopped', exit: { signal: 'SIGKILL' } })
  await expect(cluster.pause(1)).rejects.toMatchObject({ code: 'WRONG_STATE' })
  expect(await cluster.restart(1)).toMatchObject({ state: 'running' })
})

test('the controller comes back on its port, and metadata goes on', async () => {
  const { port } = node(1001)
  expect(await cluster.restart(1001)).toMatchObject({ state: 'running', port })
  const [created] = await client.admin.createTopics([{ name: 'after-restart', partitionCount: 2, replicationFactor: 1 }])
  expect(created).toMatchObject({ error: null })
})

test('what is on a port is recognised as Kafka, or as something else', async () => {
  const [address] = cluster.bootstrapServers.split(',')
  expect(await speaksKafka(env, address ?? '')).toBe(true)
  const other = await env.transport.listen({ host: '127.0.0.1', port: 0 }, (connection) => connection.destroy())
  expect(await speaksKafka(env, `127.0.0.1:${other.address.port}`)).toBe(false)
  await other.close()
})

test('a port that was named and is taken is refused, and nothing runs', async () => {
  const { port } = node(1)
  const refused = startCluster(env, { dataDirectory: join(folder, 'second'), port: port ?? 0, brokers: 1 })
  await expect(refused).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) })
})

test('the folder of a running cluster cannot be started a second time', async () => {
  const notices: ClusterNotice[] = []
  const refused = startCluster(env, { dataDirectory: cluster.dataDirectory, port: 0, onNotice: (notice) => notices.push(notice) })
  await expect(refused).rejects.toMatchObject({ code: 'FOLDER_IN_USE', message: expect.stringContaining(`process ${process.pid}`) })
  expect(notices).toEqual([])
})
