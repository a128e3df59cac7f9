import { describe, expect, it } from 'vitest'
import { paletteGroups, splitTopic, type Intent, type PaletteContext } from '../../../renderer/lib/palette.ts'

const context: PaletteContext = {
  clusterId: 'local',
  isReadOnly: false,
  isEmbedded: true,
  topics: ['trucks_gps', 'orders', 'payments'],
  brokers: [
    { id: 1, running: true },
    { id: 2, running: false },
  ],
  brokerIds: [1, 2],
  worstLag: { groupId: 'location-dashboard', topic: 'trucks_gps', partition: 3, lag: 1284, leader: 1 },
  sampleRunning: true,
  bootstrap: '127.0.0.1:9092',
  hits: [{ kind: 'topic', clusterId: 'local', clusterName: 'local', name: 'orders', hint: '6 partitions' }],
}

/** What Enter does. */
function first(text: string, over: Partial<PaletteContext> = {}): Intent | undefined {
  return paletteGroups(text, { ...context, ...over })[0]?.entries[0]?.intent
}

function intents(text: string, over: Partial<PaletteContext> = {}): Intent[] {
  return paletteGroups(text, { ...context, ...over }).flatMap((group) => group.entries.map((entry) => entry.intent))
}

describe('the palette', () => {
  it('a record key that names nothing else is looked for in the likeliest topic', () => {
    expect(first('truck_42')).toEqual({ kind: 'find-key', topic: 'trucks_gps', key: 'truck_42' })
  })

  it('a key in a named topic is looked for there', () => {
    expect(first('o-17 in orders')).toEqual({ kind: 'find-key', topic: 'orders', key: 'o-17' })
  })

  it('a tombstone for a key is one sentence', () => {
    expect(first('tombstone truck_42 in trucks_gps')).toEqual({ kind: 'produce', topic: 'trucks_gps', tombstone: true, key: 'truck_42' })
    expect(first('send tombstone to orders')).toEqual({ kind: 'produce', topic: 'orders', tombstone: true, key: '' })
    expect(first('send a tombstone truck_42')).toEqual({ kind: 'produce', topic: 'trucks_gps', tombstone: true, key: 'truck_42' })
  })

  it('the most lagging partition is named, and its leader can be killed', () => {
    expect(first('most lagging')).toEqual({ kind: 'lagging-partition' })
    expect(first('kill leader')).toEqual({ kind: 'node', action: 'kill', nodeId: 1 })
  })

  it('the most lagging partition keeps its number however long its topic is', () => {
    const lag = { groupId: 'g', topic: 't'.repeat(249), partition: 17, lag: 1, leader: 1 }
    const entry = paletteGroups('', { ...context, worstLag: lag })[0]?.entries[0]
    expect(entry?.labelEnd).toBe('-17')
    expect(entry?.label.endsWith(`${lag.topic}-17`)).toBe(true)
  })

  it('a leader whose process is gone is not offered to be killed again', () => {
    const lag = { groupId: 'location-dashboard', topic: 'trucks_gps', partition: 3, lag: 1284, leader: 2 }
    expect(intents('', { worstLag: lag })).not.toContainEqual({ kind: 'node', action: 'kill', nodeId: 2 })
  })

  it('the address is copied', () => {
    expect(first('copy')).toEqual({ kind: 'copy-address' })
  })

  it('a topic by name comes before looking for its name as a key', () => {
    expect(first('orders')).toEqual({ kind: 'topic', clusterId: 'local', topic: 'orders' })
  })

  it('a stopped broker can be started, not killed', () => {
    const nodes = intents('broker 2').filter((intent) => intent.kind === 'node')
    expect(nodes).toContainEqual({ kind: 'node', action: 'start', nodeId: 2 })
    expect(nodes).not.toContainEqual({ kind: 'node', action: 'kill', nodeId: 2 })
  })

  it('records of a named topic are deleted by a sentence', () => {
    expect(first('delete records of orders')).toEqual({ kind: 'delete-records', topic: 'orders' })
    expect(first('purge records pay')).toEqual({ kind: 'delete-records', topic: 'payments' })
    expect(first('delete records')).toEqual({ kind: 'delete-records', topic: 'trucks_gps' })
    expect(intents('delete records of orders', { isReadOnly: true })).not.toContainEqual({ kind: 'delete-records', topic: 'orders' })
  })

  it('leaders and replicas are moved by what they are called', () => {
    expect(first('rebalance leaders')).toEqual({ kind: 'elect-leaders', topic: null })
    expect(first('elect preferred leaders of')).toEqual({ kind: 'elect-leaders', topic: 'trucks_gps' })
    expect(first('reassign')).toEqual({ kind: 'reassign', topic: 'trucks_gps' })
    expect(first('reassign orders')).toEqual({ kind: 'reassign', topic: 'orders' })
    expect(first('elect preferred leaders of orders')).toEqual({ kind: 'elect-leaders', topic: 'orders' })
    expect(first('move everything off broker 2')).toEqual({ kind: 'empty-broker', brokerId: 2 })
    expect(intents('move everything', { brokerIds: [1] })).not.toContainEqual({ kind: 'empty-broker', brokerId: 1 })
  })

  it('a read-only cluster offers no change', () => {
    const changes = ['', 'kill', 'create', 'tombstone truck_42', 'sample', 'rebalance', 'reassign', 'move everything'].flatMap((text) =>
      intents(text, { isReadOnly: true }),
    )
    expect(
      changes.filter((intent) =>
        [
          'produce',
          'node',
          'create-topic',
          'sample-start',
          'sample-stop',
          'delete-records',
          'elect-leaders',
          'reassign',
          'empty-broker',
        ].includes(intent.kind),
      ),
    ).toEqual([])
  })

  it('without a cluster only what needs none is offered', () => {
    const kinds = new Set(
      intents('', { clusterId: null, bootstrap: '', worstLag: null, hits: [], brokers: [] }).map((intent) => intent.kind),
    )
    expect(kinds.has('create-topic')).toBe(false)
    expect(kinds.has('add-connection')).toBe(true)
  })

  it('a topic is split off only where one is named', () => {
    expect(splitTopic('a b c', context.topics)).toEqual({ subject: 'a b c', topic: null })
    expect(splitTopic('payments', context.topics)).toEqual({ subject: '', topic: 'payments' })
  })
})
