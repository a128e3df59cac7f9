import { expect, test } from 'vitest'
import { TransportError, type Env } from '../../../broker/env/types.ts'
import { choosePorts } from '../../../broker/runtime/ports.ts'

function envWith(options: { taken?: readonly number[]; hasIpv6?: boolean }): Env {
  let nextFree = 50_000
  return {
    transport: {
      async listen({ host, port }: { host: string; port: number }) {
        if (host === '::1' && options.hasIpv6 === false) throw new TransportError('EADDRNOTAVAIL', 'no IPv6')
        if (options.taken?.includes(port) === true) throw new TransportError('EADDRINUSE', 'taken')
        return { address: { host, port: port === 0 ? (nextFree += 1) : port }, close: async () => undefined }
      },
    },
  } as unknown as Env
}

test('without a wish the block starts at 9092, on both loopback addresses', async () => {
  const block = await choosePorts(envWith({}), { port: undefined, count: 3 })
  expect(block).toEqual({ ports: [9092, 9093, 9094], hosts: ['127.0.0.1', '::1'], taken: null })
})

test('one taken port moves the whole block to the next free one, and is told', async () => {
  const block = await choosePorts(envWith({ taken: [9093, 9102] }), { port: undefined, count: 3 })
  expect(block).toMatchObject({ ports: [9112, 9113, 9114], taken: 9093 })
})

test('a port that was named and is taken is an error naming the port in the way', async () => {
  const refused = choosePorts(envWith({ taken: [20_001] }), { port: 20_000, count: 3 })
  await expect(refused).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining('20001') })
})

test('a machine without IPv6 is served on IPv4', async () => {
  expect(await choosePorts(envWith({ hasIpv6: false }), { port: 20_000, count: 1 })).toMatchObject({
    hosts: ['127.0.0.1'],
    ports: [20_000],
  })
})

test('port 0 leaves the choice to the system, a different port for each broker', async () => {
  const { ports, hosts } = await choosePorts(envWith({}), { port: 0, count: 3 })
  expect(hosts).toEqual(['127.0.0.1'])
  expect(new Set(ports).size).toBe(3)
  expect(ports).not.toContain(0)
})

test('a block that would pass the last port is refused', async () => {
  await expect(choosePorts(envWith({}), { port: 65_534, count: 3 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
