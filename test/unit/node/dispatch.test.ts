import { describe, expect, it } from 'vitest'
import { apiVersions } from '../../../broker/api/18-api-versions.schema.ts'
import { fetchApi } from '../../../broker/api/01-fetch.ts'
import { createTopics } from '../../../broker/api/19-create-topics.schema.ts'
import { createTopicsApi } from '../../../broker/api/19-create-topics.ts'
import { heartbeat } from '../../../broker/api/12-heartbeat.schema.ts'
import { produce } from '../../../broker/api/00-produce.schema.ts'
import { brokerHeartbeat } from '../../../broker/api/63-broker-heartbeat.schema.ts'
import { type ControllerLink, ControllerUnavailable, type RequestContext } from '../../../broker/api/context.ts'
import { type ApiDefinition, ApiRegistry, defineApi, forwarded } from '../../../broker/api/registry.ts'
import { ConnectionRefused, type Reply, type RequestHandling, type ServerConnection } from '../../../broker/net/types.ts'
import { createDispatcher, type DispatcherOptions } from '../../../broker/node/dispatch.ts'
import { unlimited } from '../../../broker/quota/quotas.ts'
import { allowEverything } from '../../../broker/security/authorizer.ts'
import { decodeMessage } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../../broker/wire/headers.ts'
import type { Api, Encodable } from '../../../broker/wire/schema.ts'

interface FakeConnection extends ServerConnection {
  readonly events: string[]
}

function connectionOn(listenerName = 'CLIENT'): FakeConnection {
  const events: string[] = []
  const address = { host: '127.0.0.1', port: 1234 }
  return {
    id: 1,
    listenerName,
    remote: address,
    local: address,
    peer: listenerName === 'INTERNAL' ? { nodeId: 7, role: 'broker' } : null,
    signal: new AbortController().signal,
    session: null,
    setClientId: () => undefined,
    setSoftware: () => undefined,
    countRequest: () => undefined,
    recordError: (text) => void events.push(`error: ${text}`),
    close: (reason) => void events.push(`closed: ${reason}`),
    events,
  }
}

type Handle = (request: unknown, context: RequestContext) => unknown

const HEARTBEAT = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
const NO_REPLY = { acks: 0, timeoutMs: 1, topicData: [] }

const answering =
  (answer: unknown): Handle =>
  () =>
    answer

function entry(schema: Api<any, any>, handle: Handle, options: object = {}): ApiDefinition<unknown> {
  return defineApi(schema, { listeners: 'everywhere', handle: handle as never, ...options })
}

function dispatcher(definitions: readonly ApiDefinition<unknown>[], options: Partial<DispatcherOptions<unknown>> = {}) {
  const logged: string[] = []
  const handle = createDispatcher({
    log: { write: (level, message) => void logged.push(`${level}: ${message}`) },
    registry: new ApiRegistry(definitions),
    services: {},
    authorizer: allowEverything,
    quotas: unlimited,
    controller: null,
    ...options,
  })
  return { handle, logged }
}

function frame(schema: Api<any, any>, apiVersion: number, body: unknown): Buffer {
  return Buffer.concat(encodeRequestFrame(schema, { apiVersion, correlationId: 77, clientId: 'c' }, body as Encodable<any>)).subarray(4)
}

async function answered(handling: RequestHandling, schema: Api<any, any>, version: number) {
  const reply = (await handling.reply) as Reply
  const bytes = Buffer.concat(reply.chunks).subarray(4)
  expect(bytes.length).toBe(Buffer.concat(reply.chunks).readInt32BE(0))
  const { correlationId, bodyPosition } = decodeResponseHeader(bytes, schema, version)
  return { reply, correlationId, body: decodeMessage(schema.response, version, bytes, bodyPosition) as Record<string, unknown> }
}

