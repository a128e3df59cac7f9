import { describe, expect, it } from 'vitest'
import { produce } from '../../../broker/api/00-produce.schema.ts'
import { metadata } from '../../../broker/api/03-metadata.schema.ts'
import { brokerHeartbeat } from '../../../broker/api/63-broker-heartbeat.schema.ts'
import { ApiRegistry, defineApi } from '../../../broker/api/registry.ts'

const handle = () => null

describe('the registry', () => {
  const registry = new ApiRegistry<unknown>([
    defineApi(metadata, { listeners: 'everywhere', handle }),
    defineApi(produce, { listeners: 'clients', handle }),
    defineApi(brokerHeartbeat, { listeners: 'internal', handle }),
  ])

  it('offers inter-node APIs on INTERNAL alone', () => {
    expect(registry.find(brokerHeartbeat.key, 'CLIENT')).toBeNull()
    expect(registry.find(brokerHeartbeat.key, 'INTERNAL')).not.toBeNull()
    expect(registry.find(produce.key, 'INTERNAL')).toBeNull()
    expect(registry.find(produce.key, 'DOCKER')).not.toBeNull()
    expect(registry.find(999, 'CLIENT')).toBeNull()
  })

  it('advertises what the listener offers, by key, and never inter-node APIs', () => {
    expect(registry.advertised('CLIENT').map(({ apiKey }) => apiKey)).toEqual([produce.key, metadata.key])
    expect(registry.advertised('INTERNAL').map(({ apiKey }) => apiKey)).toEqual([metadata.key])
  })

  it('advertises Produce from 0 and accepts it from 3', () => {
    expect(registry.advertised('CLIENT')[0]).toMatchObject({ apiKey: 0, minVersion: 0 })
    expect(registry.find(produce.key, 'CLIENT')!.accepted.min).toBe(3)
  })

  it('refuses two entries for one key', () => {
    const twice = [1, 2].map(() => defineApi(metadata, { listeners: 'everywhere', handle }))
    expect(() => new ApiRegistry<unknown>(twice)).toThrow(/registered twice/)
  })
})
