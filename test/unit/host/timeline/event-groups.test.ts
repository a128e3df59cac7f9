import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventPartitionsMax } from '../../../../broker/contract/timeline.ts'
import { diffPictures } from '../../../../broker/host/timeline/cluster-differ.ts'
import { groupChanges, groupsPerKindMax, mergeInto, type PartitionChangeOfKind } from '../../../../broker/host/timeline/event-groups.ts'
import { groupSentence } from '../../../../broker/host/timeline/event-sentences.ts'
import { context, partition, picture, picturePairs } from './pictures.ts'

const ofPartitions = (...found: Parameters<typeof diffPictures>): PartitionChangeOfKind[] =>
  diffPictures(...found).filter((change): change is PartitionChangeOfKind => !('broker' in change))

const sentences = (...found: Parameters<typeof diffPictures>): string[] =>
  [...groupChanges(ofPartitions(...found)).values()].map(groupSentence)

/** Broker 2 leads a third of all; it dies, and its leaders move to the next in line. */
function brokerDies(count: number) {
  const all = Array.from({ length: count }, (_unused, index) =>
    partition({ partition: index, leader: (index % 3) + 1, replicas: [(index % 3) + 1, ((index + 1) % 3) + 1, ((index + 2) % 3) + 1] }),
  )
  const after = all.map((was) => {
    const isr = was.isr.filter((id) => id !== 2)
    return was.leader === 2 ? { ...was, leader: was.replicas.find((id) => id !== 2) ?? null, leaderEpoch: 6, isr } : { ...was, isr }
  })
  return [picture({ orders: all }), picture({ orders: after }, [1, 3]), context()] as const
}

describe('changes of one cause', () => {
  test('are one event each, however many partitions a broker moved, with exact counts and bounded names', () => {
    const groups = [...groupChanges(ofPartitions(...brokerDies(30_000))).values()]
    expect(groups.map(({ kind, seen, partitions }) => [kind, seen.size, partitions.size])).toEqual([
      ['leader-changed', 10_000, eventPartitionsMax],
      ['isr-shrunk', 30_000, eventPartitionsMax],
    ])
  })

  test('lose none: every change is in exactly one group', () => {
    fc.assert(
      fc.property(picturePairs, ([before, after]) => {
        const changes = ofPartitions(before, after, context())
        const groups = [...groupChanges(changes).values()]
        expect(groups.reduce((sum, { seen }) => sum + seen.size, 0)).toBe(changes.length)
      }),
    )
  })

  test('that are of too many causes end in one that names no broker', () => {
    const brokers = Array.from({ length: 200 }, (_unused, index) => index + 1)
    const before = brokers.map((leader, index) => partition({ partition: index, leader, replicas: [leader, 999], isr: [leader, 999] }))
    const after = before.map((was) => ({ ...was, leader: 999, leaderEpoch: 6 }))
    const groups = [...groupChanges(ofPartitions(picture({ t: before }, brokers), picture({ t: after }, [999]), context())).values()]
    expect(groups).toHaveLength(groupsPerKindMax + 1)
    expect(groups.at(-1)).toMatchObject({ about: [], cause: null })
    expect(groups.at(-1)?.seen.size).toBe(150)
  })

  test('seen a moment apart are counted once per partition', () => {
    const [first, second] = [1, 2].map(() => [...groupChanges(ofPartitions(...brokerDies(9))).values()][1])
    if (first === undefined || second === undefined) throw new Error('no group')
    mergeInto(first, second)
    expect(first.seen.size).toBe(9)
  })
})

describe('a line', () => {
  test('says what moved where, and why', () => {
    expect(sentences(...brokerDies(9_000))).toEqual([
      '3,000 partitions of orders are led by broker 3: broker 2 ended.',
      'Broker 2 fell out of sync on 9,000 partitions of orders.',
    ])
  })

  test('of one partition has its name, its epoch and who is left', () => {
    const before = picture({ orders: [partition({ partition: 7, leader: 2, replicas: [2, 1, 3] })] })
    const after = picture({ orders: [partition({ partition: 7, leader: 1, leaderEpoch: 6, replicas: [2, 1, 3], isr: [1, 3] })] }, [1, 3])
    expect(sentences(before, after, context())).toEqual([
      'orders-7 is led by broker 1 instead of broker 2 in leader epoch 6: broker 2 ended.',
      'Broker 2 fell out of sync on orders-7: 2 of 3 replicas are in sync.',
    ])
  })

  test('of an offline partition says that nothing can be read or written', () => {
    const before = picture({ t: [partition({ replicas: [1], isr: [1] })] })
    const after = picture({ t: [partition({ replicas: [1], isr: [1], leader: null, leaderEpoch: 6 })] }, [2, 3])
    expect(sentences(before, after, context())).toEqual([
      't-0 went offline: broker 1, which led, ended, and nobody may take over. Nothing can be read from or written to it.',
    ])
    expect(sentences(after, before, context())).toEqual(['t-0 is online again, led by broker 1.'])
  })

  test('of an unclean election says that records may be lost', () => {
    const before = picture({ t: [partition({ leader: null, isr: [1, 2] })] }, [3])
    const after = picture({ t: [partition({ leader: 3, leaderEpoch: 6, isr: [3] })] }, [3])
    expect(sentences(before, after, context())[0]).toBe(
      't-0 is online again, led by broker 3, which was not in sync: an unclean election, records may be lost.',
    )
  })
})