describe('dispatch', () => {
  it('answers with the correlation id of the request, at once when the handler does', async () => {
    const { handle } = dispatcher([entry(heartbeat, answering({ throttleTimeMs: 0, errorCode: 0 }))])
    const handling = handle(frame(heartbeat, 4, HEARTBEAT), connectionOn())
    expect(handling.ordered).toBeNull()
    const { correlationId, body } = await answered(handling, heartbeat, 4)
    expect([correlationId, body['errorCode']]).toEqual([77, 0])
  })

  it('lets the next request start when the handler says so, or when it is done', async () => {
    let done: ((answer: unknown) => void) | undefined
    const slow: Handle = () => new Promise((resolve) => (done = resolve))
    const waiting = dispatcher([entry(heartbeat, slow)]).handle(frame(heartbeat, 4, HEARTBEAT), connectionOn())
    let isOrdered = false
    void waiting.ordered!.then(() => (isOrdered = true))
    await Promise.resolve()
    expect(isOrdered).toBe(false)
    done!({ errorCode: 0 })
    await waiting.ordered
    const early: Handle = (_request, context) => {
      context.ordered()
      return new Promise(() => undefined)
    }
    expect(dispatcher([entry(heartbeat, early)]).handle(frame(heartbeat, 4, HEARTBEAT), connectionOn()).ordered).toBeNull()
  })

  it.each([
    ['what the client allows', 5_000, 5_000],
    ['fetch.max.bytes, when the client allows more', 2 ** 31 - 1, 57_671_680],
    ['nothing, when the client allows less than nothing', -1_000_000_000, 0],
  ])('reserves for a fetch that waits %s', async (_what, maxBytes, replyBytesMax) => {
    const waiting = { ...fetchApi, handle: answering(new Promise(() => undefined)) } as ApiDefinition<unknown>
    const { handle } = dispatcher([waiting], { services: { settings: { fetchBytesMax: 57_671_680 } } })
    const session = { sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [] }
    const body = { replicaId: -1, maxWaitMs: 500, minBytes: 1, maxBytes, isolationLevel: 0, topics: [], ...session }
    expect(handle(frame(fetchApi.schema, 12, body), connectionOn()).replyBytesMax).toBe(replyBytesMax)
  })

  it('answers a too new ApiVersions in v0 format, with its own range, unparsed', async () => {
    const { handle } = dispatcher([entry(apiVersions, answering({}))])
    const newer = Buffer.concat([Buffer.from([0, 18, 0, 99, 0, 0, 0, 77, 0, 1, 99, 0]), Buffer.from('whatever this is')])
    const { body } = await answered(handle(newer, connectionOn()), apiVersions, 0)
    expect(body).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] })
  })

  it('refuses unsupported versions of anything else, unknown keys, and keys of another listener', () => {
    const { handle } = dispatcher([entry(heartbeat, answering({})), entry(brokerHeartbeat, answering({}), { listeners: 'internal' })])
    const withVersion = (version: number) => {
      const bytes = frame(heartbeat, 4, HEARTBEAT)
      bytes.writeInt16BE(version, 2)
      return bytes
    }
    expect(() => handle(withVersion(5), connectionOn())).toThrow(ConnectionRefused)
    expect(() => handle(withVersion(-1), connectionOn())).toThrow(ConnectionRefused)
    const unknown = frame(heartbeat, 4, HEARTBEAT)
    unknown.writeInt16BE(999, 0)
    expect(() => handle(unknown, connectionOn())).toThrow(ConnectionRefused)
    const internal = frame(brokerHeartbeat, 0, {
      brokerId: 1,
      brokerEpoch: 1,
      currentMetadataOffset: 0,
      wantFence: false,
      wantShutDown: false,
    })
    expect(() => handle(internal, connectionOn())).toThrow(/not served on listener CLIENT/)
    expect(() => handle(internal, connectionOn('INTERNAL'))).not.toThrow()
  })

  it('refuses a malformed header or body with the reason', () => {
    const { handle } = dispatcher([entry(heartbeat, answering({}))])
    expect(() => handle(Buffer.from([0, 12, 0]), connectionOn())).toThrow(/malformed request header/)
    const bytes = frame(heartbeat, 4, HEARTBEAT)
    expect(() => handle(bytes.subarray(0, bytes.length - 3), connectionOn())).toThrow(/malformed Heartbeat request/)
    expect(() => handle(Buffer.concat([bytes, Buffer.from([1])]), connectionOn())).toThrow(ConnectionRefused)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('bug')
      },
    ],
    ['rejects', () => Promise.reject(new Error('bug'))],
    ['answers what cannot be encoded', () => ({ errorCode: 'no number' })],
  ])('answers UNKNOWN_SERVER_ERROR and logs when a handler %s', async (_what, failing) => {
    const { handle, logged } = dispatcher([entry(heartbeat, failing as Handle)])
    const connection = connectionOn()
    const { body } = await answered(handle(frame(heartbeat, 4, HEARTBEAT), connection), heartbeat, 4)
    expect(body['errorCode']).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(logged).toEqual(['error: Heartbeat failed'])
    expect(connection.events).toHaveLength(1)
  })

  it('closes the connection when the failed response has no room for an error', async () => {
    const broken: Handle = () => {
      throw new Error('bug')
    }
    const { handle } = dispatcher([entry(createTopics, broken)])
    const connection = connectionOn()
    const handling = handle(frame(createTopics, 7, { topics: [], timeoutMs: 1, validateOnly: false }), connection)
    expect(await handling.reply).toBeNull()
    expect(connection.events.at(-1)).toMatch(/^closed: CreateTopics failed/)
  })

  it('sends nothing for a handler that answers nothing, and closes when it asked to', async () => {
    const { handle } = dispatcher([entry(produce, answering(null))])
    expect(await handle(frame(produce, 9, NO_REPLY), connectionOn()).reply).toBeNull()
    const closing = dispatcher([
      entry(produce, (_request, context) => {
        context.closeConnection('refused')
        return null
      }),
    ])
    const connection = connectionOn()
    expect(await closing.handle(frame(produce, 9, NO_REPLY), connection).reply).toBeNull()
    expect(connection.events).toEqual(['closed: refused'])
  })

  it('mutes the connection for the throttle time it answers with', async () => {
    const { handle } = dispatcher([entry(heartbeat, answering({ throttleTimeMs: 250, errorCode: 0 }))])
    const { reply } = await answered(handle(frame(heartbeat, 4, HEARTBEAT), connectionOn()), heartbeat, 4)
    expect(reply.throttleTimeMs).toBe(250)
  })

  it('names the peer of an INTERNAL connection as principal, and others ANONYMOUS', async () => {
    const seen: string[] = []
    const { handle } = dispatcher([
      entry(heartbeat, (_request, { principal }) => {
        seen.push(`${principal.type}:${principal.name}`)
        return { errorCode: 0 }
      }),
    ])
    await handle(frame(heartbeat, 4, HEARTBEAT), connectionOn('INTERNAL')).reply
    await handle(frame(heartbeat, 4, HEARTBEAT), connectionOn()).reply
    expect(seen).toEqual(['Node:7', 'User:ANONYMOUS'])
  })

  it('asks the gate first', async () => {
    const gated = (verdict: 'pass' | 'close') =>
      dispatcher([entry(heartbeat, answering({ errorCode: 0 }))], { gate: async () => verdict }).handle
    const connection = connectionOn()
    expect(await gated('pass')(frame(heartbeat, 4, HEARTBEAT), connection).reply).not.toBeNull()
    expect(await gated('close')(frame(heartbeat, 4, HEARTBEAT), connection).reply).toBeNull()
    expect(connection.events).toEqual(['closed: an injected fault'])
  })
})

