import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planEmptyBroker } from '../../../../broker/host/reassignments/empty-broker.ts'
import { balanceLeaders } from '../../../../broker/host/reassignments/leader-order.ts'
import { added, type Move, type PlanInput, type PlanPartition } from '../../../../broker/host/reassignments/plan-types.ts'
import { planReplicationFactor, planSpread } from '../../../../broker/host/reassignments/spread.ts'

function partition(index: number, replicas: readonly number[], over: Partial<PlanPartition> = {}): PlanPartition {
  return { topic: 't', partition: index, replicas, isr: replicas, leader: replicas[0] ?? null, bytes: 100, ...over }
}

function input(
  partitions: readonly PlanPartition[],
  brokers: readonly number[],
  rackOf: (id: number) => string | null = () => null,
): PlanInput {
  return { partitions, brokers: brokers.map((id) => ({ id, rack: rackOf(id) })) }
}

/** The replicas of every partition once the moves are carried out. */
function carriedOut(partitions: readonly PlanPartition[], moves: readonly Move[]): readonly PlanPartition[] {
  return partitions.map((one) => {
    const move = moves.find(({ topic, partition: index }) => topic === one.topic && index === one.partition)
    return move === undefined ? one : { ...one, replicas: move.after, isr: move.after, leader: move.after[0] ?? null }
  })
}

function countsOn(brokers: readonly number[], ids: readonly number[]): readonly number[] {
  return brokers.map((broker) => ids.filter((id) => id === broker).length)
}

const spreadOf = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

/** A topic placed anyhow, and some of the brokers chosen to hold it. */
const wishOf = (brokersMax: number, partitionsMax: number) =>
  fc
    .record({ brokerCount: fc.integer({ min: 1, max: brokersMax }), partitionCount: fc.integer({ min: 1, max: partitionsMax }) })
    .chain(({ brokerCount, partitionCount }) => {
      const brokers = Array.from({ length: brokerCount }, (_, at) => at + 1)
      return fc.integer({ min: 1, max: brokerCount }).chain((replicationFactor) =>
        fc.record({
          brokers: fc.constant(brokers),
          replicationFactor: fc.constant(replicationFactor),
          chosen: fc.shuffledSubarray(brokers, { minLength: replicationFactor }),
          placed: fc.array(fc.shuffledSubarray(brokers, { minLength: replicationFactor, maxLength: replicationFactor }), {
            minLength: partitionCount,
            maxLength: partitionCount,
          }),
        }),
      )
    })

const wish = wishOf(9, 30)
/** So small that every placement there is can be looked at. */
const smallWish = wishOf(5, 4)

/** By looking at every even placement. */
function fewestMoves(placed: readonly (readonly number[])[], chosen: readonly number[], replicationFactor: number): number {
  const choices = subsetsOf(chosen, replicationFactor)
  let fewest = Infinity
  const visit = (at: number, counts: ReadonlyMap<number, number>, moved: number): void => {
    if (moved >= fewest) return
    const present = placed[at]
    if (present === undefined) {
      if (spreadOf(chosen.map((id) => counts.get(id) ?? 0)) <= 1) fewest = moved
      return
    }
    for (const choice of choices) {
      const next = new Map(counts)
      for (const id of choice) next.set(id, (next.get(id) ?? 0) + 1)
      visit(at + 1, next, moved + choice.filter((id) => !present.includes(id)).length)
    }
  }
  visit(0, new Map(), 0)
  return fewest
}

function subsetsOf(ids: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]]
  return ids.flatMap((id, at) => subsetsOf(ids.slice(at + 1), size - 1).map((rest) => [id, ...rest]))
}

