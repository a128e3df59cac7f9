import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Histogram, MessageRow } from '../../../broker/contract/messages.ts'
import { bytesFromHex, hexLine, hexLineCount } from '../../../renderer/lib/hex.ts'
import { marksOf, matcherOf, piecesOf } from '../../../renderer/lib/highlight.ts'
import { barAt, brushedRange, histogramBars } from '../../../renderer/lib/histogram-bars.ts'
import { kcatReadCommand, shellQuote } from '../../../renderer/lib/kcat.ts'
import { createTailBuffer } from '../../../renderer/lib/tail-buffer.ts'

const textOf = (pieces: readonly { text: string }[]): string => pieces.map(({ text }) => text).join('')

describe('highlighting what was searched for', () => {
  it('loses no letter of the text, whatever is searched for', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.boolean(),
        (text, needle, caseSensitive) => {
          expect(textOf(piecesOf(text, matcherOf(needle, caseSensitive)))).toBe(text)
        },
      ),
    )
  })
  it('marks every place, letters alike in both cases unless case matters', () => {
    const marked = (caseSensitive: boolean) =>
      piecesOf('Truck_42, truck_42', matcherOf('truck_42', caseSensitive)).filter((piece) => piece.isMatch)
    expect(marked(false).map(({ text }) => text)).toEqual(['Truck_42', 'truck_42'])
    expect(marked(true)).toHaveLength(1)
  })
  it('takes signs of patterns for what they are', () => {
    expect(piecesOf('a.b axb (a|b)', matcherOf('a.b', true)).filter((piece) => piece.isMatch)).toEqual([{ text: 'a.b', isMatch: true }])
    expect(piecesOf('(a|b)', matcherOf('(a|b)', true))).toEqual([{ text: '(a|b)', isMatch: true }])
  })
})

describe('what is marked', () => {
  it('is only what was searched', () => {
    const matcher = matcherOf('a', false)
    expect(marksOf(matcher, undefined)).toEqual({ key: matcher, value: matcher, headers: matcher })
    expect(marksOf(matcher, ['key'])).toEqual({ key: matcher, value: null, headers: null })
  })
})

const histogram: Histogram = {
  fromMs: 1_000,
  toMs: 5_000,
  buckets: [10, 0, 40, 20].map((recordCount, index) => ({
    fromMs: 1_000 + index * 1_000,
    toMs: 2_000 + index * 1_000,
    recordCount,
    matchedCount: index === 2 ? 1 : 0,
  })),
}

describe('the time histogram', () => {
  const bars = histogramBars(histogram, { width: 400, height: 40 })
  it('gives the fullest bar the whole height, and never hides a single match', () => {
    expect(bars.map(({ all }) => all)).toEqual([10, 0, 40, 20])
    expect(bars[2]?.matched).toBeGreaterThanOrEqual(2)
  })
  it('believes what was found rather than a sparse index', () => {
    const sparse = {
      fromMs: 0,
      toMs: 2,
      buckets: [0, 1].map((fromMs) => ({
        fromMs,
        toMs: fromMs + 1,
        recordCount: fromMs === 0 ? 1 : 10,
        matchedCount: fromMs === 0 ? 20 : 5,
      })),
    }
    expect(histogramBars(sparse, { width: 2, height: 40 }).map(({ all, matched }) => [all, matched])).toEqual([
      [40, 40],
      [20, 10],
    ])
  })
  it('selects whole bars, in either direction', () => {
    expect(brushedRange(bars, 150, 250, 400)).toEqual({ fromMs: 2_000, toMs: 4_000 })
    expect(brushedRange(bars, 250, 150, 400)).toEqual({ fromMs: 2_000, toMs: 4_000 })
    expect(brushedRange(bars, -40, 900, 400)).toEqual({ fromMs: 1_000, toMs: 5_000 })
  })
  it('has nothing to select while it is empty', () => {
    expect(brushedRange([], 0, 10, 400)).toBeNull()
    expect(barAt([], 5, 400)).toBeNull()
  })
  it('a selected range never ends before it begins', () => {
    const point = histogramBars(
      { fromMs: 5, toMs: 5, buckets: [{ fromMs: 5, toMs: 5, recordCount: 1, matchedCount: 1 }] },
      { width: 100, height: 10 },
    )
    expect(brushedRange(point, 3, 3, 100)).toEqual({ fromMs: 5, toMs: 6 })
  })
})

