import { beforeEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { listGroups } from '../../../broker/api/16-list-groups.schema.ts'
import { apiVersions } from '../../../broker/api/18-api-versions.schema.ts'
import { metadata } from '../../../broker/api/03-metadata.schema.ts'
import { describeCluster } from '../../../broker/api/60-describe-cluster.schema.ts'
import { parseBootstrapServers } from '../../../broker/client/bootstrap.ts'
import { createClient } from '../../../broker/client/client.ts'
import { ClientError } from '../../../broker/client/error.ts'
import { VersionTable } from '../../../broker/client/versions.ts'
import type { ClientOptions, KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import type { Connection } from '../../../broker/env/types.ts'
import { FIRST_PORT, FakeCluster } from '../../support/fake-cluster.ts'

let world: SimulatedWorld
let env: SimulatedEnv

beforeEach(() => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('client')
})

const clientOf = (bootstrapServers: ClientOptions['bootstrapServers'], options: Partial<ClientOptions> = {}): KafkaClient =>
  createClient(env, { bootstrapServers, connectTimeoutMs: 1000, ...options })
const failureOf = (operation: Promise<unknown>): Promise<ClientError> =>
  world.loop.run(
    operation.then(
      () => Promise.reject(new Error('it succeeded')),
      (error: ClientError) => error,
    ),
  )

/** Something that is no broker: does with each connection what the test says. */
const listenAs = (port: number, onConnection: (connection: Connection) => void): Promise<unknown> =>
  world.start(`peer-${port}`).transport.listen({ host: '127.0.0.1', port }, onConnection)
const saying = (...answers: (Buffer | 'hang up' | 'nothing')[]) => {
  let count = 0
  return (connection: Connection): void => {
    const answer = answers[Math.min(count++, answers.length - 1)]
    connection.setHandlers({
      onData: () => {
        if (answer === 'hang up') connection.destroy()
        else if (answer instanceof Buffer) connection.write([answer])
      },
      onClose: () => undefined,
    })
  }
}

describe('bootstrap servers', () => {
  it.each([
    [
      'a:1,b',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 9092 },
      ],
    ],
    [
      ['[::1]:9093', ' PLAINTEXT://host:9094 '],
      [
        { host: '::1', port: 9093 },
        { host: 'host', port: 9094 },
      ],
    ],
  ])('are read from %j', (given, addresses) => {
    expect(parseBootstrapServers(given)).toEqual(addresses)
  })

  it.each(['', ' , ', 'host:', 'host:0', 'host:99999', 'a b:1', 'http://host:1/path', '::1:9092'])('are refused: "%s"', (given) => {
    expect(() => parseBootstrapServers(given)).toThrow(ClientError)
  })
})

