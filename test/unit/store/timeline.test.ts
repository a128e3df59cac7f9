import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clusterEventsKeptMs, clusterEventsMax, detailedEventsMax, type NewClusterEvent } from '../../../broker/store/cluster-events.ts'
import type { NewJournalEntry } from '../../../broker/store/journal.ts'
import { openStore, type Store } from '../../../broker/store/store.ts'
import type { StoredTimelineRow, TimelineQuery } from '../../../broker/store/timeline.ts'

let store: Store
beforeEach(() => {
  store = openStore(':memory:')
})
afterEach(() => store.close())

const place = { topic: 'orders', partition: 3, from: 2, to: 1, leaderEpoch: 6, isr: [1, 3], replicaCount: 3 }
const event = (over: Partial<NewClusterEvent> = {}): NewClusterEvent => ({
  clusterId: 'c',
  kind: 'leader-changed',
  atMs: 10,
  untilMs: 10,
  cause: 'broker-ended',
  summary: 'orders-3 is led by broker 1.',
  brokerIds: [2, 1],
  topics: ['orders'],
  topicCount: 1,
  partitionCount: 1,
  partition: 3,
  partitions: [place],
  ...over,
})
const entry = (over: Partial<NewJournalEntry> = {}): NewJournalEntry => ({
  atMs: 5,
  clusterId: 'c',
  kind: 'change',
  actor: 'me',
  action: 'topic.create',
  subject: 'orders',
  summary: 'Created orders.',
  before: null,
  after: null,
  inverse: null,
  failure: null,
  ...over,
})
const everything: TimelineQuery = {
  clusterId: null,
  journalKinds: ['change', 'event'],
  eventKinds: ['leader-changed', 'isr-shrunk', 'controller-elected'],
  topic: null,
  brokerId: null,
  filter: '',
  fromMs: null,
  toMs: null,
  from: 0,
  count: 100,
}
const textOf = (row: StoredTimelineRow): string => (row.source === 'journal' ? row.entry.summary : row.event.summary)
const listed = (over: Partial<TimelineQuery> = {}): string[] => store.timeline.list({ ...everything, ...over }).rows.map(textOf)

describe('the timeline', () => {
  test('is the journal and the events in the order of time, in pages', () => {
    store.journal.append(entry({ atMs: 20, summary: 'late change' }))
    store.clusterEvents.append(event({ atMs: 15, summary: 'election' }))
    store.journal.append(entry({ atMs: 10, summary: 'early change' }))
    expect(listed()).toEqual(['late change', 'election', 'early change'])
    expect(listed({ from: 1, count: 1 })).toEqual(['election'])
    expect(store.timeline.list({ ...everything, filter: 'CHANGE' })).toMatchObject({ total: 2, totalUnfiltered: 3 })
  })

  test('is filtered by kind, cluster, topic, broker, words and time', () => {
    store.journal.append(entry({ summary: 'change' }))
    store.journal.append(entry({ kind: 'event', subject: 'broker 2', summary: 'Broker 2 is stopped.' }))
    store.clusterEvents.append(event({ summary: 'election' }))
    store.clusterEvents.append(event({ kind: 'isr-shrunk', brokerIds: [12], topics: ['orders.dlq'], clusterId: 'd', summary: 'shrunk' }))
    store.clusterEvents.append(event({ kind: 'controller-elected', brokerIds: [2], topics: [], topicCount: 0, summary: 'controller' }))
    expect(listed({ journalKinds: [], eventKinds: ['isr-shrunk'] })).toEqual(['shrunk'])
    expect(listed({ clusterId: 'd' })).toEqual(['shrunk'])
    expect(listed({ topic: 'orders' }).sort()).toEqual(['change', 'election'])
    expect(listed({ brokerId: 2 }).sort()).toEqual(['Broker 2 is stopped.', 'election'])
    expect(listed({ filter: 'dlq' })).toEqual(['shrunk'])
    expect(listed({ fromMs: 6, toMs: 11, journalKinds: ['change', 'event'] })).toHaveLength(3)
    expect(listed({ fromMs: 11 })).toEqual([])
  })

  test('finds an event over more topics than are kept by any topic, as it may speak of it', () => {
    store.clusterEvents.append(event({ topics: ['a', 'b'], topicCount: 9_000, summary: 'many' }))
    expect(listed({ topic: 'elsewhere' })).toEqual(['many'])
  })

  test('counts lines by kind and slot, and what failed', () => {
    store.journal.append(entry({ atMs: 105, failure: 'no' }))
    store.clusterEvents.append(event({ atMs: 105 }))
    store.clusterEvents.append(event({ atMs: 109 }))
    store.clusterEvents.append(event({ atMs: 131 }))
    const counts = [...store.timeline.count(everything, 100, 140, 10)].sort((a, b) => a.slot - b.slot || a.kind.localeCompare(b.kind))
    expect(counts).toEqual([
      { slot: 0, kind: 'change', count: 1, failures: 1 },
      { slot: 0, kind: 'leader-changed', count: 2, failures: 0 },
      { slot: 3, kind: 'leader-changed', count: 1, failures: 0 },
    ])
  })
})

describe("clusters' events", () => {
  test('are extended while they go on, and know their partitions by name', () => {
    const id = store.clusterEvents.append(event())
    store.clusterEvents.replace(id, event({ untilMs: 30, partitionCount: 2, partition: null, summary: '2 partitions' }))
    const [row] = store.timeline.list(everything).rows
    expect(row).toMatchObject({
      event: { id, atMs: 10, untilMs: 30, partitionCount: 2, partition: null, brokerIds: [2, 1], topics: ['orders'] },
    })
    expect(store.clusterEvents.partitionsOf(id)).toEqual({ partitions: [place], total: 2 })
    expect(store.clusterEvents.partitionsOf(99)).toBeNull()
  })

  test('are written together or not at all', () => {
    expect(() =>
      store.clusterEvents.inOneGo(() => {
        store.clusterEvents.append(event())
        throw new Error('stop')
      }),
    ).toThrow('stop')
    expect(listed()).toEqual([])
  })

  test('are bounded in number, age and detail', () => {
    const added = clusterEventsMax + 1_000
    store.clusterEvents.inOneGo(() => {
      for (let at = 1; at <= added; at += 1) store.clusterEvents.append(event({ atMs: at }))
    })
    expect(store.timeline.list(everything).total).toBe(clusterEventsMax)
    expect(store.clusterEvents.partitionsOf(added - detailedEventsMax)?.partitions).toBeNull()
    expect(store.clusterEvents.partitionsOf(added - detailedEventsMax + 1)?.partitions).toEqual([place])
    store.clusterEvents.prune(clusterEventsKeptMs + added)
    expect(store.timeline.list(everything).total).toBe(1)
  })

  test('go with the connection, and only with it', () => {
    store.clusterEvents.append(event({ clusterId: 'gone' }))
    store.clusterEvents.append(event({ summary: 'stays' }))
    store.clusterEvents.forgetCluster('gone')
    expect(listed()).toEqual(['stays'])
  })

  test('have a past after the file was closed', () => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-timeline-'))
    try {
      const path = join(directory, 'weir.sqlite')
      const first = openStore(path)
      first.clusterEvents.append(event({ summary: 'before' }))
      first.close()
      const second = openStore(path)
      expect(second.timeline.list(everything).rows.map(textOf)).toEqual(['before'])
      second.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
