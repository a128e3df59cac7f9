import { describe, expect, test } from 'vitest'
import { createSimulatedEnv, SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { Connection } from '../../../broker/env/types.ts'

describe('time', () => {
  test('timers fire in order of their time, and only when time is moved', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const fired: string[] = []
    env.timers.after(20, () => fired.push('second'))
    env.timers.after(10, () => {
      fired.push('first')
      env.timers.after(5, () => fired.push('between'))
    })
    env.timers.after(15, () => fired.push('cancelled')).cancel()
    await env.advance(9)
    expect(fired).toEqual([])
    await env.advance(100)
    expect(fired).toEqual(['first', 'between', 'second'])
    expect(env.clock.monotonicMs()).toBe(109)
  })

  test('waiting for what can never happen is an error, not a hang', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await expect(env.run(new Promise(() => undefined))).rejects.toThrow('nothing left to happen')
  })

  test('what is due now runs without moving time', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await env.scheduler.yieldTurn()
    await env.disk.makeDirectory('/data')
    expect(env.clock.monotonicMs()).toBe(0)
  })
})

describe('the disk', () => {
  async function fileOf(env: ReturnType<typeof createSimulatedEnv>, path: string) {
    await env.disk.makeDirectory('/data')
    const file = await env.disk.open(path, { create: true })
    await env.disk.syncDirectory('/data')
    return file
  }

  test('power loss keeps what was synced', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const env = createSimulatedEnv({ seed })
      const file = await fileOf(env, '/data/a')
      await file.write(0, [Buffer.from('kept')])
      await file.sync()
      await file.write(4, [Buffer.alloc(2000, 'x')])
      const next = env.restartAfter('powerLoss')
      const content = await next.disk.readFile('/data/a')
      expect(content?.subarray(0, 4).toString()).toBe('kept')
    }
  })

  test('power loss drops, tears or keeps what was not synced, by seed', async () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const env = createSimulatedEnv({ seed })
      const file = await fileOf(env, '/data/a')
      await file.write(0, [Buffer.alloc(2048, 'x')])
      const next = env.restartAfter('powerLoss')
      lengths.add((await next.disk.readFile('/data/a'))?.length ?? -1)
    }
    expect(lengths.has(0)).toBe(true)
    expect(lengths.has(2048)).toBe(true)
    expect([...lengths].some((length) => length > 0 && length < 2048)).toBe(true)
  })

  test('a kill keeps every write that had returned', async () => {
    const env = createSimulatedEnv({ seed: 3 })
    const file = await fileOf(env, '/data/a')
    await file.write(0, [Buffer.from('returned')])
    const next = env.restartAfter('kill')
    expect((await next.disk.readFile('/data/a'))?.toString()).toBe('returned')
  })

  test('a rename that no directory sync followed may be undone by power loss', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const env = createSimulatedEnv({ seed })
      await fileOf(env, '/data/a')
      await env.disk.rename('/data/a', '/data/b')
      outcomes.add(String(await env.restartAfter('powerLoss').disk.list('/data')))
    }
    expect(outcomes).toEqual(new Set(['a', 'b']))
  })

  test('injected errors fire as often as asked and carry their code', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const file = await fileOf(env, '/data/a')
    const fault = env.diskControl.failNext({ operations: ['write'], code: 'EIO', count: 1 })
    await expect(file.write(0, [Buffer.from('a')])).rejects.toMatchObject({ name: 'DiskError', code: 'EIO' })
    await file.write(0, [Buffer.from('a')])
    expect(fault.firedCount).toBe(1)
  })

  test('a full disk refuses growth with ENOSPC and takes overwrites', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    const file = await fileOf(env, '/data/a')
    env.diskControl.capacityBytes = 10
    await file.write(0, [Buffer.alloc(10)])
    await expect(file.write(10, [Buffer.alloc(1)])).rejects.toMatchObject({ code: 'ENOSPC' })
    await file.write(0, [Buffer.alloc(10, 'y')])
    expect(await env.disk.space('/data')).toEqual({ totalBytes: 10, freeBytes: 0 })
  })

  test('the lock of an ended process is free again', async () => {
    const env = createSimulatedEnv({ seed: 1 })
    await env.disk.makeDirectory('/data')
    expect(await env.disk.lock('/data/.lock')).not.toBeNull()
    expect(await env.disk.lock('/data/.lock')).toBeNull()
    expect(await env.restartAfter('kill').disk.lock('/data/.lock')).not.toBeNull()
  })
})

