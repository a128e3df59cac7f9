import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffPictures, isStale, type ClusterChange } from '../../../../broker/host/timeline/cluster-differ.ts'
import { context, partition, picture, picturePairs } from './pictures.ts'

const changes = (
  before: Parameters<typeof partition>[0],
  after: Parameters<typeof partition>[0],
  known = context(),
  alive: readonly number[] = [1, 2, 3],
): readonly ClusterChange[] => diffPictures(picture({ t: [partition(before)] }), picture({ t: [partition(after)] }, alive), known)

describe('two pictures of a cluster', () => {
  test('that are alike differ in nothing', () => {
    fc.assert(
      fc.property(picturePairs, ([one]) => {
        expect(diffPictures(one, structuredClone(one), context())).toEqual([])
      }),
    )
  })

  test('differ in no more and no less than the changes say: applied to the first, they make the second', () => {
    fc.assert(
      fc.property(picturePairs, ([before, after]) => {
        const found = diffPictures(before, after, context())
        const alive = new Set(before.brokers.map(({ nodeId }) => nodeId))
        const state = new Map(
          [...before.topics].flatMap(([name, { partitions }]) =>
            partitions.map((was): [string, { leader: number | null; isr: Set<number> }] => [
              `${name}-${was.partition}`,
              { leader: was.leader, isr: new Set(was.isr) },
            ]),
          ),
        )
        for (const change of found) {
          if ('broker' in change) {
            if (change.kind === 'broker-fenced') alive.delete(change.broker)
            else alive.add(change.broker)
            continue
          }
          const place = state.get(`${change.topic}-${change.partition}`)
          if (place === undefined) throw new Error('a change of a partition that is not there')
          if (change.kind === 'isr-shrunk') for (const broker of change.brokers) place.isr.delete(broker)
          else if (change.kind === 'isr-expanded') for (const broker of change.brokers) place.isr.add(broker)
          else place.leader = change.to
        }
        expect([...alive].sort()).toEqual(after.brokers.map(({ nodeId }) => nodeId).sort())
        for (const [name, { partitions }] of after.topics) {
          for (const now of partitions) {
            const place = state.get(`${name}-${now.partition}`)
            expect(place?.leader).toBe(now.leader)
            expect([...(place?.isr ?? [])].sort()).toEqual([...now.isr].sort())
          }
        }
      }),
    )
  })

  test('tell of brokers that went, came back and are new', () => {
    const found = diffPictures(picture({}, [1, 2]), picture({}, [1, 3, 4]), context())
    expect(found).toEqual([
      { kind: 'broker-fenced', broker: 2, address: null },
      { kind: 'broker-unfenced', broker: 3, address: '127.0.0.1:9094' },
      { kind: 'broker-registered', broker: 4, address: '127.0.0.1:9095' },
    ])
  })

  test('tell nothing of a topic that was made anew, nor of partitions that were added', () => {
    const before = picture({ t: [partition()] })
    const renewed = { ...before, topics: new Map([['t', { topicId: 'another', partitions: [partition({ leader: 2, leaderEpoch: 0 })] }]]) }
    expect(diffPictures(before, renewed, context())).toEqual([])
    expect(isStale(before, renewed)).toBe(false)
    expect(diffPictures(before, picture({ t: [partition(), partition({ partition: 1 })] }), context())).toEqual([])
  })

  test('are not believed when one partition goes back to an older leader epoch', () => {
    const before = picture({ t: [partition(), partition({ partition: 1, leaderEpoch: 7 })] })
    expect(isStale(before, picture({ t: [partition({ leaderEpoch: 9 }), partition({ partition: 1, leaderEpoch: 6 })] }))).toBe(true)
    expect(isStale(before, before)).toBe(false)
  })

  test('a replica that was moved away has not fallen out of sync', () => {
    expect(changes({}, { replicas: [1, 2, 4], isr: [1, 2, 4] }).map(({ kind }) => kind)).toEqual(['isr-expanded'])
  })
})

describe('why a leader changed', () => {
  const causeOf = (...input: Parameters<typeof changes>): unknown => {
    const change = changes(...input).find((found) => 'cause' in found)
    return change !== undefined && 'cause' in change ? change.cause : undefined
  }

  test('the broker before ended', () => {
    expect(causeOf({}, { leader: 2, isr: [2, 3] }, context(), [2, 3])).toBe('broker-ended')
    expect(causeOf({}, { leader: 2, isr: [2, 3] }, context({ endedBrokers: new Set([1]) }))).toBe('broker-ended')
  })

  test('the broker before is being stopped', () => {
    expect(causeOf({}, { leader: 2 }, context({ stoppingBrokers: new Set([1]) }))).toBe('broker-stopping')
  })

  test('the preferred leader took over from a live one', () => {
    expect(causeOf({ leader: 2 }, { leader: 1 })).toBe('preferred')
    expect(causeOf({ leader: 1 }, { leader: 2 })).toBeNull()
  })

  test('a leader from outside the in-sync set is unclean', () => {
    expect(causeOf({ leader: null, isr: [1, 2] }, { leader: 3, isr: [3] }, context(), [3])).toBe('unclean')
    expect(causeOf({ isr: [1], replicas: [1, 2] }, { leader: 2, isr: [2] }, context({ minInSyncReplicas: () => 1 }), [2])).toBe('unclean')
  })

  test('nothing is claimed of a leader that may have been an eligible replica', () => {
    expect(causeOf({ leader: null, isr: [1] }, { leader: 3, isr: [3] }, context(), [3])).toBeNull()
    expect(causeOf({ leader: null, isr: [1, 2] }, { leader: 3, isr: [3] }, context({ minInSyncReplicas: () => null }), [3])).toBeNull()
  })
})
