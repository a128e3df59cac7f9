import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ARRAY_ELEMENTS_MAX, Reader, STRING_BYTES_MAX, TAGS_MAX } from '../../../broker/wire/reader.ts'
import { INT64_MAX, ZERO_UUID } from '../../../broker/wire/schema.ts'
import { Writer } from '../../../broker/wire/writer.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const read = (hex: string) => new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** Starts without room, so that every write has to make some. */
function written(write: (writer: Writer) => void, capacityBytes = 0): Buffer {
  const writer = new Writer(capacityBytes)
  write(writer)
  const { size } = writer
  const bytes = Buffer.concat(writer.finish())
  expect(size).toBe(bytes.length)
  return bytes
}

describe('integers', () => {
  it.each([
    ['int8', -128, '80'],
    ['int8', 127, '7f'],
    ['int16', -32768, '8000'],
    ['int16', 32767, '7fff'],
    ['uint16', 65535, 'ffff'],
    ['int32', -2147483648, '80000000'],
    ['int32', 2147483647, '7fffffff'],
    ['uint32', 4294967295, 'ffffffff'],
    ['int64', -1, 'ffffffffffffffff'],
    ['int64', 4294967296, '0000000100000000'],
    ['int64', -4294967297, 'fffffffeffffffff'],
    ['int64', Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    ['int64', Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
    ['int64OrMax', INT64_MAX, '7fffffffffffffff'],
    ['uvarint', 127, '7f'],
    ['uvarint', 128, '8001'],
    ['uvarint', 4294967295, 'ffffffff0f'],
    ['float64', -1.5, 'bff8000000000000'],
  ] as const)('%s %d is %s', (kind, value, hex) => {
    expect(written((writer) => writer[kind](value)).toString('hex')).toBe(hex)
    expect(read(hex)[kind]()).toBe(value)
  })

  it.each([
    ['int8', 128],
    ['int16', 32768],
    ['uint16', -1],
    ['int32', 2147483648],
    ['int32', 1.5],
    ['uint32', -1],
    ['int64', 2 ** 53],
    ['int64', INT64_MAX],
    ['uvarint', -1],
    ['uvarint', 2 ** 32],
    ['int32', undefined],
    ['int64', NaN],
  ] as const)('%s refuses to write %s', (kind, value) => {
    expect(() => written((writer) => writer[kind](value as number))).toThrow(TypeError)
  })

  it('beyond 2^53 are refused on the way in', () => {
    for (const hex of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
      expect(wireErrorOf(() => read(hex).int64())).toBe('INTEGER_OUT_OF_RANGE')
    }
    expect(wireErrorOf(() => read('7ffffffffffffffe').int64OrMax())).toBe('INTEGER_OUT_OF_RANGE')
  })

  it('varints longer than 32 bits are refused, wherever they go on', () => {
    expect(wireErrorOf(() => read('ffffffff1f').uvarint())).toBe('MALFORMED_VARINT')
    expect(wireErrorOf(() => read('808080808001').uvarint())).toBe('MALFORMED_VARINT')
    expect(wireErrorOf(() => read('8080').uvarint())).toBe('TRUNCATED')
  })
})

describe('lengths and counts', () => {
  it.each([
    ['string', '8000', 'LENGTH_OUT_OF_RANGE'],
    ['string', '7fff', 'TRUNCATED'],
    ['compactString', 'ffffffff0f', 'LENGTH_OUT_OF_RANGE'],
    ['bytes', 'fffffffe', 'LENGTH_OUT_OF_RANGE'],
    ['bytes', '7fffffff', 'TRUNCATED'],
    ['compactBytes', 'ffffffff0f', 'TRUNCATED'],
    ['string', 'ffff', 'NULL_NOT_ALLOWED'],
    ['compactBytes', '00', 'NULL_NOT_ALLOWED'],
  ] as const)('%s of %s is refused', (kind, hex, code) => {
    expect(wireErrorOf(() => read(hex)[kind]())).toBe(code)
  })

  it('an array may not claim more elements than its bytes can hold', () => {
    expect(wireErrorOf(() => read('7fffffff').arrayCount(1))).toBe('TOO_MANY_ELEMENTS')
    expect(wireErrorOf(() => read('00000003 0000000000000000').arrayCount(4))).toBe('TOO_MANY_ELEMENTS')
    expect(read('00000002 0000000000000000').arrayCount(4)).toBe(2)
    expect(wireErrorOf(() => read('fffffffe').arrayCount(1))).toBe('LENGTH_OUT_OF_RANGE')
  })

  it('nor more than a million, however many bytes there are', () => {
    const frame = Buffer.alloc(ARRAY_ELEMENTS_MAX + 5)
    frame.writeInt32BE(ARRAY_ELEMENTS_MAX)
    expect(new Reader(frame).arrayCount(1)).toBe(ARRAY_ELEMENTS_MAX)
    frame.writeInt32BE(ARRAY_ELEMENTS_MAX + 1)
    expect(wireErrorOf(() => new Reader(frame).arrayCount(1))).toBe('TOO_MANY_ELEMENTS')
  })

  it('a section may not claim more than ten thousand tags', () => {
    const frame = (count: number) => Buffer.concat([written((writer) => writer.uvarint(count)), Buffer.alloc(50_000)])
    expect(new Reader(frame(TAGS_MAX)).tagCount()).toBe(TAGS_MAX)
    expect(wireErrorOf(() => new Reader(frame(TAGS_MAX + 1)).tagCount())).toBe('MALFORMED_TAGS')
  })

  it('a string longer than an int16 can say is not written, in compact form neither', () => {
    expect(() => written((writer) => writer.compactString('x'.repeat(STRING_BYTES_MAX + 1)))).toThrow(RangeError)
    const longest = 'x'.repeat(STRING_BYTES_MAX)
    expect(new Reader(written((writer) => writer.string(longest))).string()).toBe(longest)
  })
})

describe('uuids', () => {
  it('are the 16 bytes as URL-safe base64', () => {
    const reader = read('fffbefbefbefbefbefbefbefbefbefbe 00000000000000000000000000000000')
    expect([reader.uuid(), reader.uuid()]).toEqual(['__vvvvvvvvvvvvvvvvvvvg', ZERO_UUID])
    expect(written((writer) => writer.uuid('__vvvvvvvvvvvvvvvvvvvg')).toString('hex')).toBe('fffbefbefbefbefbefbefbefbefbefbe')
  })

  it('of another length or alphabet are refused', () => {
    for (const uuid of ['', 'short', '________________________', '!!!!!!!!!!!!!!!!!!!!!!']) {
      expect(() => written((writer) => writer.uuid(uuid))).toThrow(TypeError)
    }
  })
})

describe('the writer', () => {
  it('keeps the order of small values and referenced payloads, from any capacity', () => {
    const part = fc.oneof(fc.nat({ max: 40 }), fc.constant(1500))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), (lengths, capacityBytes) => {
        const parts = lengths.map((length, index) => Buffer.alloc(length, index + 1))
        const bytes = written((writer) => {
          for (const chunk of parts) {
            writer.int16(chunk.length)
            writer.payload(chunk)
          }
        }, capacityBytes)
        const expected = parts.flatMap((chunk) => [Buffer.from([chunk.length >> 8, chunk.length & 0xff]), chunk])
        expect(bytes).toEqual(Buffer.concat(expected))
      }),
    )
  })

  it('puts the size before a section, whatever its length and nesting', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20_000 }), fc.nat({ max: 300 }), fc.integer({ min: 1, max: 64 }), (outer, inner, capacityBytes) => {
        const bytes = written((writer) => {
          writer.int8(1)
          const outerMark = writer.openSized()
          writer.payload(Buffer.alloc(outer, 2))
          const innerMark = writer.openSized()
          writer.payload(Buffer.alloc(inner, 3))
          writer.closeSized(innerMark)
          writer.closeSized(outerMark)
          writer.int8(4)
        }, capacityBytes)
        const reader = new Reader(bytes)
        reader.int8()
        const outerEnd = reader.tagEnd()
        reader.position += outer
        expect(reader.tagEnd()).toBe(outerEnd)
        expect(bytes.subarray(outerEnd - inner)).toEqual(Buffer.concat([Buffer.alloc(inner, 3), Buffer.from([4])]))
      }),
    )
  })

  it('fills in the size of a frame after the fact', () => {
    const bytes = written((writer) => {
      writer.placeholderInt32()
      writer.payload(Buffer.alloc(5000))
      writer.patchInt32(writer.size - 4)
    }, 8)
    expect(bytes.readInt32BE(0)).toBe(5000)
    expect(() => written((writer) => (writer.int8(1), writer.placeholderInt32()))).toThrow(RangeError)
  })

  it('reads back text of any script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const wellFormed = Buffer.from(text).toString()
        expect(new Reader(written((writer) => writer.compactString(text), 1)).compactString()).toBe(wellFormed)
      }),
    )
  })
})
