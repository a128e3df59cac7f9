import { describe, expect, it } from 'vitest'
import { confirmedOffsets, readDeleteRecords, type DeleteRecordsForm } from '../../../renderer/lib/delete-records.ts'

const NOW_MS = 1_800_000_000_000
const empty: DeleteRecordsForm = { kind: 'end', partitions: '', time: '', offsets: {} }
const read = (form: Partial<DeleteRecordsForm>) => readDeleteRecords({ ...empty, ...form }, NOW_MS)

describe('what records to delete, as it is typed', () => {
  it('is everything in all partitions when nothing is said', () => {
    expect(read({})).toEqual({ partitions: null, target: { to: 'end' } })
  })

  it('may be a span back from now in some partitions', () => {
    expect(read({ kind: 'time', time: '2h', partitions: '0, 2-3' })).toEqual({
      partitions: [0, 2, 3],
      target: { to: 'time', timestampMs: NOW_MS - 7_200_000 },
    })
  })

  it('may be an offset for each partition; an empty one and one of a partition not chosen are left out', () => {
    const offsets = { 0: '15', 1: ' ', 2: '7' }
    expect(read({ kind: 'offsets', offsets, partitions: '0, 1' })).toEqual({
      partitions: [0, 1],
      target: { to: 'offsets', offsets: [{ partition: 0, beforeOffset: 15 }] },
    })
  })

  it('is refused with what is wrong', () => {
    expect(read({ kind: 'time', time: 'soon' })).toEqual({ mistake: expect.stringContaining('Give a time') })
    expect(read({ kind: 'offsets', offsets: { 3: '-1' } })).toEqual({ mistake: 'The offset for partition 3 is not a whole number.' })
    expect(read({ partitions: 'x' })).toEqual({ mistake: expect.stringContaining('Give partitions') })
  })

  it('is confirmed as the offsets that were shown, without partitions that keep everything', () => {
    const row = { logStartOffset: 0, highWatermark: 40, note: null }
    const rows = [
      { ...row, partition: 0, newLogStartOffset: 40, deletedCount: 40 },
      { ...row, partition: 1, newLogStartOffset: 0, deletedCount: 0 },
    ]
    const preview = { topic: 'orders', rows, unavailable: [], deletedCount: 40, isUpperBound: false, blocker: null, consequences: [] }
    expect(confirmedOffsets(preview)).toEqual([{ partition: 0, beforeOffset: 40 }])
  })
})
