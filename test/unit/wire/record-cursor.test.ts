import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordCursor, varintBytes, writeVarint } from '../../../broker/wire/record-cursor.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const cursor = (hex: string) => {
  const buffer = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return new RecordCursor(buffer, 0, buffer.length)
}

function written(value: number): Buffer {
  const buffer = Buffer.alloc(12)
  return buffer.subarray(0, writeVarint(buffer, 0, value))
}

describe('zigzag varints', () => {
  it.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ])('%d is %s', (value, hex) => {
    expect(written(value).toString('hex')).toBe(hex)
    expect(varintBytes(value)).toBe(hex.length / 2)
    expect(cursor(hex).varint()).toBe(value)
    expect(cursor(hex).varlong()).toBe(value)
  })

  it('come back as they went, up to 2^53 either way', () => {
    const value = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.constantFrom(2 ** 52, -(2 ** 52), 2 ** 35, -(2 ** 28), 2 ** 27, 2 ** 28 - 1),
    )
    fc.assert(
      fc.property(value, (number) => {
        fc.pre(Math.abs(number) <= 2 ** 52)
        const bytes = written(number)
        expect(bytes.length).toBe(varintBytes(number))
        expect(cursor(bytes.toString('hex')).varlong()).toBe(number)
      }),
    )
  })

  it('of 64 bits are rounded, not refused', () => {
    expect(cursor('feffffffffffffffff01').varlong()).toBe(2 ** 63)
    expect(cursor('ffffffffffffffffff01').varlong()).toBe(-(2 ** 63))
  })

  it.each([
    ['varint', 'ffffffff1f', 'MALFORMED_VARINT'],
    ['varint', '808080808000', 'MALFORMED_VARINT'],
    ['varint', '80', 'TRUNCATED'],
    ['varlong', 'ffffffffffffffffff02', 'MALFORMED_VARINT'],
    ['varlong', '8080808080808080808000', 'MALFORMED_VARINT'],
    ['varlong', '808080808080', 'TRUNCATED'],
    ['bytes', '03', 'MALFORMED_RECORD'],
    ['bytes', '0461', 'TRUNCATED'],
  ] as const)('%s of %s is refused', (kind, hex, code) => {
    expect(wireErrorOf(() => cursor(hex)[kind]())).toBe(code)
  })

  it('a length before bytes: -1 is null, 0 is empty', () => {
    expect(cursor('01').bytes()).toBeNull()
    expect(cursor('00').bytes()).toEqual(Buffer.alloc(0))
    expect(cursor('046162').bytes()).toEqual(Buffer.from('ab'))
    const skipping = cursor('0461620204')
    skipping.skipBytes()
    expect(skipping.position).toBe(3)
  })
})
