import { beforeEach, describe, expect, test } from 'vitest'
import { createRealEnv } from '../../../../broker/env/real.ts'
import type { Env } from '../../../../broker/env/types.ts'
import { createKnowledge } from '../../../../broker/host/clusters/knowledge.ts'
import { createTimelineRecorder, groupWithinMs, type TimelineFollower } from '../../../../broker/host/timeline/timeline-recorder.ts'
import { openStore, type Store } from '../../../../broker/store/store.ts'
import { partition, picture } from './pictures.ts'

let store: Store
let follower: TimelineFollower
let nowMs = 0
const knowledge = createKnowledge()

beforeEach(() => {
  store = openStore(':memory:')
  nowMs = 1_000_000
  const real = createRealEnv({ log: { write: () => undefined } })
  const env: Env = { ...real, clock: { nowMs: () => nowMs, monotonicMs: () => nowMs } }
  follower = createTimelineRecorder(env, store.clusterEvents).follow({ id: 'c', embedded: null, knowledge })
})

const events = () =>
  store.timeline
    .list({
      clusterId: null,
      journalKinds: [],
      eventKinds: ['leader-changed', 'isr-shrunk', 'isr-expanded', 'broker-fenced', 'controller-elected'],
      topic: null,
      brokerId: null,
      filter: '',
      fromMs: null,
      toMs: null,
      from: 0,
      count: 100,
    })
    .rows.flatMap((row) => (row.source === 'cluster' ? [row.event] : []))

/** `count` partitions, of which the first `inSync` have broker 3 in sync. */
const catchingUp = (count: number, inSync: number) =>
  picture({
    t: Array.from({ length: count }, (_unused, index) => partition({ partition: index, isr: index < inSync ? [1, 2, 3] : [1, 2] })),
  })

describe('what is written down', () => {
  test('begins with the second picture: the first is where the cluster stood', () => {
    expect(follower.metadata(catchingUp(3, 0))).toBe(false)
    expect(follower.metadata(catchingUp(3, 0))).toBe(false)
    expect(follower.metadata(catchingUp(3, 1))).toBe(true)
    expect(events().map(({ kind }) => kind)).toEqual(['isr-expanded'])
  })

  test('is one event while replicas catch up one after the other, and another one after a pause', () => {
    follower.metadata(catchingUp(10, 0))
    for (const inSync of [2, 5, 9]) {
      nowMs += groupWithinMs - 1
      follower.metadata(catchingUp(10, inSync))
    }
    expect(events()).toMatchObject([{ partitionCount: 9, atMs: 1_000_000 + groupWithinMs - 1, untilMs: nowMs }])
    expect(events()[0]?.summary).toBe('Broker 3 is in sync again on 9 partitions of t.')
    nowMs += groupWithinMs + 1
    follower.metadata(catchingUp(10, 10))
    expect(events().map(({ partitionCount }) => partitionCount)).toEqual([1, 9])
  })

  test('does not go back and forth with a broker that is behind the others', () => {
    const before = picture({ t: [partition({ leader: 1, leaderEpoch: 5 })] })
    const after = picture({ t: [partition({ leader: 2, leaderEpoch: 6 })] })
    for (const seen of [before, after, before, after, before, after]) follower.metadata(seen)
    expect(events()).toHaveLength(1)
  })

  test('begins anew where the cluster was put back to an older state for good', () => {
    follower.metadata(picture({ t: [partition({ leader: 1, leaderEpoch: 50 })] }))
    for (let round = 0; round < 6; round += 1) follower.metadata(picture({ t: [partition({ leader: 3, leaderEpoch: 1 })] }))
    expect(events()).toEqual([])
    follower.metadata(picture({ t: [partition({ leader: 2, leaderEpoch: 2 })] }))
    expect(events()).toMatchObject([{ kind: 'leader-changed', brokerIds: [3, 2] }])
  })

  test('has a broker that ended before what followed from it', () => {
    follower.metadata(picture({ t: [partition()] }))
    follower.metadata(picture({ t: [partition({ leader: 2, leaderEpoch: 6, isr: [2, 3] })] }, [2, 3]))
    expect(events().map(({ kind, cause }) => [kind, cause])).toEqual([
      ['isr-shrunk', null],
      ['leader-changed', 'broker-ended'],
      ['broker-fenced', null],
    ])
  })

  test('asks to be told more often while there is no controller', () => {
    expect(follower.quorum({ leaderId: 1001, leaderEpoch: 3 }, nowMs)).toBe(false)
    expect(follower.quorum({ leaderId: null, leaderEpoch: null }, nowMs)).toBe(true)
    expect(follower.quorum({ leaderId: 1002, leaderEpoch: 4 }, nowMs)).toBe(true)
    expect(follower.quorum({ leaderId: 1002, leaderEpoch: 4 }, nowMs)).toBe(false)
    expect(events()).toMatchObject([{ kind: 'controller-elected', brokerIds: [1002, 1001] }])
  })
})

test('a database that fails is said, and the samplers go on', () => {
  follower.metadata(catchingUp(1, 0))
  store.close()
  expect(follower.metadata(catchingUp(1, 1))).toBe(true)
  expect(knowledge.gaps.get('timeline')).toMatch(/could not be written/)
})