describe('forwarding', () => {
  const passedOn = forwarded(createTopicsApi)
  const request = {
    topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5,
    validateOnly: false,
  }

  it('sends the request on with the principal and its time-out, and returns the answer', async () => {
    const sent: unknown[] = []
    const controller = {
      async send(
        _schema: unknown,
        apiVersion: number,
        body: { topics: { name: string }[] },
        options: { timeoutMs: number; principal: unknown },
      ) {
        sent.push(apiVersion, body.topics[0]!.name, options.timeoutMs, options.principal)
        return {
          throttleTimeMs: 0,
          topics: [
            {
              name: 't',
              topicId: 'AAAAAAAAAAAAAAAAAAAABw',
              errorCode: 0,
              errorMessage: null,
              topicConfigErrorCode: 0,
              numPartitions: 1,
              replicationFactor: 1,
              configs: [],
            },
          ],
        }
      },
    } as unknown as ControllerLink
    const { handle } = dispatcher([passedOn], { controller })
    const { body } = await answered(handle(frame(createTopics, 7, request), connectionOn()), createTopics, 7)
    expect(sent).toEqual([7, 't', 5, { type: 'User', name: 'ANONYMOUS' }])
    expect(body).toMatchObject({ topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAABw' }] })
  })

  it('answers REQUEST_TIMED_OUT when no controller did', async () => {
    const controller = { send: () => Promise.reject(new ControllerUnavailable('none')) } as unknown as ControllerLink
    const { handle, logged } = dispatcher([passedOn], { controller })
    const { body } = await answered(handle(frame(createTopics, 7, request), connectionOn()), createTopics, 7)
    expect(body).toMatchObject({ topics: [{ name: 't', errorCode: ErrorCode.REQUEST_TIMED_OUT }] })
    expect(logged).toEqual(['warn: CreateTopics was not carried out'])
  })
})