describe('the network', () => {
  async function connected(seed: number, networkLatencyMsMax = 0) {
    const world = new SimulatedWorld({ seed, networkLatencyMsMax })
    const [one, two] = [world.start('one'), world.start('two')]
    const accepted = Promise.withResolvers<Connection>()
    const listener = await two.transport.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
    const client = await one.run(one.transport.connect(listener.address, { timeoutMs: 1000 }))
    return { world, one, two, client, server: await one.run(accepted.promise), address: listener.address }
  }

  test('bytes arrive in order whatever the latency', async () => {
    const { one, client, server } = await connected(7, 50)
    let received = ''
    server.setHandlers({ onData: (chunk) => (received += chunk.toString()), onClose: () => undefined })
    for (let index = 0; index < 10; index++) client.write([Buffer.from(String(index))])
    await one.advance(1000)
    expect(received).toBe('0123456789')
  })

  test('a cut link holds bytes back until it is healed, and connecting over it times out', async () => {
    const { world, one, client, server, address } = await connected(7)
    let received = ''
    server.setHandlers({ onData: (chunk) => (received += chunk.toString()), onClose: () => undefined })
    world.network.cut('one', 'two')
    client.write([Buffer.from('late')])
    await one.advance(1000)
    expect(received).toBe('')
    const attempt = one.transport.connect(address, { timeoutMs: 100 })
    await expect(one.run(attempt)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    world.network.heal('one', 'two')
    await one.advance(1000)
    expect(received).toBe('late')
  })

  test('a broken connection is lost with what is under way, at both ends', async () => {
    const { world, one, client, server } = await connected(7)
    const codes: (string | undefined)[] = []
    let received = ''
    client.setHandlers({ onData: () => undefined, onClose: (error) => codes.push(error?.code) })
    server.setHandlers({ onData: (chunk) => (received += chunk.toString()), onClose: (error) => codes.push(error?.code) })
    client.write([Buffer.from('lost')])
    expect(world.network.reset('one', 'two')).toBe(1)
    await one.advance(1000)
    expect(codes).toEqual(['ECONNRESET', 'ECONNRESET'])
    expect(received).toBe('')
  })

  test('a slow link delays what goes over it, until that ends', async () => {
    const { world, one, client, server } = await connected(7)
    let arrivedMs = 0
    server.setHandlers({ onData: () => (arrivedMs = one.clock.monotonicMs()), onClose: () => undefined })
    const delayOf = async (): Promise<number> => {
      const sentMs = one.clock.monotonicMs()
      client.write([Buffer.from('x')])
      await one.advance(60_000)
      return arrivedMs - sentMs
    }
    const usualMs = Math.max(await delayOf(), await delayOf(), await delayOf())
    world.network.delay('one', 'two', 50_000)
    expect(Math.max(await delayOf(), await delayOf(), await delayOf())).toBeGreaterThan(usualMs + 1_000)
    world.network.delay('one', 'two', 0)
    expect(await delayOf()).toBeLessThan(1_000)
  })

  test('the peers of a killed process see a reset', async () => {
    const { one, two, client } = await connected(7)
    const closed = Promise.withResolvers<string | undefined>()
    client.setHandlers({ onData: () => undefined, onClose: (error) => closed.resolve(error?.code) })
    two.restartAfter('kill')
    expect(await one.run(closed.promise)).toBe('ECONNRESET')
  })

  test('a writer is told to wait, and then that it may go on', async () => {
    const { one, client, server } = await connected(7)
    let drains = 0
    client.setHandlers({ onData: () => undefined, onClose: () => undefined, onDrain: () => drains++ })
    expect(client.write([Buffer.alloc(100_000)])).toBe(false)
    await one.advance(10)
    expect(drains).toBe(0)
    server.setHandlers({ onData: () => undefined, onClose: () => undefined })
    await one.advance(10)
    expect(drains).toBe(1)
    expect(client.pendingBytes).toBe(0)
  })
})

test('a paused process runs nothing until it is resumed, then all that fell due, in order', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  const [one, other] = [world.start('one'), world.start('other')]
  const order: string[] = []
  for (const delayMs of [20, 10]) one.timers.after(delayMs, () => order.push(`one after ${delayMs}`))
  one.pause()
  other.timers.after(30, () => order.push('other'))
  await one.advance(100)
  expect(order).toEqual(['other'])
  one.resume()
  await one.advance(0)
  expect(order).toEqual(['other', 'one after 10', 'one after 20'])
})

test('a clock may be off without time going back', async () => {
  const world = new SimulatedWorld({ seed: 1, startMs: 1_000_000 })
  const env = world.start('one')
  await env.advance(5)
  world.setClockOffset('one', -3_000)
  expect(env.clock.nowMs()).toBe(997_005)
  expect(env.clock.monotonicMs()).toBe(5)
  expect(world.start('two').clock.nowMs()).toBe(1_000_005)
})

test('a timer that is set again for what is left of its time ends', async () => {
  const env = createSimulatedEnv({ seed: 1, diskLatencyMsMax: 0.7 })
  await env.run(env.disk.makeDirectory('/data'))
  const deadlineMs = env.clock.monotonicMs() + 1 / 3
  const { promise, resolve } = Promise.withResolvers<void>()
  const wait = (): void => {
    const leftMs = deadlineMs - env.clock.monotonicMs()
    if (leftMs > 0) env.timers.after(leftMs, wait)
    else resolve()
  }
  wait()
  await env.run(promise)
})

test('the same seed takes the same steps', async () => {
  async function steps(seed: number): Promise<string[]> {
    const env = createSimulatedEnv({ seed, diskLatencyMsMax: 20 })
    await env.run(env.disk.makeDirectory('/data'))
    const order: string[] = []
    const files = ['a', 'b', 'c', 'd'].map(async (name) => {
      const file = await env.disk.open(`/data/${name}`, { create: true })
      await file.write(0, [Buffer.from(env.random.uuid())])
      order.push(`${name}@${env.clock.monotonicMs()}`)
    })
    await env.run(Promise.all(files))
    return order
  }
  expect(await steps(5)).toEqual(await steps(5))
  expect(await steps(5)).not.toEqual(await steps(6))
})
