import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionListText, readPartitionList } from '../../../renderer/lib/partition-list.ts'
import { draftProblems, emptyDraft, jsonHint, toRecordInput } from '../../../renderer/lib/produce-draft.ts'
import { readStart, startChoices, startText } from '../../../renderer/lib/start-text.ts'
import { setDisplayZone } from '../../../renderer/lib/time.ts'

const place = { clusterId: 'local', topic: 'orders' }

describe('a record as it is typed', () => {
  it('tells null from empty', () => {
    expect(toRecordInput({ ...emptyDraft(), keyKind: 'none', key: 'left over' }, place)).toMatchObject({ key: null, value: { text: '' } })
    expect(toRecordInput({ ...emptyDraft(), key: '', isTombstone: true, value: 'left over' }, place)).toMatchObject({
      key: { text: '' },
      value: null,
    })
  })
  it('leaves out header lines nobody filled in, and keeps null ones', () => {
    const headers = [
      { key: '', value: '', kind: 'text' as const },
      { key: 'trace', value: '', kind: 'null' as const },
      { key: 'id', value: '00ff', kind: 'hex' as const },
    ]
    expect(toRecordInput({ ...emptyDraft(), headers }, place).headers).toEqual([
      { key: 'trace', value: null },
      { key: 'id', value: { encoding: 'hex', text: '00ff' } },
    ])
  })
  it('is refused when its hex is none, or a tombstone has no key', () => {
    expect(draftProblems(emptyDraft())).toEqual([])
    expect(draftProblems({ ...emptyDraft(), valueKind: 'hex', value: 'zz' })).toMatchObject([{ field: 'value' }])
    expect(draftProblems({ ...emptyDraft(), valueKind: 'hex', value: 'zz', isTombstone: true })).toEqual([])
    expect(draftProblems({ ...emptyDraft(), keyKind: 'none', isTombstone: true })).toMatchObject([{ field: 'key' }])
  })
  it('that is not JSON after all is only hinted at', () => {
    expect(jsonHint('json', '{"a":1}')).toBeNull()
    expect(jsonHint('json', '')).toBeNull()
    expect(jsonHint('text', '{')).toBeNull()
    expect(jsonHint('json', '{')).toContain('Line 1, column 2')
  })
})

describe('partitions as they are typed', () => {
  it('are read back as they are written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 40 }), (partitions) => {
        expect(readPartitionList(partitionListText(partitions), null)).toEqual({ partitions: [...partitions].sort((a, b) => a - b) })
      }),
    )
  })
  it('nothing and all of them mean the same', () => {
    expect(readPartitionList('', 3)).toEqual({ partitions: null })
    expect(readPartitionList('all', 3)).toEqual({ partitions: null })
    expect(readPartitionList('0-2', 3)).toEqual({ partitions: null })
    expect(partitionListText([0, 3, 5, 6, 7])).toBe('0, 3, 5-7')
  })
  it('that are not there are refused, without counting to infinity', () => {
    expect(readPartitionList('3', 3)).toEqual({ mistake: 'There are partitions 0 to 2.' })
    expect(readPartitionList('0-999999999', null)).toHaveProperty('mistake')
    expect(readPartitionList('5-1', null)).toHaveProperty('mistake')
    expect(readPartitionList('x', null)).toHaveProperty('mistake')
  })
})

describe('where reading begins', () => {
  const nowMs = Date.UTC(2026, 10, 20, 14, 0, 0)
  setDisplayZone('utc')

  it('is read back as it is written', () => {
    const timestampMs = fc.integer({ min: 0, max: Date.UTC(2100, 0) })
    fc.assert(
      fc.property(timestampMs, fc.integer({ min: 1, max: 1e9 }), (fromMs, spanMs) => {
        const time = { at: 'time' as const, timestampMs: fromMs }
        const range = { at: 'range' as const, fromMs, toMs: fromMs + spanMs }
        expect(readStart('time', startText(time), nowMs)).toEqual({ start: time })
        expect(readStart('range', startText(range), nowMs)).toEqual({ start: range })
      }),
    )
  })
  it('may be a span back from now, and the end of a range only a time of day', () => {
    expect(readStart('time', '15m', nowMs)).toEqual({ start: { at: 'time', timestampMs: nowMs - 900_000 } })
    expect(readStart('range', '2026-11-20 13:00 .. 13:30', nowMs)).toEqual({
      start: { at: 'range', fromMs: nowMs - 3_600_000, toMs: nowMs - 1_800_000 },
    })
    expect(readStart('range', '2h .. now', nowMs)).toEqual({ start: { at: 'range', fromMs: nowMs - 7_200_000, toMs: nowMs } })
    expect(readStart('offset', '41,820', nowMs)).toEqual({ start: { at: 'offset', offset: 41_820 } })
  })
  it('says what is wrong with it', () => {
    for (const [kind, text] of [
      ['offset', '-1'],
      ['offset', '1.5'],
      ['offset', '9007199254740993'],
      ['time', 'soon'],
      ['range', '1h'],
      ['range', '1h .. 2h'],
      ['range', '3h .. 2h .. 1h'],
    ] as const) {
      expect(readStart(kind, text, nowMs), text).toHaveProperty('mistake')
    }
  })
  it('is named by the direction of reading', () => {
    expect(startChoices('newest-first').map(({ label }) => label)).toContain('Up to time')
    expect(startChoices('oldest-first').map(({ label }) => label)).toContain('From time')
  })
})
