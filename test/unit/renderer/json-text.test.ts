import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonProblem, prettyJson } from '../../../renderer/lib/json-text.ts'

describe('JSON for reading', () => {
  it('numbers keep every digit they were stored with', () => {
    const pretty = prettyJson('{"id":9007199254740993,"price":1.10,"tiny":1e-400,"big":12345678901234567890}')
    for (const numeral of ['9007199254740993', '1.10', '1e-400', '12345678901234567890']) expect(pretty).toContain(numeral)
  })

  it('any integer of 64 bits survives', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (id) => prettyJson(`{"id":${id}}`) === `{\n  "id": ${id}\n}`),
    )
  })

  it('is laid out as JSON.stringify would lay it out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 3), (value, indent) => {
        expect(prettyJson(JSON.stringify(value, null, indent))).toBe(JSON.stringify(value, null, 2))
      }),
    )
  })

  it('keeps keys that occur twice, keys that look like numbers in their place, and escapes as written', () => {
    expect(prettyJson(String.raw`{"b":1,"10":2,"9":3,"b":"\u00e9\/"}`)).toBe('{\n  "b": 1,\n  "10": 2,\n  "9": 3,\n  "b": "\\u00e9\\/"\n}')
  })

  it('what is not JSON is left alone', () => {
    for (const text of [
      '',
      'hello',
      '{"broken": ',
      '<script>',
      'truck_42',
      '01',
      '1.',
      '[1,]',
      '{,}',
      '{"a":1,}',
      '"\t"',
      String.raw`"\x"`,
      '[1}',
      '{} {}',
      'nulll',
    ])
      expect(prettyJson(text), text).toBeNull()
  })

  it('agrees with JSON.parse about what is JSON', () => {
    const nearJson = fc
      .array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', 'true', ' '), { maxLength: 9 })
      .map((tokens) => tokens.join(''))
    fc.assert(
      fc.property(nearJson, (text) => {
        let parses = true
        try {
          JSON.parse(text)
        } catch {
          parses = false
        }
        expect(prettyJson(text) !== null).toBe(parses)
        expect(jsonProblem(text) === null).toBe(parses)
      }),
      { numRuns: 2_000 },
    )
  })

  it('a hundred thousand levels neither overflow nor grow without bound', () => {
    const pretty = prettyJson('['.repeat(100_000) + ']'.repeat(100_000))
    expect(pretty?.length).toBeLessThan(20_000_000)
  })

  it('says where it stops being JSON', () => {
    expect(jsonProblem('{\n  "a": 1,\n  b: 2\n}')).toEqual({ message: 'Expected a key in double quotes.', line: 3, column: 3 })
    expect(jsonProblem('{"a" 1}')).toMatchObject({ message: 'Expected a colon, found 1.', line: 1, column: 6 })
    expect(jsonProblem('[1 2]')).toMatchObject({ message: 'Expected a comma or the end, found 2.', line: 1, column: 4 })
  })
})
