import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink as PortLink } from '@orpc/client/message-port'
import { RPCLink as SocketLink } from '@orpc/client/websocket'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { webSocketPath, type HostClient } from '../../../broker/contract/contract.ts'
import { problemOf } from '../../../broker/contract/errors.ts'
import type { AppSettings } from '../../../broker/contract/settings.ts'
import { follow, unacknowledgedMax, type StreamEvent } from '../../../broker/contract/stream.ts'
import { createRealEnv } from '../../../broker/env/real.ts'
import { createHost, type Host } from '../../../broker/host/host.ts'
import { connectLocal } from '../../../broker/host/local-client.ts'
import { createQueryEngine } from '../../../broker/host/messages/query-engine.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { until } from '../../support/until.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const env = createRealEnv({ log: { write: () => undefined } })

interface Connected {
  readonly client: HostClient
  close(): void
}

const transports: readonly { name: string; connect(host: Host, directory: string): Promise<Connected> }[] = [
  {
    name: 'message port',
    async connect(host) {
      const { port1, port2 } = new MessageChannel()
      host.attachPort(port1)
      const client = createORPCClient<HostClient>(new PortLink({ port: port2 as unknown as MessagePort }))
      port2.start()
      return { client, close: () => port2.close() }
    },
  },
  {
    name: 'WebSocket',
    async connect(host) {
      const web = await host.serveWeb({ port: 0 })
      const cookie = await cookieOf(web.url)
      const socket = new WebSocket(`ws://127.0.0.1:${web.port}${webSocketPath}`, { headers: { cookie } })
      const client = createORPCClient<HostClient>(new SocketLink({ websocket: socket as unknown as globalThis.WebSocket }))
      return { client, close: () => socket.terminate() }
    },
  },
  {
    name: 'local socket',
    async connect(host, directory) {
      const path = join(directory, 'weir.sock')
      await host.serveSocket(path)
      return connectLocal(path)
    },
  },
]

