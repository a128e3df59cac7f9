import { beforeEach, describe, expect, it } from 'vitest'
import { heartbeat } from '../../../broker/api/12-heartbeat.schema.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import type { Connection } from '../../../broker/env/types.ts'
import type { ChannelError } from '../../../broker/net/channel-error.ts'
import { FrameSplitter } from '../../../broker/net/frame.ts'
import { openRequestChannel } from '../../../broker/net/request-channel.ts'
import type { RequestChannel } from '../../../broker/net/request-channel.ts'
import { encodeResponseFrame } from '../../../broker/wire/headers.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let serverSide: Connection
let received: Buffer[]
const at = { host: '127.0.0.1', port: 25_000 }
const body = { groupId: 'g', generationId: 1, memberId: 'm' }

beforeEach(async () => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('client')
  received = []
  await world.start('server').transport.listen(at, (connection) => {
    serverSide = connection
    const splitter = new FrameSplitter({ frameBytesMax: 1e6 })
    connection.setHandlers({
      onData: (chunk) => splitter.push(chunk, (frame) => void received.push(Buffer.from(frame))),
      onClose: () => undefined,
    })
  })
})

const open = (options: Partial<Parameters<typeof openRequestChannel>[1]> = {}): Promise<RequestChannel> =>
  world.loop.run(openRequestChannel(env, { address: at, clientId: 'test', connectTimeoutMs: 1000, ...options }))
const ask = (channel: RequestChannel, timeoutMs = 1000, signal?: AbortSignal) => {
  const outcome = channel.request(heartbeat, 4, body, { timeoutMs, ...(signal && { signal }) }).then(
    (reply) => reply.errorCode,
    (error: ChannelError) => error.code,
  )
  return outcome
}
const replyFrame = (index: number, errorCode: number): Buffer[] => {
  const correlationId = (received[index] as Buffer).readInt32BE(4)
  return encodeResponseFrame(heartbeat, { apiVersion: 4, correlationId }, { throttleTimeMs: 0, errorCode })
}
const reply = (index: number, errorCode = 0): void => void serverSide.write(replyFrame(index, errorCode))

describe('a request channel', () => {
  it('pipelines, and gives each request its own reply', async () => {
    const channel = await open()
    const outcomes = Promise.all([ask(channel), ask(channel), ask(channel)])
    await world.loop.advance(1)
    expect(received).toHaveLength(3)
    for (const [index, code] of [27, 22, 25].entries()) reply(index, code)
    expect(await world.loop.run(outcomes)).toEqual([27, 22, 25])
  })

  it('keeps the place of a request that was given up', async () => {
    const channel = await open()
    const abort = new AbortController()
    const cancelled = ask(channel, 1000, abort.signal)
    const late = ask(channel, 5)
    const patient = ask(channel)
    await world.loop.advance(1)
    abort.abort()
    expect(await world.loop.run(cancelled)).toBe('CANCELLED')
    expect(await world.loop.run(late)).toBe('DEADLINE_EXCEEDED')
    serverSide.write([1, 2, 27].flatMap((code, index) => replyFrame(index, code)))
    expect(await world.loop.run(patient)).toBe(27)
    expect(channel.closedBy).toBeNull()
  })

  it('fails everything in flight once, with the reason, when the connection ends', async () => {
    const channel = await open()
    const outcomes = Promise.all([ask(channel), ask(channel)])
    await world.loop.advance(1)
    serverSide.destroy()
    expect(await world.loop.run(outcomes)).toEqual(['CONNECTION_LOST', 'CONNECTION_LOST'])
    expect(await ask(channel)).toBe('CONNECTION_LOST')
  })

  it('keeps no more than its bound in flight; the rest wait, and beyond that are refused', async () => {
    const channel = await open({ inflightRequestsMax: 2, queuedRequestsMax: 1 })
    const outcomes = [ask(channel), ask(channel), ask(channel)]
    expect(await ask(channel)).toBe('TOO_MANY_REQUESTS')
    await world.loop.advance(1)
    expect(received).toHaveLength(2)
    reply(0)
    await world.loop.advance(1)
    expect(received).toHaveLength(3)
    reply(1)
    reply(2)
    expect(await world.loop.run(Promise.all(outcomes))).toEqual([0, 0, 0])
  })

  it('takes a peer that stays silent past a deadline for dead, a slow one not', async () => {
    const silent = await open()
    const unanswered = ask(silent, 12_000)
    const other = ask(silent, 60_000)
    expect(await world.loop.run(unanswered)).toBe('DEADLINE_EXCEEDED')
    expect(await world.loop.run(other)).toBe('CONNECTION_LOST')
    received = []
    const slow = await open()
    const first = ask(slow, 60_000)
    const second = ask(slow, 12_000)
    await world.loop.advance(11_000)
    reply(0)
    expect(await world.loop.run(first)).toBe(0)
    expect(await world.loop.run(second)).toBe('DEADLINE_EXCEEDED')
    expect(slow.closedBy).toBeNull()
  })

  it.each([
    ['a TLS alert', Buffer.from([0x15, 3, 3, 0, 2, 2, 70]), 'TLS_EXPECTED'],
    ['an HTTP answer', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'NOT_KAFKA'],
    ['an SSH greeting', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'NOT_KAFKA'],
    ['another correlation id', Buffer.from([0, 0, 0, 6, 0, 0, 0, 99, 0, 0]), 'NOT_KAFKA'],
    ['an empty frame', Buffer.from([0, 0, 0, 0]), 'NOT_KAFKA'],
  ])('says what is wrong with %s', async (_, bytes, code) => {
    const channel = await open()
    const outcome = ask(channel)
    await world.loop.advance(1)
    serverSide.write([bytes])
    expect(await world.loop.run(outcome)).toBe(code)
  })

  it('gives out a reply that does not decode as such, and goes on', async () => {
    const channel = await open()
    const outcome = ask(channel)
    await world.loop.advance(1)
    serverSide.write([Buffer.from([0, 0, 0, 6, 0, 0, 0, 1, 0, 0])])
    expect(await world.loop.run(outcome)).toBe('MALFORMED_REPLY')
    const next = ask(channel)
    await world.loop.advance(1)
    reply(1)
    expect(await world.loop.run(next)).toBe(0)
  })
})

describe('opening a channel', () => {
  it.each([
    ['nobody listens', 25_999, 'CONNECTION_REFUSED', /Nothing listens/],
    ['nobody answers', 25_000, 'CONNECT_TIMED_OUT', /timed out/],
  ])('where %s says so', async (_, port, code, text) => {
    if (code === 'CONNECT_TIMED_OUT') world.network.cut('client', 'server')
    const failure = await world.loop.run(
      openRequestChannel(env, { address: { ...at, port }, clientId: '', connectTimeoutMs: 50 }).catch((error: ChannelError) => error),
    )
    expect(failure).toMatchObject({ code, message: expect.stringMatching(text) })
  })
})