describe('a cluster that cannot be reached', () => {
  it.each([
    ['nobody listening', null, 'CONNECTION_REFUSED'],
    ['a peer that never answers', saying('nothing'), 'CONNECT_TIMED_OUT'],
    ['a TLS listener', saying(Buffer.from([0x15, 3, 3, 0, 2, 2, 70])), 'TLS_EXPECTED'],
    ['a web server', saying(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 'NOT_KAFKA'],
    ['garbage in a valid frame', saying(Buffer.from([0, 0, 0, 8, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff])), 'NOT_KAFKA'],
    ['a peer that always hangs up', saying('hang up'), 'CONNECTION_LOST'],
  ])('is told precisely: %s', async (_, peer, code) => {
    if (peer !== null) await listenAs(21_000, peer)
    const failure = await failureOf(clientOf('127.0.0.1:21000').metadata())
    expect(failure).toBeInstanceOf(ClientError)
    expect(failure.code).toBe(code)
    expect(failure.message).toContain('127.0.0.1:21000')
  })

  it('has one failure for each bootstrap server', async () => {
    await listenAs(21_000, saying(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')))
    const failure = await failureOf(clientOf('127.0.0.1:21000,127.0.0.1:21001').metadata())
    expect(failure.code).toBe('CLUSTER_UNREACHABLE')
    expect(new Set(failure.failures.map(({ code }) => code))).toEqual(new Set(['NOT_KAFKA', 'CONNECTION_REFUSED']))
  })

  it('that hangs up on every first request is said to demand SASL', async () => {
    const cluster = await FakeCluster.start(world, 1)
    cluster.broker(1).on(metadata, ({ connection }) => {
      connection.close('authenticate first')
      return null
    })
    expect((await failureOf(clientOf(cluster.bootstrapServers).metadata())).code).toBe('AUTHENTICATION_REQUIRED')
  })

  it('does not hide behind a dead bootstrap server', async () => {
    const cluster = await FakeCluster.start(world, 1)
    const found = await world.loop.run(clientOf(['127.0.0.1:21999', ...cluster.bootstrapServers]).metadata())
    expect(found.clusterId).toBe('fake-cluster')
  })

  it('runs into the deadline of the call, or its signal, not later', async () => {
    await listenAs(21_000, saying('nothing'))
    const startMs = env.clock.monotonicMs()
    expect((await failureOf(clientOf('127.0.0.1:21000', { connectTimeoutMs: 60_000 }).metadata({ timeoutMs: 300 }))).code).toBe(
      'DEADLINE_EXCEEDED',
    )
    expect(env.clock.monotonicMs() - startMs).toBe(300)
    const abort = new AbortController()
    env.timers.after(50, () => abort.abort())
    expect((await failureOf(clientOf('127.0.0.1:21000').metadata({ signal: abort.signal }))).code).toBe('CANCELLED')
  })
})

describe('version negotiation', () => {
  it('picks the highest version of both sides within the bounds, or says which API has none', () => {
    const range = fc.tuple(fc.nat(20), fc.nat(20)).map(([one, other]) => ({ min: Math.min(one, other), max: Math.max(one, other) }))
    fc.assert(
      fc.property(range, range, (served, wanted) => {
        const table = new VersionTable('b:1', [{ apiKey: metadata.key, minVersion: served.min, maxVersion: served.max }])
        const bounds = { minVersion: wanted.min, maxVersion: wanted.max }
        const common = Array.from({ length: 14 }, (_, version) => version).filter(
          (version) => version >= served.min && version <= served.max && version >= wanted.min && version <= wanted.max,
        )
        if (common.length > 0) expect(table.pick(metadata, bounds)).toBe(common.at(-1))
        else expect(() => table.pick(metadata, bounds)).toThrow(/Metadata/)
      }),
    )
  })

  it('reads an UNSUPPORTED_VERSION reply in the layout of v0, and asks again as it says', async () => {
    const asked: number[] = []
    await listenAs(21_000, (connection) => {
      connection.setHandlers({
        onData: (chunk) => {
          const version = chunk.readInt16BE(6)
          asked.push(version)
          // correlation id, error 35, one key: 18, versions 0 to 1
          const correlationId = chunk.subarray(8, 12)
          const refusal = Buffer.concat([Buffer.from([0, 0, 0, 16]), correlationId, Buffer.from([0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 1])])
          connection.write([refusal])
        },
        onClose: () => undefined,
      })
    })
    await failureOf(clientOf('127.0.0.1:21000').metadata({ timeoutMs: 500 }))
    expect(asked.slice(0, 3)).toEqual([4, 1, 0])
  })

  it('connects again with a lower version where a broker hangs up on a higher', async () => {
    const asked: number[] = []
    await listenAs(21_000, (connection) => {
      connection.setHandlers({
        onData: (chunk) => {
          asked.push(chunk.readInt16BE(6))
          connection.destroy()
        },
        onClose: () => undefined,
      })
    })
    await failureOf(clientOf('127.0.0.1:21000').metadata())
    expect(asked).toEqual([4, 3, 0])
  })

  it('speaks with each broker what that broker speaks', async () => {
    const cluster = await FakeCluster.start(world, 2)
    const answer = () => ({ throttleTimeMs: 0, errorCode: 0, groups: [] })
    cluster.broker(1).on(listGroups, answer, { min: 0, max: 2 })
    cluster.broker(2).on(listGroups, answer, { min: 0, max: 5 })
    const client = clientOf(cluster.bootstrapServers)
    await world.loop.run(client.admin.listGroups())
    expect(
      cluster
        .broker(1)
        .requestsOf(listGroups)
        .map(({ version }) => version),
    ).toEqual([2])
    expect(
      cluster
        .broker(2)
        .requestsOf(listGroups)
        .map(({ version }) => version),
    ).toEqual([5])
  })

  it('names an API that the broker lacks', async () => {
    const cluster = await FakeCluster.start(world, 1)
    const failure = await failureOf(
      clientOf(cluster.bootstrapServers).request('any', describeCluster, { includeClusterAuthorizedOperations: false }),
    )
    expect(failure).toMatchObject({ code: 'UNSUPPORTED_VERSION', api: 'DescribeCluster' })
  })
})

describe('connections', () => {
  it('are one per broker however many calls are made, and are made anew after a loss', async () => {
    const cluster = await FakeCluster.start(world, 1)
    const client = clientOf(cluster.bootstrapServers)
    await world.loop.run(Promise.all(Array.from({ length: 20 }, () => client.metadata({ refresh: true }))))
    expect(cluster.broker(1).requestsOf(apiVersions)).toHaveLength(1)
    cluster.broker(1).cutConnections()
    await world.loop.advance(1)
    await world.loop.run(client.metadata({ refresh: true }))
    expect(cluster.broker(1).requestsOf(apiVersions)).toHaveLength(2)
  })

  it('to a broker that refuses are tried again only after the backoff, which grows', async () => {
    let attempts = 0
    await listenAs(FIRST_PORT, (connection) => {
      attempts++
      connection.destroy()
    })
    const client = clientOf(`127.0.0.1:${FIRST_PORT}`, { reconnectBackoffMs: 100, reconnectBackoffMaxMs: 1000 })
    for (let elapsed = 0; elapsed < 3000; elapsed += 10) {
      client.metadata().catch(() => undefined)
      await world.loop.advance(10)
    }
    // Three connections an attempt (the version ladder): after 0, 100, 300, 700, 1500 and 2500 ms.
    expect(attempts / 3).toBeGreaterThanOrEqual(5)
    expect(attempts / 3).toBeLessThanOrEqual(7)
  })

  it('are closed with the client, whatever waits on them', async () => {
    const cluster = await FakeCluster.start(world, 1)
    cluster.broker(1).on(describeCluster, () => new Promise(() => undefined))
    const client = clientOf(cluster.bootstrapServers)
    const waiting = failureOf(client.request('any', describeCluster, { includeClusterAuthorizedOperations: false }))
    env.timers.after(10, () => void client.close())
    expect((await waiting).code).toBe('CLOSED')
  })
})
