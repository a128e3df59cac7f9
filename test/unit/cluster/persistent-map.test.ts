import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PersistentMap } from '../../../broker/cluster/persistent-map.ts'

/** Two strings of one FNV-1a hash, so that a full collision is tried too. */
const COLLIDING = ['costarring', 'liquid'] as const

describe('a persistent map', () => {
  it('holds what a Map would, whatever is put in and taken out', () => {
    const key = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom(...COLLIDING), fc.integer({ min: 0, max: 50 }))
    const change = fc.record({ key, value: fc.option(fc.integer()) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const model = new Map<string | number, number>()
        let map = PersistentMap.empty<string | number, number>()
        for (const { key: changed, value } of changes) {
          if (value === null) model.delete(changed)
          else model.set(changed, value)
          map = value === null ? map.without(changed) : map.with(changed, value)
          expect(map.size).toBe(model.size)
          expect(map.get(changed)).toBe(model.get(changed))
        }
        expect(new Map(map.entries())).toEqual(model)
        for (const [held, value] of model) expect(map.get(held)).toBe(value)
      }),
    )
  })

  it('leaves earlier versions as they were', () => {
    let map = PersistentMap.empty<string, number>()
    const versions = [map]
    for (let index = 0; index < 500; index++) versions.push((map = map.with(`topic-${index % 300}`, index)))
    for (let index = 0; index < 300; index++) versions.push((map = map.without(`topic-${index}`)))
    expect(versions[100]?.size).toBe(100)
    expect(versions[100]?.get('topic-7')).toBe(7)
    expect(versions[500]?.get('topic-7')).toBe(307)
    expect(map.size).toBe(0)
  })

  it('iterates alike however it was filled', () => {
    const names = Array.from({ length: 200 }, (_, index) => `topic-${index}`)
    const fill = (order: readonly string[]) => [
      ...order.reduce((map, name) => map.with(name, 1), PersistentMap.empty<string, number>()).keys(),
    ]
    expect(fill(names)).toEqual(fill([...names].reverse()))
  })
})
