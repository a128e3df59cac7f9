import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TransportError, type Env } from '../../../broker/env/types.ts'
import {
  advertisedServers,
  chooseExternal,
  exposureWarning,
  externalListenersOf,
  hostAndPort,
  parseAdvertised,
} from '../../../broker/runtime/advertise.ts'

function envWith(options: { taken?: readonly number[]; hasIpv6?: boolean } = {}): Env {
  let nextFree = 50_000
  return {
    transport: {
      async listen({ host, port }: { host: string; port: number }) {
        if (host === '::' && options.hasIpv6 === false) throw new TransportError('EADDRNOTAVAIL', 'no IPv6')
        if (options.taken?.includes(port) === true) throw new TransportError('EADDRINUSE', 'taken')
        return { address: { host, port: port === 0 ? (nextFree += 1) : port }, close: async () => undefined }
      },
    },
  } as unknown as Env
}

const choose = (typed: readonly string[], env = envWith(), used: readonly number[] = [9092, 9093, 9094]) =>
  chooseExternal(env, { advertise: typed.map(parseAdvertised), count: 3, used })

test.each([
  ['host.docker.internal', 'host.docker.internal', undefined],
  ['192.168.1.7:29092', '192.168.1.7', 29_092],
  ['my_machine:0', 'my_machine', 0],
  ['[fd00::1]', 'fd00::1', undefined],
  ['[::1]:65535', '::1', 65_535],
])('%s is an address to advertise', (typed, host, port) => {
  expect(parseAdvertised(typed)).toEqual({ host, port })
})

test.each([
  '',
  ':9092',
  'host:',
  'host:65536',
  'host:9092:9093',
  'fd00::1',
  '[fd00::1',
  '[host]:9092',
  '[]:9092',
  'ho st',
  '-host',
  'a..b',
  '1.2.3',
  '300.1.1.1',
  'http://host',
  'x'.repeat(254),
])('%j is refused with what is allowed', (typed) => {
  expect(() => parseAdvertised(typed)).toThrow(/"[^"]*" is not an address to advertise\. Allowed is HOST or HOST:PORT/)
})

test.each(['0.0.0.0', '[::]:9092', '[0:0::0]'])('%s is nothing a client could connect to', (typed) => {
  expect(() => parseAdvertised(typed)).toThrow(/not an address clients can connect to/)
})

test('whatever is typed is an address or a refusal in one line', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.domain(),
        fc.ipV6().map((address) => `[${address}]`),
      ),
      (typed) => {
        try {
          const { host, port } = parseAdvertised(typed)
          expect(parseAdvertised(port === undefined ? hostAndPort(host, 1).slice(0, -2) : hostAndPort(host, port))).toEqual({ host, port })
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_OPTION' })
        }
      },
    ),
  )
})

test('nothing asked for is nothing opened, and no warning', async () => {
  const none = await choose([])
  expect(none).toEqual([])
  expect(exposureWarning(none)).toBeNull()
})

test('each address has a listener and a block of ports of its own on every address of the machine', async () => {
  const external = await choose(['host.docker.internal', '[fd00::1]:29092'])
  expect(external).toEqual([
    { name: 'EXTERNAL', bindHost: '::', advertisedHost: 'host.docker.internal', ports: [19_092, 19_093, 19_094] },
    { name: 'EXTERNAL2', bindHost: '::', advertisedHost: 'fd00::1', ports: [29_092, 29_093, 29_094] },
  ])
  expect(externalListenersOf(external, 1)).toEqual([
    { name: 'EXTERNAL', host: '::', port: 19_093, advertisedHost: 'host.docker.internal' },
    { name: 'EXTERNAL2', host: '::', port: 29_093, advertisedHost: 'fd00::1' },
  ])
  expect(advertisedServers(external)).toEqual([
    'host.docker.internal:19092,host.docker.internal:19093,host.docker.internal:19094',
    '[fd00::1]:29092,[fd00::1]:29093,[fd00::1]:29094',
  ])
})

test('whoever opens the cluster to others is told that nothing protects it, and where', async () => {
  expect(exposureWarning(await choose(['box']))).toMatch(/Whoever reaches ports 19092 to 19094 .* no TLS and no password/)
})

test('a machine without IPv6 listens on IPv4 alone', async () => {
  expect(await choose(['box'], envWith({ hasIpv6: false }))).toMatchObject([{ bindHost: '0.0.0.0' }])
})

test('without a wish the next free block is taken, past what is taken or used here', async () => {
  expect(await choose(['one', 'two'], envWith({ taken: [19_094] }))).toMatchObject([
    { ports: [19_102, 19_103, 19_104] },
    { ports: [19_112, 19_113, 19_114] },
  ])
})

test('a named port that another program has is an error naming the port in the way', async () => {
  await expect(choose(['box:20000'], envWith({ taken: [20_001] }))).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringContaining('20001'),
  })
})

test.each([[['box:9094']], [['box:20000', 'other:20002']]])("%j would lie on another listener's ports and is refused", async (typed) => {
  await expect(choose(typed)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test('brokers that do not fit above the port are refused, and so is a ninth address', async () => {
  await expect(choose(['box:65534'])).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await expect(choose(Array.from({ length: 9 }, (_, index) => `box${index}`))).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test('port 0 takes free ports, a different one for each broker', async () => {
  const [external] = await choose(['box:0'])
  expect(new Set(external?.ports).size).toBe(3)
  expect(external?.ports).not.toContain(0)
})
