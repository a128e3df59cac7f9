import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { encodePreamble } from '../../../broker/net/preamble.ts'
import { serve } from '../../../broker/net/server.ts'
import { ConnectionRefused } from '../../../broker/net/types.ts'
import type { ListenerOptions, Reply, RequestHandler, Server, ServerConnection } from '../../../broker/net/types.ts'
import { FramedPeer, framed } from '../../support/frames.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let clientEnv: SimulatedEnv

beforeEach(() => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('broker')
  clientEnv = world.start('client')
})

const replyOf = (text: string | Buffer, rest: Partial<Reply> = {}): Reply => ({ chunks: [framed(text)], ...rest })
const echo: RequestHandler = (frame) => ({ ordered: null, reply: replyOf(frame) })

const listen = (handler: RequestHandler, options: Partial<ListenerOptions> = {}): Promise<Server> =>
  serve(env, { name: 'CLIENT', address: { host: '127.0.0.1', port: 0 }, ...options }, handler)

const connect = async (server: Server): Promise<FramedPeer> =>
  new FramedPeer(await world.loop.run(clientEnv.transport.connect(server.address, { timeoutMs: 100 })))

/** A handler whose requests are ordered and answered when the test says. */
const manual = () => {
  const started: { text: string; order: () => void; answer: (reply: Reply | null) => void; connection: ServerConnection }[] = []
  const handler: RequestHandler = (frame, connection) => {
    const order = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<Reply | null>()
    started.push({ text: String(frame), order: order.resolve, answer: answer.resolve, connection })
    return { ordered: order.promise, reply: answer.promise }
  }
  return { started, handler }
}

describe('replies', () => {
  it('leave in request order, in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 }),
        fc.uniqueArray(fc.nat(7)),
        async (finish, silent) => {
          const { started, handler } = manual()
          const server = await listen(handler)
          const peer = await connect(server)
          peer.send(...['0', '1', '2', '3', '4', '5', '6', '7'])
          for (let index = 0; index < 8; index++) {
            await world.loop.advance(1)
            started[index]?.order()
          }
          for (const index of finish) started[index]?.answer(silent.includes(index) ? null : replyOf(String(index)))
          await world.loop.advance(1)
          expect(peer.replies).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'].filter((text) => !silent.includes(Number(text))))
          await server.close({ graceMs: 0 })
        },
      ),
      { numRuns: 20 },
    )
  })

  it('of one turn leave in one write', async () => {
    const writes: number[] = []
    const listenPlain = env.transport.listen
    const counting = {
      ...env,
      transport: {
        ...env.transport,
        listen: ((at, onConnection) =>
          listenPlain(at, (connection) => {
            const write = connection.write.bind(connection)
            connection.write = (chunks) => {
              writes.push(chunks.length)
              return write(chunks)
            }
            onConnection(connection)
          })) as typeof env.transport.listen,
      },
    }
    const server = await serve(counting, { name: 'CLIENT', address: { host: '127.0.0.1', port: 0 } }, echo)
    const peer = await connect(server)
    peer.send('a', 'b', 'c')
    await world.loop.advance(1)
    expect(peer.replies).toEqual(['a', 'b', 'c'])
    expect(writes).toEqual([3])
  })

  it('asking to close are the last, and have been sent', async () => {
    const server = await listen((frame) => ({
      ordered: null,
      reply: replyOf(frame, String(frame) === 'last' ? { closeReason: 'enough' } : {}),
    }))
    const peer = await connect(server)
    peer.send('first', 'last', 'never')
    await world.loop.advance(10)
    expect(peer.replies).toEqual(['first', 'last'])
    expect(peer.isClosed).toBe(true)
  })

  it('with a throttle time go out first, then the connection is mute for that long', async () => {
    const server = await listen((frame) => ({
      ordered: null,
      reply: replyOf(frame, String(frame) === 'heavy' ? { throttleTimeMs: 500 } : {}),
    }))
    const peer = await connect(server)
    peer.send('heavy', 'light')
    await world.loop.advance(499)
    expect(peer.replies).toEqual(['heavy'])
    await world.loop.advance(2)
    expect(peer.replies).toEqual(['heavy', 'light'])
  })
})

