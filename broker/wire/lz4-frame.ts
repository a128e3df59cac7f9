/**
 * LZ4 in its standard frame, which every Kafka client writes: magic, descriptor, blocks, end mark, optional checksum.
 *
 * The library unpacks whatever a frame holds, so the frame is walked first: its blocks must be whole, and what they can yield
 * must not pass the bound. Only when their nominal sizes would pass it are the blocks' tokens counted exactly.
 */
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { WireError } from './errors.ts'

const MAGIC = 0x184d2204
const FLAG_CONTENT_CHECKSUM = 0x04
const FLAG_CONTENT_SIZE = 0x08
const FLAG_BLOCK_CHECKSUM = 0x10
const FLAG_DICTIONARY = 0x01
const UNCOMPRESSED_BIT = 0x80000000
/** The format's version, in the flags' two highest bits. */
const VERSION_BITS = 0x40

export function packLz4(data: Buffer): Buffer {
  return compressFrameSync(data)
}

/** Throws WireError: DECOMPRESSED_TOO_LARGE or MALFORMED_COMPRESSION. */
export function unpackLz4(data: Buffer, maxBytes: number): Buffer {
  if (frameYield(data, nominalYield) > maxBytes && frameYield(data, exactYield) > maxBytes) {
    throw new WireError('DECOMPRESSED_TOO_LARGE', `decompresses to more than ${maxBytes} bytes`)
  }
  try {
    return decompressFrameSync(data)
  } catch (error) {
    throw malformed((error as Error).message, error)
  }
}

/** What the bytes data[start, end) of a compressed block may yield. */
type BlockYield = (data: Buffer, start: number, end: number, blockBytesMax: number) => number

/** Walks the frame, throws when it is not whole, and adds up what its blocks yield. */
function frameYield(data: Buffer, blockYield: BlockYield): number {
  if (data.length < 7 || data.readUInt32LE(0) !== MAGIC) throw malformed('no frame magic')
  const flags = data[4]!
  if ((flags & 0xc0) !== VERSION_BITS) throw malformed(`frame version bits ${flags >>> 6}`)
  if ((flags & FLAG_DICTIONARY) !== 0) throw malformed('it needs a dictionary')
  const sizeClass = (data[5]! >>> 4) & 0x07
  if (sizeClass < 4) throw malformed(`block size class ${sizeClass}`)
  const checksumBytes = (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4
  let at = 7 + ((flags & FLAG_CONTENT_SIZE) === 0 ? 0 : 8)
  let total = 0
  for (;;) {
    if (data.length - at < 4) throw malformed('no end mark')
    const word = data.readUInt32LE(at)
    at += 4
    if (word === 0) break
    const length = word & ~UNCOMPRESSED_BIT
    if (length > data.length - at - checksumBytes) throw malformed(`a block of ${length} bytes, ${data.length - at} are left`)
    total += word < UNCOMPRESSED_BIT ? blockYield(data, at, at + length, 2 ** (8 + 2 * sizeClass)) : length
    at += length + checksumBytes
  }
  at += (flags & FLAG_CONTENT_CHECKSUM) === 0 ? 0 : 4
  if (at !== data.length) throw malformed(`the frame ends at byte ${at} of ${data.length}`)
  return total
}

/** No less than the block yields: at most its nominal size, or 255 times its own. */
const nominalYield: BlockYield = (_data, start, end, blockBytesMax) => Math.min(blockBytesMax, (end - start) * 255)

/** Walks the sequences of a block (token, literals, offset, match) and adds up literals and matches. */
const exactYield: BlockYield = (data, start, end) => {
  let at = start
  let total = 0
  const lengthOf = (nibble: number): number => {
    let length = nibble
    if (nibble === 15) {
      for (let byte = 255; byte === 255 && at < end;) {
        byte = data[at++]!
        length += byte
      }
    }
    return length
  }
  while (at < end) {
    const token = data[at++]!
    const literals = lengthOf(token >>> 4)
    at += literals
    total += literals
    if (at >= end) break
    at += 2
    total += lengthOf(token & 0x0f) + 4
  }
  return total
}

function malformed(reason: string, cause?: unknown): WireError {
  return new WireError('MALFORMED_COMPRESSION', `not an LZ4 frame: ${reason}`, { cause })
}
