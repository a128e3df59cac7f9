import { describe, expect, it } from 'vitest'
import type { ActivityRow, TimelineRow } from '../../../../broker/contract/activity.ts'
import type { AffectedTopic, OverviewCounts } from '../../../../broker/contract/overview.ts'
import { clusterEventKinds, timelineLanes, type ClusterEvent, type TimelineMarks } from '../../../../broker/contract/timeline.ts'
import { eventPhrases, eventTone, lanePhrases, rowIcon, rowLink } from '../../../../renderer/lib/activity-phrases.ts'
import { affectedText, ailmentRows } from '../../../../renderer/lib/partition-ailments.ts'
import { replicaShare } from '../../../../renderer/lib/replica-share.ts'
import { axisTicks, drawMarks, nextMarkedSlot, slotAt, slotText } from '../../../../renderer/lib/timeline-axis.ts'
import { setDisplayZone } from '../../../../renderer/lib/time.ts'

const marks: TimelineMarks = {
  fromMs: 0,
  toMs: 1_000_000,
  slotMs: 10_000,
  marks: [
    { lane: 'leader', slot: 2, count: 1, isLoss: false },
    { lane: 'isr', slot: 2, count: 3, isLoss: true },
    { lane: 'change', slot: 90, count: 5_000, isLoss: false },
  ],
}

describe('the time axis', () => {
  it('draws each mark in its lane and slot, higher for more lines, within the lane', () => {
    const drawn = drawMarks(marks, 1_000)
    expect(drawn.map(({ x }) => x)).toEqual([20, 20, 900])
    expect(drawn[1]?.y).toBeGreaterThan(drawn[0]?.y ?? Number.NaN)
    expect(drawn[2]?.height).toBeGreaterThan(drawn[0]?.height ?? Number.NaN)
    expect(Math.max(...drawn.map(({ height }) => height))).toBeLessThanOrEqual(13)
  })

  it('finds the slot under the pointer, never beyond the ends', () => {
    expect([-5, 0, 25, 999, 5_000].map((x) => slotAt(x, 1_000, marks))).toEqual([0, 0, 2, 99, 99])
  })

  it('goes from mark to mark by key, and stays at the last', () => {
    expect(nextMarkedSlot(marks.marks, 50, -1)).toBe(2)
    expect(nextMarkedSlot(marks.marks, 50, 1)).toBe(90)
    expect(nextMarkedSlot(marks.marks, 2, -1)).toBe(2)
    expect(nextMarkedSlot([], 7, 1)).toBe(7)
  })

  it('says what a slot holds', () => {
    setDisplayZone('utc')
    expect(slotText(marks, 2)).toBe('01-01 00:00:20 to 00:00:30: 1 change of leaders, 3 changes of in-sync sets')
    expect(slotText(marks, 3)).toBe('01-01 00:00:30 to 00:00:40: nothing')
    setDisplayZone('local')
  })

  it('has ticks on round moments, as many as there is room for', () => {
    for (const width of [300, 900, 2_000]) {
      const ticks = axisTicks({ fromMs: 1_000, toMs: 3_600_000 }, width)
      expect(ticks.length).toBeGreaterThan(0)
      expect(ticks.length).toBeLessThanOrEqual(width / 90 + 1)
    }
  })
})

const event: ClusterEvent = {
  id: 1,
  clusterId: 'local',
  kind: 'leader-changed',
  atMs: 1,
  untilMs: 1,
  cause: null,
  summary: '',
  brokerIds: [2, 1],
  topics: ['orders'],
  topicCount: 1,
  partitionCount: 1,
  partition: 3,
}
const entry: ActivityRow = {
  id: 1,
  atMs: 1,
  clusterId: 'local',
  kind: 'change',
  actor: 'ada',
  action: 'topic.create',
  subject: 'orders',
  summary: '',
  before: null,
  after: null,
  failure: null,
  undo: 'none',
}
const linkOf = (over: Partial<ClusterEvent>) => rowLink({ source: 'cluster', ...event, ...over })
const journalLink = (over: Partial<ActivityRow>) => rowLink({ source: 'journal', ...entry, ...over })