describe('handlers', () => {
  it('start only once the one before is ordered, and need not wait for its reply', async () => {
    const { started, handler } = manual()
    const peer = await connect(await listen(handler))
    peer.send('one', 'two')
    await world.loop.advance(1)
    expect(started.map(({ text }) => text)).toEqual(['one'])
    started[0]?.order()
    await world.loop.advance(1)
    expect(started.map(({ text }) => text)).toEqual(['one', 'two'])
    expect(peer.replies).toEqual([])
  })

  it.each([
    ['refusing', new ConnectionRefused('not you'), 'not you'],
    ['failing', new Error('bug'), 'internal error'],
  ])('%s close the connection, say why in the log, and leave the listener up', async (_, error, reason) => {
    const server = await listen((frame) => {
      if (String(frame) === 'bad') throw error
      return echo(frame, null as never)
    })
    const peer = await connect(server)
    peer.send('bad')
    await world.loop.advance(1)
    expect(peer.isClosed).toBe(true)
    expect(world.logLines).toContainEqual(
      expect.objectContaining({ message: 'connection closed', fields: expect.objectContaining({ reason }) }),
    )
    const other = await connect(server)
    other.send('good')
    await world.loop.advance(1)
    expect(other.replies).toEqual(['good'])
  })

  it('see the signal abort when the peer goes away', async () => {
    const { started, handler } = manual()
    const peer = await connect(await listen(handler))
    peer.send('parked')
    await world.loop.advance(1)
    peer.connection.destroy()
    await world.loop.advance(1)
    expect(started[0]?.connection.signal.aborted).toBe(true)
  })
})

describe('bounds', () => {
  it('stop reading a connection with too many requests in flight, and read on when they are answered', async () => {
    const { started, handler } = manual()
    const server = await listen(handler, { limits: { inflightRequestsMax: 3 } })
    const peer = await connect(server)
    for (let index = 0; index < 6; index++) {
      peer.send(`${index}`)
      await world.loop.advance(1)
      started.at(-1)?.order()
      await world.loop.advance(1)
    }
    expect(started).toHaveLength(3)
    expect(server.connections()[0]?.inflightCount).toBe(3)
    started[0]?.answer(replyOf('0'))
    await world.loop.advance(1)
    started[3]?.order()
    await world.loop.advance(1)
    expect(started).toHaveLength(4)
  })

  it('start nothing for a peer that does not take its replies', async () => {
    let startedCount = 0
    const server = await listen(
      () => {
        startedCount++
        return { ordered: null, reply: replyOf(Buffer.alloc(20_000)) }
      },
      { limits: { unsentReplyBytesMax: 50_000, inflightRequestsMax: 1000 } },
    )
    const peer = await connect(server)
    peer.connection.pause()
    for (let index = 0; index < 100; index++) {
      peer.send('give')
      await world.loop.advance(1)
    }
    expect(startedCount).toBeLessThanOrEqual(5)
    peer.connection.resume()
    await world.loop.advance(10)
    expect(startedCount).toBe(100)
    expect(peer.replies).toHaveLength(100)
  })

  it('count what a parked reply may grow to', async () => {
    const started: string[] = []
    const server = await listen(
      (frame) => {
        started.push(String(frame))
        return { ordered: null, reply: new Promise(() => undefined), replyBytesMax: 600 }
      },
      { limits: { unsentReplyBytesMax: 1000 } },
    )
    const peer = await connect(server)
    peer.send('one', 'two', 'three', 'four')
    await world.loop.advance(1)
    expect(started).toEqual(['one', 'two'])
  })

  it('close the connection that holds most when all together hold too much', async () => {
    const server = await listen(echo, { limits: { heldBytesMax: 300_000 } })
    const small = await connect(server)
    const large = await connect(server)
    const claim = Buffer.alloc(4)
    claim.writeInt32BE(1_000_000)
    small.connection.write([claim, Buffer.alloc(1000)])
    large.connection.write([claim, Buffer.alloc(100_000)])
    await world.loop.advance(10)
    expect([small.isClosed, large.isClosed]).toEqual([false, true])
  })

  it('make room for a newcomer at the expense of who never asked, and else refuse it', async () => {
    const server = await listen(
      (frame, connection) => {
        connection.countRequest(18)
        return echo(frame, connection)
      },
      { limits: { connectionsMax: 2 } },
    )
    const asking = await connect(server)
    asking.send('hello')
    await world.loop.advance(1)
    const silent = await connect(server)
    const newcomer = await connect(server)
    newcomer.send('hello')
    await world.loop.advance(1)
    expect([asking.isClosed, silent.isClosed, newcomer.isClosed]).toEqual([false, true, false])
    const refused = await connect(server)
    await world.loop.advance(1)
    expect(refused.isClosed).toBe(true)
    expect(server.connections()).toHaveLength(2)
  })

  it('end idle connections, not those that wait for an answer', async () => {
    const { handler } = manual()
    const server = await listen(handler, { limits: { idleMs: 1000 } })
    const idle = await connect(server)
    const waiting = await connect(server)
    waiting.send('parked')
    await world.loop.advance(5000)
    expect([idle.isClosed, waiting.isClosed]).toEqual([true, false])
  })
})

