import { describe, expect, it } from 'vitest'
import { decodeMessage, decodePrefixed, encodeMessage, encodePrefixed, encodeToBuffer, prefixOf } from '../../../broker/wire/codec.ts'
import { MESSAGE_ELEMENTS_MAX } from '../../../broker/wire/reader.ts'
import {
  array,
  bool,
  boundsOf,
  bytes,
  int32,
  int64,
  INT64_MAX,
  isInRange,
  message,
  records,
  string,
  struct,
} from '../../../broker/wire/schema.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

/** A message made to show each rule of the notation. */
const sample = message({
  name: 'Sample',
  versions: '0-3',
  flexible: '2+',
  fields: {
    name: string(),
    note: string({ versions: '1+', nullable: '1+', default: null }),
    once: int32({ versions: '0-1', default: 7 }),
    inner: struct({ flag: bool() }, { versions: '3+', nullable: true, default: null }),
    upper: int64({ versions: '2+', tag: 3, default: INT64_MAX }),
    lower: array(int32(), { tag: 1 }),
  },
})
const data = message({ name: 'Data', versions: '0-1', flexible: '1+', fields: { payload: records({ nullable: true }), more: bytes() } })
const nested = message({ name: 'Nested', versions: '0', flexible: 'none', fields: { rows: array({ cells: array(bool()) }) } })

const v = (hex: string) => Buffer.from(hex.replace(/[^0-9a-f]/g, ''), 'hex')

describe('the notation', () => {
  it('writes lengths as int16 and int32 before the first flexible version', () => {
    expect(encodeToBuffer(sample, 0, { name: 'ab', once: 1 })).toEqual(v('0002 6162 | 00000001'))
    expect(encodeToBuffer(sample, 1, { name: 'ab', note: null, once: 1 })).toEqual(v('0002 6162 | ffff | 00000001'))
  })

  it('writes compact lengths and ascending tags from there on, and no tag that holds its default', () => {
    expect(encodeToBuffer(sample, 2, { name: 'ab', note: 'c' })).toEqual(v('03 6162 | 02 63 | 00'))
    expect(encodeToBuffer(sample, 2, { name: '', upper: 5, lower: [9] })).toEqual(
      v('01 | 00 | 02 | 01 05 02 00000009 | 03 08 0000000000000005'),
    )
  })

  it('marks a nullable struct with one byte', () => {
    expect(encodeToBuffer(sample, 3, { name: '' })).toEqual(v('01 00 ff 00'))
    expect(encodeToBuffer(sample, 3, { name: '', inner: { flag: true } })).toEqual(v('01 00 | 01 01 00 | 00'))
  })

  it('gives fields the version lacks their defaults', () => {
    expect(decodeMessage(sample, 0, v('0000 00000001'))).toEqual({
      name: '',
      note: null,
      once: 1,
      inner: null,
      upper: INT64_MAX,
      lower: [],
    })
    expect(decodeMessage(sample, 2, v('01 00 00'))).toMatchObject({ once: 7 })
  })

  it('skips tags it does not know', () => {
    const value = decodeMessage(sample, 2, v('01 00 | 03 | 00 02 aaaa | 01 05 02 00000009 | 64 01 bb'))
    expect(value).toMatchObject({ lower: [9], upper: INT64_MAX })
  })

  it.each([
    ['tags out of order', '01 00 | 02 | 03 08 0000000000000005 | 01 05 02 00000009'],
    ['a tag twice', '01 00 | 02 | 01 05 02 00000009 | 01 05 02 00000009'],
    ['a tag whose content is shorter than its size', '01 00 | 01 | 01 06 02 00000009 00'],
    ['a tag whose content is longer than its size', '01 00 | 01 | 01 04 02 00000009'],
    ['more tags than bytes', '01 00 | 7f'],
  ])('refuses %s', (_, hex) => {
    expect(wireErrorOf(() => decodeMessage(sample, 2, v(hex)))).toBe('MALFORMED_TAGS')
  })

  it('refuses a tag that reaches past the frame', () => {
    expect(wireErrorOf(() => decodeMessage(sample, 2, v('01 00 | 01 | 64 05 00')))).toBe('TRUNCATED')
  })

  it('refuses null where it is not legal, in both directions', () => {
    expect(wireErrorOf(() => decodeMessage(sample, 0, v('ffff 00000001')))).toBe('NULL_NOT_ALLOWED')
    expect(wireErrorOf(() => decodeMessage(sample, 2, v('00 00 00')))).toBe('NULL_NOT_ALLOWED')
    expect(() => encodeMessage(sample, 2, { name: null as never })).toThrow('Sample v2 cannot be encoded: null is not a string')
    expect(() => encodeMessage(sample, 2, { name: '', lower: null as never })).toThrow(TypeError)
  })

  it('reads and writes Kafka’s largest int64 only where it is the default', () => {
    expect(decodeMessage(sample, 2, v('01 00 | 01 | 03 08 7fffffffffffffff'))).toMatchObject({ upper: INT64_MAX })
    expect(wireErrorOf(() => decodeMessage(sample, 2, v('01 00 | 01 | 03 08 0020000000000000')))).toBe('INTEGER_OUT_OF_RANGE')
    expect(decodeMessage(sample, 2, v('01 00 | 01 | 03 08 001fffffffffffff'))).toMatchObject({ upper: Number.MAX_SAFE_INTEGER })
  })

  it('does not copy large payloads, in neither direction', () => {
    const payload = Buffer.alloc(100_000, 1)
    for (const version of [0, 1]) {
      const chunks = encodeMessage(data, version, { payload: [payload, payload], more: Buffer.from('x') })
      expect(chunks.filter((chunk) => chunk.buffer === payload.buffer && chunk.length === payload.length)).toHaveLength(2)
      const frame = Buffer.concat(chunks)
      expect(decodeMessage(data, version, frame).payload!.buffer).toBe(frame.buffer)
    }
  })

  it('names message, version and reason in its errors', () => {
    expect(() => decodeMessage(sample, 2, v('05 61'))).toThrow(/^Sample v2: 4 bytes wanted, 1 left/)
    expect(() => encodeMessage(sample, 0, { name: 'x', once: 2 ** 40 })).toThrow(
      'Sample v0 cannot be encoded: 1099511627776 is not an int32',
    )
  })

  it('bounds what nested arrays add up to', () => {
    const rows = Math.ceil(MESSAGE_ELEMENTS_MAX / 1_000_000) + 1
    const row = Buffer.concat([v('000f4240'), Buffer.alloc(1_000_000)])
    const count = Buffer.alloc(4)
    count.writeInt32BE(rows)
    const frame = Buffer.concat([count, ...Array.from({ length: rows }, () => row)])
    expect(wireErrorOf(() => decodeMessage(nested, 0, frame))).toBe('TOO_MANY_ELEMENTS')
  })
})

