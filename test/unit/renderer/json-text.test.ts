import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prettyJson } from '../../../renderer/lib/json-text.ts'

describe('JSON for reading', () => {
  it('numbers keep every digit they were stored with', () => {
    const pretty = prettyJson('{"id":9007199254740993,"price":1.10,"tiny":1e-400,"big":12345678901234567890}')
    for (const numeral of ['9007199254740993', '1.10', '1e-400', '12345678901234567890']) expect(pretty).toContain(numeral)
  })

  it('any integer of 64 bits survives', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (id) => prettyJson(`{"id":${id}}`) === `{\n  "id": ${id}\n}`))
  })

  it('what is not JSON is left alone', () => {
    for (const text of ['', 'hello', '{"broken": ', '<script>', 'truck_42']) expect(prettyJson(text)).toBeNull()
  })
})