async function cookieOf(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual' })
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

describe.each(transports)('over a $name', ({ connect }) => {
  let directory: string
  let kafka: FakeKafka
  let host: Host
  let connected: Connected
  let client: HostClient

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'weir-host-'))
    writeFileSync(join(directory, 'index.html'), '<!doctype html>')
    kafka = new FakeKafka()
    kafka.addTopic('orders', 2)
    const queries = await createQueryEngine({ env, createClient: kafka.createClient, spillDirectory: join(directory, 'spill') })
    host = await createHost({
      env,
      dataDirectory: directory,
      version: '0.0.0',
      rendererDirectory: directory,
      createClient: kafka.createClient,
      queries,
    })
    connected = await connect(host, directory)
    client = connected.client
  })

  afterEach(async () => {
    connected.close()
    await host.close()
    rmSync(directory, { recursive: true, force: true })
  })

  async function addCluster(): Promise<string> {
    const { id } = await client.clusters.add({ name: 'Test cluster', bootstrapServers: ['127.0.0.1:9092'] })
    const ending = new AbortController()
    await follow(client, client.topics.watchList({ clusterId: id }, { signal: ending.signal }), (page) => {
      if (page.total > 0) ending.abort()
    }).catch((error: unknown) => {
      if (!ending.signal.aborted) throw error
    })
    return id
  }

  test('a call is answered', async () => {
    expect((await client.app.info()).version).toBe('0.0.0')
  })

  test('a failure carries a closed code, a sentence, its subject and what to do', async () => {
    const problem = problemOf(await client.overview.get({ clusterId: 'nowhere' }).catch((error: unknown) => error))
    expect(problem).toMatchObject({ code: 'CLUSTER_NOT_FOUND', message: 'There is no cluster "nowhere".', subject: 'nowhere' })
    expect(problem.advice).not.toBeNull()
  })

  test('input that does not fit the contract is refused, naming the field', async () => {
    const problem = problemOf(await client.clusters.add({ name: '', bootstrapServers: ['a:1'] }).catch((error: unknown) => error))
    expect(problem.code).toBe('INVALID_INPUT')
    expect(problem.message).toBe('"name" is empty.')
  })

  test('a stream begins with a snapshot and tells changes', async () => {
    const seen: number[] = []
    const ending = new AbortController()
    const following = follow(client, client.clusters.watch(undefined, { signal: ending.signal }), async (clusters) => {
      seen.push(clusters.length)
      if (clusters.length === 0) await client.clusters.add({ name: 'Another', bootstrapServers: ['127.0.0.1:9'] })
      else ending.abort()
    })
    await following.catch(() => undefined)
    expect(seen[0]).toBe(0)
    expect(seen.at(-1)).toBe(1)
  })

  test('a stream that fails says why', async () => {
    const stream = client.groups.watch({ clusterId: 'nowhere', groupId: 'g' })
    const problem = problemOf(await follow(client, stream, () => undefined).catch((error: unknown) => error))
    expect(problem.code).toBe('CLUSTER_NOT_FOUND')
  })

  test('a reader that does not acknowledge gets a few events and no more; then the latest state', async () => {
    await client.settings.change({ messageRowsMax: 100 })
    const iterator = (await client.settings.watch())[Symbol.asyncIterator]()
    const next = async (): Promise<StreamEvent<AppSettings>> => {
      const result = await iterator.next()
      if (result.done === true) throw new Error('the stream ended')
      return result.value
    }
    let last = await next()
    for (let event = 1; event < unacknowledgedMax; event += 1) {
      const coming = next()
      await client.settings.change({ messageRowsMax: 200 + event })
      last = await coming
    }
    expect(last.cursor).toBe(unacknowledgedMax)
    const blocked = next()
    for (let value = 300; value < 340; value += 1) await client.settings.change({ messageRowsMax: value })
    await client.settings.change({ messageRowsMax: 999 })
    await client.app.acknowledge({ streamId: last.streamId, cursor: last.cursor })
    expect(await blocked).toMatchObject({ cursor: unacknowledgedMax + 1, value: { messageRowsMax: 999 } })
    await iterator.return?.()
  })

  test('messages are found, paged and shown whole', async () => {
    kafka.append('orders', 0, [{ timestampMs: 1_000, key: 'a', value: '{"amount":12345678901234567890}' }])
    kafka.append('orders', 1, [{ timestampMs: 2_000, key: 'b', value: 'needle', headers: [{ key: 'h', value: 'x' }] }])
    const clusterId = await addCluster()
    const { queryId } = await client.messages.open({ clusterId, topic: 'orders' })
    await follow(client, client.messages.watch({ queryId }), () => undefined)
    const { rows } = await client.messages.rows({ queryId, from: 0, count: 10 })
    expect(rows.map((row) => row.key?.text)).toEqual(['b', 'a'])
    const detail = await client.messages.detail({ queryId, index: 1 })
    expect(detail.value).toMatchObject({ encoding: 'json', text: '{"amount":12345678901234567890}', isComplete: true })
    await client.messages.close({ queryId })
    const problem = problemOf(await client.messages.rows({ queryId, from: 0, count: 1 }).catch((error: unknown) => error))
    expect(problem.code).toBe('QUERY_NOT_FOUND')
  })

  test('a live tail brings records in batches as they come', async () => {
    const clusterId = await addCluster()
    const ending = new AbortController()
    const values: string[] = []
    const following = follow(client, client.messages.tail({ clusterId, topic: 'orders' }, { signal: ending.signal }), (batch) => {
      if (batch.scanned === 0) kafka.append('orders', 0, [{ timestampMs: 5, key: null, value: 'fresh' }])
      for (const row of batch.rows) values.push(row.value?.text ?? '')
      if (values.length > 0) ending.abort()
    })
    await following.catch(() => undefined)
    expect(values).toEqual(['fresh'])
  })

  test('a value of 10 MiB opens in slices', async () => {
    const large = `${'x'.repeat(10 * 1024 * 1024)}end`
    kafka.append('orders', 0, [{ timestampMs: 1, key: null, value: large }])
    const clusterId = await addCluster()
    const detail = await client.messages.at({ clusterId, topic: 'orders', partition: 0, offset: 0 })
    expect(detail.value?.isComplete).toBe(false)
    let text = detail.value?.text ?? ''
    for (let position = detail.value?.nextPosition ?? null; position !== null;) {
      const slice = await client.messages.payload({
        clusterId,
        topic: 'orders',
        partition: 0,
        offset: 0,
        part: { of: 'value' },
        as: 'text',
        position,
      })
      text += slice.text
      position = slice.nextPosition
    }
    expect(text === large).toBe(true)
  })

  test('a lost connection ends its streams in the host', async () => {
    const iterator = (await client.clusters.watch())[Symbol.asyncIterator]()
    await iterator.next()
    expect(host.openStreamCount).toBe(1)
    connected.close()
    await until('the stream to end', () => host.openStreamCount === 0)
  })
})
