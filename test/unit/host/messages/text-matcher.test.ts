import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eachMatch } from '../../../../broker/host/messages/record-block.ts'
import { compileText } from '../../../../broker/host/messages/text-matcher.ts'
import { encodeBatch, readBatchHeader } from '../../../../broker/wire/record-batch.ts'

const everywhere = ['key', 'value', 'headers'] as const

interface TestRecord {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly { readonly key: string; readonly value: string | null }[]
}

function offsetsMatching(
  records: readonly TestRecord[],
  text: { contains: string; in: ('key' | 'value' | 'headers')[]; caseSensitive: boolean },
): number[] {
  const bytes = (value: string | null): Buffer | null => (value === null ? null : Buffer.from(value))
  const batch = encodeBatch({
    compression: 0,
    records: records.map(({ key, value, headers }) => ({
      timestampMs: 0,
      key: bytes(key),
      value: bytes(value),
      headers: headers.map((header) => ({ key: header.key, value: bytes(header.value) })),
    })),
  })
  const found: number[] = []
  eachMatch(batch, 0, readBatchHeader(batch, 0), compileText(text), (record) => found.push(record.offset))
  return found
}

describe('text search', () => {
  const record = (value: string | null, key: string | null = null): TestRecord => ({ key, value, headers: [] })

  test('finds each matching record once, however often the text occurs in it', () => {
    expect(offsetsMatching([record('aa aa'), record('b'), record('aa')], { contains: 'aa', in: ['value'], caseSensitive: true })).toEqual([
      0, 2,
    ])
  })

  test('looks only into the fields asked for', () => {
    const records = [record('x', 'needle'), record('needle', 'x'), { key: null, value: null, headers: [{ key: 'h', value: 'needle' }] }]
    expect(offsetsMatching(records, { contains: 'needle', in: ['key'], caseSensitive: true })).toEqual([0])
    expect(offsetsMatching(records, { contains: 'needle', in: ['value'], caseSensitive: true })).toEqual([1])
    expect(offsetsMatching(records, { contains: 'needle', in: ['headers'], caseSensitive: true })).toEqual([2])
  })

  test('is not fooled by text that spans two fields', () => {
    const length = String.fromCharCode(4)
    expect(
      offsetsMatching([{ key: 'ab', value: 'cd', headers: [] }], { contains: `ab${length}cd`, in: [...everywhere], caseSensitive: true }),
    ).toEqual([])
  })

  test('ignores case beyond ASCII, where forms differ in length too', () => {
    const records = [record('STRASSE Ünter ÉTÉ'), record('été'), record('ÉTE')]
    expect(offsetsMatching(records, { contains: 'été', in: ['value'], caseSensitive: false })).toEqual([0, 1])
    expect(offsetsMatching([record('ⱥ'), record('Ⱥ')], { contains: 'Ⱥ', in: ['value'], caseSensitive: false })).toEqual([0, 1])
  })

  test('takes characters that mean something in a regular expression as they are', () => {
    expect(
      offsetsMatching([record('a.b'), record('axb'), record('(A.B)')], { contains: 'a.b', in: ['value'], caseSensitive: false }),
    ).toEqual([0, 2])
  })

  test('finds exactly what looking into every field of every record finds', () => {
    const letters = fc.constantFrom('a', 'b', 'A', 'é', 'É', '.', '\u0002', '\u0000')
    const field = fc.option(fc.string({ unit: letters, maxLength: 6 }))
    const anyRecord = fc.record({
      key: field,
      value: field,
      headers: fc.array(fc.record({ key: fc.string({ unit: letters, maxLength: 3 }), value: field }), { maxLength: 2 }),
    })
    const anyText = fc.record({
      contains: fc.string({ unit: letters, minLength: 1, maxLength: 3 }),
      in: fc.subarray([...everywhere], { minLength: 1 }),
      caseSensitive: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 12 }), anyText, (records, text) => {
        const fold = (value: string): string => (text.caseSensitive ? value : value.toLowerCase())
        const has = (value: string | null): boolean => value !== null && fold(value).includes(fold(text.contains))
        const expected = records.flatMap((candidate, offset) => {
          const inHeaders = candidate.headers.some((header) => has(header.key) || has(header.value))
          const isFound =
            (text.in.includes('key') && has(candidate.key)) ||
            (text.in.includes('value') && has(candidate.value)) ||
            (text.in.includes('headers') && inHeaders)
          return isFound ? [offset] : []
        })
        expect(offsetsMatching(records, text)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })
})
