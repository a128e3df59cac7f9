import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import snappy from 'snappy'
import { describe, expect, it } from 'vitest'
import {
  compress,
  Compression,
  compressionFromName,
  compressionNames,
  decompress,
  isCompression,
} from '../../../broker/wire/compression.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const codecs = Object.entries(Compression).map(([name, id]) => ({ name, id }))
const packing = codecs.filter(({ id }) => id !== Compression.NONE)
const text = Buffer.from(JSON.stringify(Array.from({ length: 9000 }, (_, id) => ({ id, name: `user-${(id * 7919) % 1000}` }))))

describe.each(codecs)('$name', ({ id }) => {
  it('unpacks what it packed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const data = Buffer.from(bytes)
        expect(decompress(id, compress(id, data), data.length)).toEqual(data)
      }),
      { numRuns: 30 },
    )
    expect(decompress(id, compress(id, text), text.length).equals(text)).toBe(true)
  })

  it('refuses to yield more than the bound, by one byte as by megabytes', () => {
    expect(wireErrorOf(() => decompress(id, compress(id, text), text.length - 1))).toBe('DECOMPRESSED_TOO_LARGE')
    const bomb = compress(id, Buffer.alloc(64 * 1024 * 1024))
    const before = process.memoryUsage().rss
    expect(wireErrorOf(() => decompress(id, bomb, 1024 * 1024))).toBe('DECOMPRESSED_TOO_LARGE')
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024)
  })
})

describe.each(packing)('damaged $name', ({ id }) => {
  it('yields bytes or a WireError, never another error', () => {
    const packed = compress(id, text.subarray(0, 2000))
    fc.assert(
      fc.property(fc.nat({ max: packed.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const damaged = Buffer.from(packed)
        damaged[at]! ^= flip
        expect(() => wireErrorOf(() => decompress(id, cut ? damaged.subarray(0, at) : damaged, 1_000_000))).not.toThrow()
      }),
      { numRuns: 300 },
    )
  })

  it('that is not of the format at all is refused', () => {
    expect(wireErrorOf(() => decompress(id, Buffer.from('neither here nor there'), 1_000_000))).toBe('MALFORMED_COMPRESSION')
    expect(wireErrorOf(() => decompress(id, Buffer.alloc(0), 1_000_000))).toBe('MALFORMED_COMPRESSION')
  })
})

describe('what other clients write', () => {
  it('gzip with any level and zstd with a level', () => {
    expect(decompress(Compression.GZIP, gzipSync(text, { level: 9 }), text.length)).toEqual(text)
    expect(decompress(Compression.ZSTD, compress(Compression.ZSTD, text, 10), text.length)).toEqual(text)
    expect(decompress(Compression.ZSTD, zstdCompressSync(text), text.length)).toEqual(text)
  })

  it('snappy as one raw block, as librdkafka writes it', () => {
    expect(decompress(Compression.SNAPPY, snappy.compressSync(text), text.length)).toEqual(text)
  })

  it('snappy in xerial blocks, as the Java clients write it', () => {
    const packed = compress(Compression.SNAPPY, text)
    expect(packed.subarray(0, 16).toString('hex')).toBe('82534e4150505900' + '00000001' + '00000001')
    expect(packed.readInt32BE(16)).toBeLessThan(packed.length - 20)
  })

  it('lz4 with content and block checksums', () => {
    const frame = compressFrameSync(text, { contentChecksum: true, blockChecksums: true })
    expect(decompress(Compression.LZ4, frame, text.length)).toEqual(text)
    const damaged = Buffer.from(frame)
    damaged[damaged.length - 1]! ^= 1
    expect(wireErrorOf(() => decompress(Compression.LZ4, damaged, text.length))).toBe('MALFORMED_COMPRESSION')
  })

  it('lz4 with linked 64 KiB blocks, a block checksum and the content size', () => {
    // Made by `lz4 -B4 -BD -BX --content-size` from the letters a to j, 15,000 times; kept gzipped.
    const kept =
      'H4sIAAAAAAACA2NR8pWIcfjgycQAAi9FGBkY1icmJaekpqVnZGZxMfwf4eBeADgw6k1rz3MBw4b/10gPkP8vAoAJIzFJ5rq4WxwwyayHpZXEJGqmFokAsKE7Nko+BCXMaqHMpwDrcBB2qwIAAA=='
    const frame = gunzipSync(Buffer.from(kept, 'base64'))
    expect(frame[4]).toBe(0b01011100)
    expect(decompress(Compression.LZ4, frame, 150_000).toString()).toBe('abcdefghij'.repeat(15_000))
    expect(wireErrorOf(() => decompress(Compression.LZ4, frame, 149_999))).toBe('DECOMPRESSED_TOO_LARGE')
  })
})

describe('hostile sizes', () => {
  it('a snappy block that claims what it cannot hold is refused before anything is allocated', () => {
    const claim = Buffer.concat([Buffer.from('ffffffff0f', 'hex'), Buffer.alloc(100)])
    expect(wireErrorOf(() => decompress(Compression.SNAPPY, claim, 2 ** 32))).toBe('MALFORMED_COMPRESSION')
    expect(() => decompress(Compression.SNAPPY, claim, 2 ** 32)).toThrow('105 bytes claim to hold 4294967295')
  })

  it('a xerial block longer than its frame, or of no length, is refused', () => {
    const header = compress(Compression.SNAPPY, Buffer.alloc(0))
    for (const length of ['7fffffff', '80000000', '00000000', '0000']) {
      const block = Buffer.concat([header, Buffer.from(length, 'hex')])
      expect(wireErrorOf(() => decompress(Compression.SNAPPY, block, 1000))).toBe('MALFORMED_COMPRESSION')
    }
  })

  it('an lz4 frame without its end mark, or with bytes after it, is refused', () => {
    const frame = compressFrameSync(text)
    expect(wireErrorOf(() => decompress(Compression.LZ4, frame.subarray(0, -4), text.length))).toBe('MALFORMED_COMPRESSION')
    expect(wireErrorOf(() => decompress(Compression.LZ4, Buffer.concat([frame, frame]), text.length * 2))).toBe('MALFORMED_COMPRESSION')
  })

  it('a codec no release defines is refused', () => {
    for (const id of [5, 6, 7, -1]) expect(wireErrorOf(() => decompress(id, text, text.length))).toBe('UNSUPPORTED_COMPRESSION')
  })
})

describe('names', () => {
  it('are those of Kafka’s settings', () => {
    expect(compressionNames.map((name) => compressionFromName(name))).toEqual([0, 1, 2, 3, 4])
    expect(compressionFromName('brotli')).toBeNull()
    expect([isCompression(4), isCompression(5), isCompression(-1), isCompression(0.5)]).toEqual([true, false, false, false])
  })
})
