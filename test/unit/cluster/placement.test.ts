import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeReplicas, usableBrokers, type UsableBroker } from '../../../broker/cluster/placement.ts'
import { TestCluster } from './cluster-fixture.ts'

const brokers = (...racks: readonly (string | null)[]): UsableBroker[] =>
  racks.map((rack, index) => ({ id: index + 1, rack, isActive: true }))

function place(among: readonly UsableBroker[], partitionCount: number, replicationFactor: number) {
  const placed = placeReplicas(among, { partitionCount, replicationFactor, startIndex: 0 })
  if ('problem' in placed) throw new Error(placed.problem)
  return placed.assignments
}

const loadOf = (lists: readonly (readonly number[])[], id: number) => lists.filter((replicas) => replicas.includes(id)).length

describe('placing replicas', () => {
  it('never puts two on one broker, leads from brokers that are up, and spreads both evenly', () => {
    const shape = fc.record({
      brokerCount: fc.integer({ min: 1, max: 12 }),
      rackCount: fc.integer({ min: 1, max: 4 }),
      rounds: fc.integer({ min: 1, max: 12 }),
    })
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 12 }), ({ brokerCount, rackCount, rounds }, wanted) => {
        const among = brokers(...Array.from({ length: brokerCount }, (_, index) => `rack ${index % rackCount}`))
        const replicationFactor = Math.min(wanted, brokerCount)
        const lists = place(among, brokerCount * rounds, replicationFactor)
        for (const replicas of lists) expect(new Set(replicas).size).toBe(replicationFactor)
        const leaders = among.map(({ id }) => lists.filter(([leader]) => leader === id).length)
        expect(Math.max(...leaders) - Math.min(...leaders)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('uses different racks as long as there are some', () => {
    const among = brokers('a', 'a', 'b', 'b', 'c', 'c')
    const rackOf = (id: number) => among[id - 1]!.rack
    for (const replicas of place(among, 60, 3)) expect(new Set(replicas.map(rackOf)).size).toBe(3)
  })

  it('gives all brokers like loads of followers where racks do not matter', () => {
    const lists = place(brokers(null, null, null, null, null), 100, 3)
    const loads = [1, 2, 3, 4, 5].map((id) => loadOf(lists, id))
    expect(loads).toEqual([60, 60, 60, 60, 60])
  })

  it('gives a fenced broker followers only, and only when the others do not suffice', () => {
    const among = brokers(null, null, null).map((broker) => ({ ...broker, isActive: broker.id !== 2 }))
    expect(place(among, 4, 2).every((replicas) => !replicas.includes(2))).toBe(true)
    expect(place(among, 4, 3).every(([leader]) => leader !== 2)).toBe(true)
  })

  it('says when there are too few brokers, or none that could lead', () => {
    expect(placeReplicas(brokers(null), { partitionCount: 1, replicationFactor: 2, startIndex: 0 })).toHaveProperty('problem')
    const down = brokers(null).map((broker) => ({ ...broker, isActive: false }))
    expect(placeReplicas(down, { partitionCount: 1, replicationFactor: 1, startIndex: 0 })).toHaveProperty('problem')
  })

  it('takes the racks in turn', () => {
    const cluster = new TestCluster()
    for (const [id, rack] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
      [4, 'b'],
    ] as const)
      cluster.register(id, { rack })
    expect(usableBrokers(cluster.image).map(({ id }) => id)).toEqual([1, 3, 2, 4])
  })

  it('counts on fenced brokers, and not on one that is shutting down', () => {
    const cluster = new TestCluster().start(1, 2, 3)
    cluster.fence(2)
    cluster.create({ name: 'kept', assignments: new Map([[0, [3, 1]]]), partitionCount: -1, replicationFactor: -1 })
    cluster.beat(3, { wantShutDown: true })
    expect(cluster.image.broker(3)).toMatchObject({ inControlledShutdown: true })
    expect(usableBrokers(cluster.image)).toMatchObject([
      { id: 1, isActive: true },
      { id: 2, isActive: false },
    ])
  })
})
