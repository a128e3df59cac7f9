import { describe, expect, it } from 'vitest'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { Address, Listener } from '../../../broker/env/types.ts'
import type { ListenerConfig } from '../../../broker/node/config.ts'
import { bindListeners } from '../../../broker/node/listeners.ts'

function binder() {
  const world = new SimulatedWorld({ seed: 1 })
  const env = world.start('node')
  const bind = (listeners: readonly ListenerConfig[]) =>
    env.run(bindListeners(env, { listeners, internalSecret: 's' }, {}, () => ({ ordered: null, reply: null })))
  return { env, bind }
}

describe('the listeners of a node', () => {
  it('are bound as configured, and told with the ports they really have', async () => {
    const { bind } = binder()
    const { bound, endpoints } = await bind([
      { name: 'CLIENT', host: '127.0.0.1', port: 9092 },
      { name: 'INTERNAL', host: '127.0.0.1', port: 0 },
    ])
    expect(bound[0]).toEqual({ name: 'CLIENT', host: '127.0.0.1', port: 9092 })
    expect(bound[1]!.port).toBeGreaterThan(0)
    expect(endpoints.map(({ name, port }) => [name, port])).toEqual(bound.map(({ name, port }) => [name, port]))
  })

  it('share a port when one name has two addresses, and are one endpoint', async () => {
    const { env } = binder()
    const asked: string[] = []
    const listen = async ({ host, port }: Address): Promise<Listener> => {
      asked.push(`${host} ${port}`)
      return { address: { host, port: port === 0 ? 40_000 : port }, close: async () => undefined }
    }
    const both = ['127.0.0.1', '::1'].map((host) => ({ name: 'CLIENT', host, port: 0 }))
    const dualStack = { ...env, transport: { ...env.transport, listen } }
    const { endpoints } = await bindListeners(dualStack, { listeners: both, internalSecret: 's' }, {}, () => ({
      ordered: null,
      reply: null,
    }))
    expect(asked).toEqual(['127.0.0.1 0', '::1 40000'])
    expect(endpoints.map(({ host, port }) => `${host}:${port}`)).toEqual(['127.0.0.1:40000'])
  })

  it('are advertised as asked, and a wildcard as localhost', async () => {
    const { bind } = binder()
    const { endpoints } = await bind([
      { name: 'CLIENT', host: '0.0.0.0', port: 9092 },
      { name: 'DOCKER', host: '0.0.0.0', port: 9192, advertisedHost: 'host.docker.internal', advertisedPort: 29_092 },
    ])
    expect(endpoints.map(({ host, port }) => `${host}:${port}`)).toEqual(['localhost:9092', 'host.docker.internal:29092'])
  })

  it('are all let go when one cannot be had', async () => {
    const { bind } = binder()
    const taken = { name: 'CLIENT', host: '127.0.0.1', port: 9093 }
    const first = { name: 'CLIENT', host: '127.0.0.1', port: 9092 }
    await bind([taken])
    await expect(bind([first, { ...taken, name: 'OTHER' }])).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect((await bind([first])).bound[0]!.port).toBe(9092)
  })
})
