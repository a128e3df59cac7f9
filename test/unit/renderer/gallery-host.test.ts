import { describe, expect, it } from 'vitest'
import { contract } from '../../../broker/contract/contract.ts'
import { longestName } from '../../../renderer/gallery/fixtures/hostile.ts'
import { createStandInHost } from '../../../renderer/gallery/stand-in-host.ts'
import { problemOf } from '../../../renderer/lib/problem.ts'

const place = { clusterId: 'local', topic: 'trucks_gps' }

describe('the stand-in host of the gallery', () => {
  it('implements every procedure of the contract', () => {
    const { client } = createStandInHost('populated')
    for (const [domain, procedures] of Object.entries(contract)) {
      for (const name of Object.keys(procedures)) {
        const call = (client as unknown as Record<string, Record<string, unknown>>)[domain]?.[name]
        expect(call, `${domain}.${name}`).toBeTypeOf('function')
      }
    }
  })

  it('holds ten thousand topics and the longest name in the worst case', async () => {
    const { client } = createStandInHost('worst')
    const page = await client.topics.list({ clusterId: 'local', count: 500, includeInternal: true })
    expect(page.total).toBeGreaterThan(9_900)
    expect(longestName).toHaveLength(249)
    expect((await client.topics.list({ clusterId: 'local', filter: 'longest-topic' })).rows[0]?.name).toBe(longestName)
  })

  it('fails every question about the cluster in the error scene, but not those of the shell', async () => {
    const { client } = createStandInHost('error')
    expect(await client.clusters.list()).not.toEqual([])
    const error = await client.topics.describe(place).catch((thrown: unknown) => thrown)
    expect(problemOf(error)).toMatchObject({ code: 'CLUSTER_UNREACHABLE', subject: 'local' })
  })

  it('carries a value of one mebibyte in pieces', async () => {
    const { client } = createStandInHost('worst')
    const slice = await client.messages.payload({
      ...place,
      partition: 0,
      offset: 0,
      part: { of: 'value' },
      as: 'text',
      position: 1_000_000,
    })
    expect(slice).toMatchObject({ bytes: 1_048_576, nextPosition: null, position: 1_000_000 })
    expect(slice.text).toHaveLength(48_576)
  })

  it('ends a loading call when its caller goes', async () => {
    const { client } = createStandInHost('loading')
    const stop = new AbortController()
    const call = client.topics.describe(place, { signal: stop.signal })
    stop.abort()
    await expect(call).rejects.toThrow()
  })
})