describe('a line of the timeline', () => {
  it('has a phrase for every kind and lane', () => {
    for (const kind of clusterEventKinds) expect(eventPhrases[kind].icon).toMatch(/^i-lucide-/)
    for (const lane of timelineLanes) expect(lanePhrases[lane].label).not.toBe('')
  })

  it('leads to the partition, the topic, the broker or the quorum it speaks of', () => {
    expect(linkOf({})).toMatchObject({ text: 'orders-3', rest: '', to: { name: 'topic-partitions', query: { partition: '3' } } })
    expect(linkOf({ partition: null, topicCount: 12 })).toMatchObject({ text: 'orders', rest: '+11', to: { params: { topic: 'orders' } } })
    expect(linkOf({ kind: 'broker-fenced', topics: [] })).toMatchObject({
      text: 'broker 2',
      to: { name: 'brokers', query: { broker: '2' } },
    })
    expect(linkOf({ kind: 'controller-elected', topics: [], brokerIds: [1001] })).toMatchObject({
      text: 'controller 1001',
      to: { name: 'brokers' },
    })
  })

  it('of the journal leads to its topic, group or broker, and nowhere when that is gone or no name', () => {
    expect(journalLink({}).to).toMatchObject({ name: 'topic-messages', params: { topic: 'orders' } })
    expect(journalLink({ action: 'topic.delete' }).to).toBeNull()
    expect(journalLink({ action: 'node.kill', subject: 'broker 2' }).to).toMatchObject({ name: 'brokers', query: { broker: '2' } })
    expect(journalLink({ action: 'group.reset', subject: 'billing' }).to).toMatchObject({ name: 'group' })
    expect(journalLink({ subject: '<script>' }).to).toBeNull()
    expect(journalLink({ clusterId: null, action: 'settings.change', subject: 'theme' }).to).toBeNull()
  })

  it('of an unclean election is amber, whatever came of it', () => {
    expect(eventTone({ kind: 'partition-online', cause: 'unclean' })).toBe('warn')
    expect(eventTone({ kind: 'partition-online', cause: null })).toBe('ok')
    const row: TimelineRow = { source: 'cluster', ...event }
    expect(rowIcon(row)).toBe(eventPhrases['leader-changed'].icon)
  })
})

describe('partitions that ail', () => {
  const counts = { offline: 1, underReplicated: 30, belowMinIsr: 4, atMinIsr: 20 } as OverviewCounts
  const topic = (name: string, of: Partial<AffectedTopic['counts']>): AffectedTopic => ({
    topic: name,
    ailment: 'offline',
    counts: { offline: 0, 'below-min-isr': 0, 'at-min-isr': 0, 'under-replicated': 0, ...of },
    partitions: [{ partition: 7, ailment: 'offline', lastLeader: 1 }],
    minInSyncReplicas: 2,
  })

  it('are told worst first, each counted once, red before amber', () => {
    const rows = ailmentRows(counts, [topic('a', { offline: 1, 'at-min-isr': 2 }), topic('b', { 'at-min-isr': 18 })], 2)
    expect(rows.map(({ ailment, count, tone }) => [ailment, count, tone])).toEqual([
      ['offline', 1, 'bad'],
      ['below-min-isr', 4, 'bad'],
      ['at-min-isr', 20, 'warn'],
      ['under-replicated', 6, 'warn'],
    ])
    expect(rows[2]?.topics.map(({ topic: name }) => name)).toEqual(['b', 'a'])
    expect(rows[0]?.hasMore).toBe(false)
    expect(ailmentRows({ ...counts, offline: 0, underReplicated: 0, belowMinIsr: 0, atMinIsr: 0 }, [], 0)).toEqual([])
  })

  it('are named by partition where there is one, and say when not all are named', () => {
    const [offline] = ailmentRows(counts, [topic('a', { offline: 1 })], 30)
    expect(offline?.hasMore).toBe(true)
    expect(offline?.topics.map(affectedText)).toEqual([{ name: 'a', rest: '-7' }])
    expect(affectedText({ topic: 'b', count: 1_200, partition: 0 })).toEqual({ name: 'b', rest: ' (1,200)' })
  })
})

describe("a broker's replicas", () => {
  it('lead, follow or lag while it is up, and are all offline with it', () => {
    const broker = { leaderCount: 10, replicaCount: 30, inSyncReplicaCount: 28 }
    expect(replicaShare(broker, true)).toMatchObject({ leads: 10, follows: 18, behind: 2, behindWord: 'behind', tone: 'warn' })
    expect(replicaShare(broker, false)).toMatchObject({ leads: 0, follows: 0, behind: 30, behindWord: 'offline', tone: 'bad' })
    const { segments } = replicaShare(broker, true)
    expect(segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  })
})