describe('prefixed payloads', () => {
  const first = message({ name: 'First', versions: '1-2', flexible: 'none', fields: { count: int32() } })

  it('carry their version in front', () => {
    const payload = encodePrefixed(first, 2, { count: 5 })
    expect(payload).toEqual(v('0002 00000005'))
    expect(prefixOf(payload)).toBe(2)
    expect(decodePrefixed(first, payload)).toEqual({ version: 2, value: { count: 5 } })
  })

  it('of a newer version are refused, or read as the newest with their extra bytes ignored', () => {
    const newer = v('0009 00000005 ffff')
    expect(wireErrorOf(() => decodePrefixed(first, newer))).toBe('UNSUPPORTED_VERSION')
    expect(decodePrefixed(first, newer, { newer: 'as-newest' })).toEqual({ version: 9, value: { count: 5 } })
    expect(wireErrorOf(() => decodePrefixed(first, v('0000 00000005'), { newer: 'as-newest' }))).toBe('UNSUPPORTED_VERSION')
    expect(wireErrorOf(() => decodePrefixed(first, v('00')))).toBe('TRUNCATED')
  })
})

describe('version ranges', () => {
  it('are open, closed or single', () => {
    expect([boundsOf('3+'), boundsOf('3-12'), boundsOf('5')]).toEqual([
      { min: 3, max: Infinity },
      { min: 3, max: 12 },
      { min: 5, max: 5 },
    ])
    expect([isInRange('3-12', 2), isInRange('3-12', 12), isInRange('10+', 9), isInRange('5', 5)]).toEqual([false, true, false, true])
  })
})
