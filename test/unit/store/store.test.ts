import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { repeatAfterMs } from '../../../broker/store/history.ts'
import type { NewJournalEntry } from '../../../broker/store/journal.ts'
import { openStore, type Store } from '../../../broker/store/store.ts'

let store: Store
beforeEach(() => {
  store = openStore(':memory:')
})
afterEach(() => store.close())

const entry: NewJournalEntry = {
  atMs: 1,
  clusterId: 'c',
  kind: 'change',
  actor: 'me',
  action: 'topic.create',
  subject: 'orders',
  summary: 'Created topic orders.',
  before: null,
  after: '{}',
  inverse: null,
  failure: null,
}

describe('connections', () => {
  const remote = { id: 'r', name: 'Remote', kind: 'remote', bootstrapServers: ['a:1', 'b:2'], readOnly: true, createdMs: 5 } as const

  test('come back as they were saved, and a second save replaces', () => {
    store.connections.save(remote)
    store.connections.save({ ...remote, name: 'Other', readOnly: false })
    expect(store.connections.list()).toEqual([{ ...remote, name: 'Other', readOnly: false }])
  })

  test('two of one name, whatever the case, are refused', () => {
    store.connections.save(remote)
    expect(() => store.connections.save({ ...remote, id: 's', name: 'REMOTE' })).toThrow(/UNIQUE/)
  })
})

describe('a file', () => {
  test('keeps what was written when opened again', () => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-store-'))
    try {
      const path = join(directory, 'profile', 'weir.sqlite')
      const first = openStore(path)
      first.settings.set({ theme: 'dark', messageRowsMax: 500 })
      first.close()
      const second = openStore(path)
      expect(second.settings.all()).toEqual({ theme: 'dark', messageRowsMax: 500 })
      second.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('journal', () => {
  test('lists newest first, by cluster, kind and text', () => {
    store.journal.append(entry)
    store.journal.append({ ...entry, clusterId: 'd', subject: 'Payments' })
    store.journal.append({ ...entry, kind: 'event', subject: 'broker 1' })
    const all = { clusterId: null, kind: null, filter: '', from: 0, count: 10 }
    expect(store.journal.list(all).rows.map((row) => row.subject)).toEqual(['broker 1', 'Payments', 'orders'])
    expect(store.journal.list({ ...all, clusterId: 'c' }).total).toBe(2)
    expect(store.journal.list({ ...all, kind: 'event' }).rows).toHaveLength(1)
    expect(store.journal.list({ ...all, filter: 'PAYM' })).toMatchObject({ total: 1, totalUnfiltered: 3 })
    expect(store.journal.list({ ...all, from: 1, count: 1 }).rows[0]?.subject).toBe('Payments')
  })

  test('an entry is undone once', () => {
    const first = store.journal.append(entry)
    const second = store.journal.append(entry)
    expect(store.journal.markUndone(first.id, second.id)).toBe(true)
    expect(store.journal.markUndone(first.id, second.id)).toBe(false)
    expect(store.journal.get(first.id)?.undoneBy).toBe(second.id)
  })
})

describe('saved filters', () => {
  test('are kept by scope and replaced by name', () => {
    store.filters.save({ scope: 'messages', name: 'a', content: '1', savedMs: 1 })
    const again = store.filters.save({ scope: 'messages', name: 'a', content: '2', savedMs: 2 })
    store.filters.save({ scope: 'topics', name: 'a', content: '3', savedMs: 3 })
    expect(store.filters.list('messages')).toEqual([again])
    expect(store.filters.remove(again.id)).toBe(true)
    expect(store.filters.remove(again.id)).toBe(false)
  })
})

describe('history', () => {
  const hourMs = 3_600_000
  const start = 1_000 * hourMs
  const ask = { clusterId: 'c', metric: 'lag', subject: 'g', fromMs: start, toMs: start + 60_000, pointsMax: 100 }

  test('gives back samples at the finest resolution for a short span', () => {
    for (let at = 0; at <= 60_000; at += 5_000) store.history.record('c', start + at, [{ metric: 'lag', subject: 'g', value: at }])
    const { points, resolutionMs } = store.history.read(ask)
    expect(resolutionMs).toBe(5_000)
    expect(points).toHaveLength(13)
    expect(points[3]).toEqual([start + 15_000, 15_000])
  })

  test('an unchanged value holds, and a silence is a gap', () => {
    store.history.record('c', start, [{ metric: 'lag', subject: 'g', value: 3 }])
    store.history.record('c', start + 5_000, [{ metric: 'lag', subject: 'g', value: 3 }])
    const { points } = store.history.read({ ...ask, toMs: start + 4 * repeatAfterMs })
    expect(points[2]?.[1]).toBe(3)
    expect(points.at(-1)?.[1]).toBeNull()
  })

  test('a long span is down-sampled to the points asked for', () => {
    for (let minute = 0; minute < 180; minute += 1) {
      store.history.record('c', start + minute * 60_000, [{ metric: 'lag', subject: 'g', value: minute }])
    }
    const { points, resolutionMs } = store.history.read({ ...ask, toMs: start + 3 * hourMs, pointsMax: 90 })
    expect(resolutionMs).toBe(120_000)
    expect(points.length).toBeLessThanOrEqual(91)
    expect(points[10]).toEqual([start + 20 * 60_000, 20])
  })

  test('what is too old for its level is pruned, coarser levels stay', () => {
    store.history.record('c', start, [{ metric: 'lag', subject: 'g', value: 9 }])
    store.history.prune(start + 3 * hourMs)
    expect(store.history.read(ask).points.every(([, value]) => value === null)).toBe(true)
    const wide = store.history.read({ ...ask, fromMs: start - 10 * hourMs, toMs: start + hourMs, pointsMax: 1_000 })
    expect(wide.points.some(([, value]) => value === 9)).toBe(true)
  })

  test('a forgotten cluster leaves no series', () => {
    store.history.record('c', start, [{ metric: 'lag', subject: 'g', value: 9 }])
    store.history.forgetCluster('c')
    expect(store.history.read(ask).points).toEqual([])
  })
})