describe('hostile bytes', () => {
  it('close their connection with one line that names peer and protocol', async () => {
    const server = await listen(echo)
    const peer = await connect(server)
    peer.connection.write([Buffer.from('GET / HTTP/1.1\r\n\r\n')])
    await world.loop.advance(1)
    expect(peer.isClosed).toBe(true)
    const lines = world.logLines.filter(({ message }) => message === 'connection closed')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.fields.reason).toMatch(/HTTP/)
    expect(lines[0]?.fields.peer).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('in any form leave a listener that still answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), async (chunks) => {
        const server = await listen(echo, { limits: { frameBytesMax: 1000 } })
        const hostile = await connect(server)
        for (const chunk of chunks) hostile.connection.write([chunk])
        const peer = await connect(server)
        peer.send('still there?')
        await world.loop.advance(5)
        expect(peer.replies).toEqual(['still there?'])
        await server.close({ graceMs: 0 })
      }),
      { numRuns: 30 },
    )
  })
})

describe('an INTERNAL listener', () => {
  const options = { name: 'INTERNAL', preamble: { secret: 'geheim' } }

  it('hands requests on with the identity that the preamble proved', async () => {
    const server = await listen((_, connection) => ({ ordered: null, reply: replyOf(JSON.stringify(connection.peer)) }), options)
    const peer = await connect(server)
    peer.connection.write([encodePreamble({ nodeId: 2, role: 'broker' }, 'geheim')])
    peer.send('who am I')
    await world.loop.advance(1)
    expect(peer.replies.map((text) => JSON.parse(text))).toEqual([{ nodeId: 2, role: 'broker' }])
  })

  it.each([
    ['a wrong secret', encodePreamble({ nodeId: 2, role: 'broker' }, 'guess')],
    ['a request without preamble', framed(Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 255, 255]))],
    ['a first frame larger than any preamble', framed(Buffer.alloc(5000))],
  ])('closes on %s, and hands nothing on', async (_, bytes) => {
    let handled = 0
    const server = await listen(() => {
      handled++
      return { ordered: null, reply: null }
    }, options)
    const peer = await connect(server)
    peer.connection.write([bytes, framed('request')])
    await world.loop.advance(1)
    expect(peer.isClosed).toBe(true)
    expect(handled).toBe(0)
  })
})

describe('closing a listener', () => {
  it('answers what was started, refuses the rest, and then ends the connections', async () => {
    const { started, handler } = manual()
    const server = await listen(handler)
    const peer = await connect(server)
    peer.send('started')
    await world.loop.advance(1)
    const closed = server.close({ graceMs: 1000 })
    peer.send('too late')
    await world.loop.advance(1)
    started[0]?.answer(replyOf('done'))
    await world.loop.advance(1)
    await world.loop.run(closed)
    expect(peer.replies).toEqual(['done'])
    expect(peer.isClosed).toBe(true)
    expect(started).toHaveLength(1)
  })

  it('cuts what is not answered within the grace', async () => {
    const { handler } = manual()
    const server = await listen(handler)
    const peer = await connect(server)
    peer.send('never answered')
    await world.loop.advance(1)
    await world.loop.run(server.close({ graceMs: 200 }))
    await world.loop.advance(1)
    expect(peer.isClosed).toBe(true)
  })
})

describe('statistics of a connection', () => {
  it('tell what it asked, sent and got', async () => {
    const server = await listen((frame, connection) => {
      connection.setClientId('my-service')
      connection.setSoftware('librdkafka', '2.0.2')
      connection.countRequest(3)
      connection.recordError('UNKNOWN_TOPIC_OR_PARTITION')
      return echo(frame, connection)
    })
    const peer = await connect(server)
    peer.send('12345')
    await world.loop.advance(1)
    expect(server.connections()).toEqual([
      expect.objectContaining({
        clientId: 'my-service',
        softwareName: 'librdkafka',
        softwareVersion: '2.0.2',
        bytesIn: 9,
        bytesOut: 9,
        requestCount: 1,
        requestCountByApi: { 3: 1 },
        lastError: 'UNKNOWN_TOPIC_OR_PARTITION',
        inflightCount: 0,
      }),
    ])
  })
})