const rowAt = (partition: number, offset: number): MessageRow => ({
  index: offset,
  partition,
  offset,
  timestampMs: offset,
  timestampType: 'create',
  key: null,
  value: null,
  keyBytes: 0,
  valueBytes: 0,
  headerCount: 0,
})
const rows = (from: number, count: number): MessageRow[] => Array.from({ length: count }, (_unused, place) => rowAt(0, from + place))

describe('the live tail', () => {
  it('shows the newest first and forgets the oldest beyond its bound', () => {
    const buffer = createTailBuffer(3)
    buffer.take(rows(0, 5))
    expect([0, 1, 2, 3].map((index) => buffer.rowAt(index)?.offset)).toEqual([4, 3, 2, undefined])
  })
  it('held, stays as it was and counts what came since; released, catches up', () => {
    const buffer = createTailBuffer(3)
    buffer.take(rows(0, 2))
    buffer.hold()
    buffer.take(rows(2, 100))
    expect([buffer.length, buffer.rowAt(0)?.offset, buffer.newerCount]).toEqual([2, 1, 100])
    buffer.release()
    expect([buffer.length, buffer.rowAt(0)?.offset, buffer.newerCount]).toEqual([3, 101, 0])
  })
  it('opened again, takes no record twice', () => {
    const buffer = createTailBuffer(10)
    buffer.take([...rows(0, 4), rowAt(1, 0)])
    buffer.take([...rows(2, 4), rowAt(1, 0), rowAt(1, 1)])
    expect(
      Array.from({ length: buffer.length }, (_unused, index) => buffer.rowAt(index)).map((row) => `${row?.partition}:${row?.offset}`),
    ).toEqual(['1:1', '0:5', '0:4', '1:0', '0:3', '0:2', '0:1', '0:0'])
  })
})

describe('bytes as hex', () => {
  it('say where in the whole they lie', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_unused, index) => index)
    expect(hexLineCount(bytes)).toBe(2)
    expect(hexLine(bytes, 1, 0x1000)).toMatchObject({ position: '00001010', text: '····' })
  })
  it('stay aligned in lines of eight', () => {
    const lines = [0, 1].map((line) =>
      hexLine(
        Uint8Array.from({ length: 10 }, (_unused, index) => index),
        line,
        0,
        8,
      ),
    )
    expect(lines.map(({ position, text }) => [position, text.length])).toEqual([
      ['00000000', 8],
      ['00000008', 2],
    ])
    expect(lines[0]?.hex.length).toBe(lines[1]?.hex.length)
  })
  it('are read from pairs of digits, blanks allowed, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(bytesFromHex(Buffer.from(bytes).toString('hex'))).toEqual(bytes)
      }),
    )
    expect(bytesFromHex('de AD\nbe ef')).toEqual(Uint8Array.of(0xde, 0xad, 0xbe, 0xef))
    for (const text of ['a', 'xy', '0x00']) expect(bytesFromHex(text)).toBeNull()
  })
})

describe('a record as a command', () => {
  it('names exactly that record', () => {
    expect(kcatReadCommand({ bootstrap: '127.0.0.1:9092', topic: 'orders', partition: 3, offset: 120 })).toMatch(
      /^kcat -b 127\.0\.0\.1:9092 -C -t orders -p 3 -o 120 -c 1 -e -f '/,
    )
  })
  it('lets no text out of its quotes', () => {
    expect(shellQuote("it's; rm -rf /")).toBe(String.raw`'it'\''s; rm -rf /'`)
    expect(shellQuote('$(id)')).toBe("'$(id)'")
  })
})
