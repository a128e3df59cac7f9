import { describe, expect, it } from 'vitest'
import type { ClusterView } from '../../../broker/contract/clusters.ts'
import { moveSelection } from '../../../renderer/components/grid/selection.ts'
import { changedFields } from '../../../renderer/lib/activity-phrases.ts'
import { brokerStanding } from '../../../renderer/lib/broker-rows.ts'
import { clusterLayout } from '../../../renderer/lib/cluster-layout.ts'
import { changeBlocker } from '../../../renderer/lib/cluster-state.ts'
import { hexLine } from '../../../renderer/lib/hex.ts'
import { windowAround } from '../../../renderer/lib/row-window.ts'
import { settingInWords } from '../../../renderer/lib/setting-value.ts'
import { matchShortcut } from '../../../renderer/lib/shortcuts.ts'
import { snippets } from '../../../renderer/lib/snippets.ts'
import { settingsOf, topicForm } from '../../../renderer/lib/topic-form.ts'

const press = (key: string, over: Partial<KeyboardEvent> = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...over })

describe('moving in a grid', () => {
  const grid = { count: 100, pageRows: 20 }
  it('stops at both ends', () => {
    expect(moveSelection(press('ArrowDown'), 99, grid)).toBe(99)
    expect(moveSelection(press('k'), 0, grid)).toBe(0)
    expect(moveSelection(press('PageDown'), 95, grid)).toBe(99)
    expect(moveSelection(press('End'), -1, grid)).toBe(99)
  })
  it('the first arrow selects the first row', () => {
    expect(moveSelection(press('ArrowDown'), -1, grid)).toBe(0)
  })
  it('leaves shortcuts and empty grids alone', () => {
    expect(moveSelection(press('k', { ctrlKey: true }), 5, grid)).toBeNull()
    expect(moveSelection(press('ArrowDown'), -1, { count: 0, pageRows: 20 })).toBeNull()
  })
})

describe('the window of rows to follow', () => {
  it('stays while the rows in sight are inside it', () => {
    expect(windowAround(10, 40, { from: 0, count: 100 }, 500)).toBeNull()
  })
  it('moves with room on both sides, within what one call may return', () => {
    const next = windowAround(5_000, 5_030, { from: 0, count: 100 }, 500)
    expect(next?.from).toBeLessThanOrEqual(4_940)
    expect((next?.from ?? 0) + (next?.count ?? 0)).toBeGreaterThan(5_030)
    expect(windowAround(0, 5_000, { from: 900, count: 100 }, 500)?.count).toBe(500)
  })
})

describe('what changes a cluster', () => {
  const cluster = (over: Partial<ClusterView> = {}): ClusterView => ({
    id: 'c1',
    name: 'local',
    kind: 'embedded',
    bootstrapServers: ['127.0.0.1:9092'],
    readOnly: false,
    state: { status: 'connected', sinceMs: 0 } as ClusterView['state'],
    kafkaClusterId: null,
    brokerCount: 3,
    ...over,
  })
  const unreachable = { status: 'unreachable', message: 'No broker of local is running.' } as ClusterView['state']

  it('is offered while the cluster answers and may be changed', () => {
    expect(changeBlocker(false, cluster())).toBeNull()
  })
  it('is not offered when it could only fail, and says why', () => {
    expect(changeBlocker(false, null)).toMatch('no cluster')
    expect(changeBlocker(false, cluster({ readOnly: true }))).toMatch('read-only')
    expect(changeBlocker(false, cluster({ state: unreachable }))).toBe('No broker of local is running.')
  })
  it('waits for the host before anything else: what is known of the cluster may be old', () => {
    expect(changeBlocker(true, cluster({ readOnly: true, state: unreachable }))).toMatch('host')
  })
})

describe('a broker', () => {
  it('counts as dead as soon as its process is, whatever the cluster still believes', () => {
    expect(brokerStanding('crashed', true)).toEqual({ tone: 'bad', label: 'Dead' })
  })
  it('that a signal ended is dead, whoever sent it; stopped cleanly it is at rest', () => {
    expect(brokerStanding('stopped', true, 'SIGKILL')).toEqual({ tone: 'bad', label: 'Dead' })
    expect(brokerStanding('stopped', false, null)).toEqual({ tone: 'idle', label: 'Stopped' })
  })
  it('is joining while its process runs and the cluster has not let it in', () => {
    expect(brokerStanding('running', false).label).toBe('Joining')
  })
  it('of a remote cluster is what the metadata says', () => {
    expect(brokerStanding(null, true).label).toBe('Alive')
    expect(brokerStanding(null, false).label).toBe('Dead')
  })
})

describe('the drawing of a cluster', () => {
  it('keeps every box inside the width, however many brokers there are', () => {
    for (const count of [0, 1, 3, 9, 40]) {
      const ids = Array.from({ length: count }, (_unused, index) => index + 1)
      const layout = clusterLayout(680, [1001, 1002, 1003], ids)
      expect(layout.brokers).toHaveLength(count)
      for (const box of [...layout.brokers, ...layout.controllers]) {
        expect(box.x).toBeGreaterThanOrEqual(0)
        expect(box.x + box.width).toBeLessThanOrEqual(680)
        expect(box.y + box.height).toBeLessThanOrEqual(layout.height)
      }
    }
  })
})

describe('shortcuts', () => {
  it('g begins a sequence, g t ends one, anything else is none', () => {
    expect(matchShortcut(['g'])).toBe('prefix')
    expect(matchShortcut(['g', 't'])).toMatchObject({ intent: { kind: 'go', place: 'topics' } })
    expect(matchShortcut(['g', 'x'])).toBeNull()
    expect(matchShortcut(['↑'])).toBeNull()
  })
})

describe('small words', () => {
  it('settings are said in words when their number says little', () => {
    expect(settingInWords('604800000', 'ms')).toBe('7 d')
    expect(settingInWords('268435456', 'bytes')).toBe('256 MiB')
    expect(settingInWords('-1', 'ms')).toBe('no limit')
    expect(settingInWords('-1', null)).toBeNull()
    expect(settingInWords('9223372036854775807', 'count')).toBe('practically never')
    expect(settingInWords('delete', null)).toBeNull()
  })
  it('a new topic sends only what differs from the default', () => {
    expect(settingsOf(topicForm())).toEqual({})
    expect(settingsOf({ ...topicForm(), cleanup: 'compact', retention: '3600000' })).toEqual({ 'cleanup.policy': 'compact' })
  })
  it('what changed is named field by field', () => {
    expect(changedFields('{"a":"1","b":2}', '{"a":"1","b":3,"c":true}')).toEqual([
      { name: 'b', before: '2', after: '3' },
      { name: 'c', before: null, after: 'true' },
    ])
    expect(changedFields('x', 'y')).toEqual([{ name: '', before: 'x', after: 'y' }])
  })
  it('every snippet carries the address or says why it is another', () => {
    for (const snippet of snippets) expect(snippet.code('10.0.0.1:9092', 'orders')).toContain('10.0.0.1:9092')
  })
  it('hex lines align, a short last one too', () => {
    const bytes = Uint8Array.from({ length: 18 }, (_unused, index) => index + 0x40)
    const lines = [0, 1].map((line) => hexLine(bytes, line))
    expect(lines.map((line) => line.position)).toEqual(['00000000', '00000010'])
    expect(lines[0]?.hex).toHaveLength(lines[1]?.hex.length ?? 0)
    expect(lines[1]?.text).toBe('PQ')
  })
})