describe('spreading a topic over chosen brokers', () => {
  test('puts every replica on a chosen broker, and as many on each as on the others', () => {
    fc.assert(
      fc.property(wish, ({ brokers, chosen, placed, replicationFactor }) => {
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const after = carriedOut(partitions, planSpread(input(partitions, brokers), 't', chosen, null).moves)
        for (const { replicas } of after) {
          expect(new Set(replicas).size).toBe(replicationFactor)
          expect(replicas.every((id) => chosen.includes(id))).toBe(true)
        }
        expect(
          spreadOf(
            countsOn(
              chosen,
              after.flatMap(({ replicas }) => replicas),
            ),
          ),
        ).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('makes each chosen broker the preferred leader of as many partitions as the others', () => {
    fc.assert(
      fc.property(wish, ({ brokers, chosen, placed }) => {
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const after = carriedOut(partitions, planSpread(input(partitions, brokers), 't', chosen, null).moves)
        expect(
          spreadOf(
            countsOn(
              chosen,
              after.map(({ replicas }) => replicas[0] ?? -1),
            ),
          ),
        ).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('moves as few replicas as an even placement can, or one more', () => {
    fc.assert(
      fc.property(smallWish, ({ brokers, chosen, placed, replicationFactor }) => {
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const { moves } = planSpread(input(partitions, brokers), 't', chosen, null)
        const moved = moves.reduce((total, move) => total + added(move).length, 0)
        expect(moved).toBeLessThanOrEqual(fewestMoves(placed, chosen, replicationFactor) + 1)
      }),
    )
  })

  test('leaves nothing to plan once it is carried out', () => {
    fc.assert(
      fc.property(wish, ({ brokers, chosen, placed }) => {
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const after = carriedOut(partitions, planSpread(input(partitions, brokers), 't', chosen, null).moves)
        expect(planSpread(input(after, brokers), 't', chosen, null).moves).toEqual([])
      }),
    )
  })

  test('puts the replicas of a partition in as many racks as it can', () => {
    fc.assert(
      fc.property(wish, fc.integer({ min: 1, max: 4 }), ({ brokers, chosen, placed, replicationFactor }, rackCount) => {
        const rackOf = (id: number): string => `rack-${id % rackCount}`
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const after = carriedOut(partitions, planSpread(input(partitions, brokers, rackOf), 't', chosen, null).moves)
        const racks = new Set(chosen.map(rackOf)).size
        for (const { replicas } of after) expect(new Set(replicas.map(rackOf)).size).toBe(Math.min(replicationFactor, racks))
      }),
    )
  })

  test('prefers the broker with the least of everything else', () => {
    const other = [0, 1, 2].map((index) => partition(index, [2], { topic: 'busy' }))
    const plan = planSpread(input([partition(0, [1]), ...other], [1, 2, 3]), 't', [2, 3], null)
    expect(plan.moves).toEqual([{ topic: 't', partition: 0, before: [1], after: [3] }])
  })

  test('does not touch a partition without a leader, and says so', () => {
    const plan = planSpread(input([partition(0, [1], { leader: null, isr: [] }), partition(1, [1])], [1, 2]), 't', [2], null)
    expect(plan.blocked).toMatchObject([{ partition: 0, reason: expect.stringMatching(/no leader/) }])
    expect(plan.moves.map(({ partition: index }) => index)).toEqual([1])
  })
})

describe('another replication factor', () => {
  test('adds replicas and leaves those there are where they are, in their order', () => {
    fc.assert(
      fc.property(wish, ({ brokers, placed, replicationFactor }) => {
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const wished = Math.min(replicationFactor + 1, brokers.length)
        const after = carriedOut(partitions, planReplicationFactor(input(partitions, brokers), 't', wished).moves)
        after.forEach(({ replicas }, at) => {
          expect(replicas.slice(0, replicationFactor)).toEqual(partitions[at]?.replicas)
          expect(new Set(replicas).size).toBe(wished)
        })
      }),
    )
  })

  test('removes dead and lagging replicas first, and the leader last', () => {
    const plan = planReplicationFactor(
      input([partition(0, [3, 1, 2], { isr: [1, 2], leader: 1 }), partition(1, [2, 1, 3], { leader: 1 })], [1, 2]),
      't',
      1,
    )
    expect(plan.moves.map(({ after }) => after)).toEqual([[1], [1]])
    const two = planReplicationFactor(input([partition(0, [3, 1, 2], { isr: [1, 2], leader: 1 })], [1, 2]), 't', 2)
    expect(two.moves.map(({ after }) => after)).toEqual([[1, 2]])
  })
})

describe('emptying a broker', () => {
  test('moves its replicas alone, each to a broker without one, and evens out what they add', () => {
    fc.assert(
      fc.property(wish, ({ brokers, placed, replicationFactor }) => {
        fc.pre(brokers.length > replicationFactor)
        const partitions = placed.map((replicas, index) => partition(index, replicas))
        const plan = planEmptyBroker(input(partitions, brokers), 1)
        const after = carriedOut(partitions, plan.moves)
        expect(plan.blocked).toEqual([])
        after.forEach(({ replicas }, at) => {
          const before = partitions[at]?.replicas ?? []
          expect(replicas).not.toContain(1)
          expect(replicas).toHaveLength(before.length)
          expect(before.filter((id) => id !== 1 && !replicas.includes(id))).toEqual([])
        })
        expect(plan.moves).toHaveLength(placed.filter((replicas) => replicas.includes(1)).length)
      }),
    )
  })

  test('shares leadership among those that lead least', () => {
    const partitions = [...Array.from({ length: 4 }, (_, index) => partition(index, [1, 2])), partition(4, [2, 3]), partition(5, [2, 3])]
    const after = carriedOut(partitions, planEmptyBroker(input(partitions, [1, 2, 3]), 1).moves)
    expect(
      countsOn(
        [2, 3],
        after.map(({ replicas }) => replicas[0] ?? -1),
      ),
    ).toEqual([3, 3])
  })

  test('says which partitions cannot leave it, and moves the others', () => {
    const plan = planEmptyBroker(input([partition(0, [1, 2, 3]), partition(1, [1, 2])], [1, 2, 3]), 1)
    expect(plan.blocked).toMatchObject([{ partition: 0, reason: expect.stringMatching(/3 replicas/) }])
    expect(plan.moves.map(({ partition: index }) => index)).toEqual([1])
  })

  test('stays in as many racks as before where there is a broker for it', () => {
    const rackOf = (id: number): string => (id < 3 ? 'a' : 'b')
    const plan = planEmptyBroker(input([partition(0, [4, 1])], [1, 2, 3, 4], rackOf), 4)
    expect(plan.moves[0]?.after).toContain(3)
  })
})

test('leadership is handed on along paths where no single exchange helps', () => {
  const drafts = [{ replicas: [1, 2] }, { replicas: [1, 2] }, { replicas: [2, 3] }, { replicas: [2, 3] }, { replicas: [1, 2] }]
  balanceLeaders(drafts, [1, 2, 3])
  expect(
    countsOn(
      [1, 2, 3],
      drafts.map(({ replicas }) => replicas[0] ?? -1),
    ).toSorted(),
  ).toEqual([1, 2, 2])
})
