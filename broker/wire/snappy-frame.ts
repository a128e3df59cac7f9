/**
 * Snappy as Kafka clients use it: raw blocks (librdkafka), or blocks in the framing of snappy-java ("xerial"): an 8-byte magic,
 * two int32 versions, then blocks, each after its int32 length. Both are read; xerial is written, as the Java clients do.
 */
import snappy from 'snappy'
import { WireError } from './errors.ts'

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16
const XERIAL_VERSION = 1
/** snappy-java's own block size. */
const BLOCK_BYTES = 32 * 1024
/** No element of the format yields more than 64 bytes from 3; what claims more is not snappy. */
const RATIO_MAX = 32

export function packSnappy(data: Buffer): Buffer {
  const header = Buffer.alloc(XERIAL_HEADER_BYTES)
  XERIAL_MAGIC.copy(header)
  header.writeInt32BE(XERIAL_VERSION, 8)
  header.writeInt32BE(XERIAL_VERSION, 12)
  const parts: Buffer[] = [header]
  for (let at = 0; at < data.length; at += BLOCK_BYTES) {
    const block = snappy.compressSync(data.subarray(at, at + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Throws WireError: DECOMPRESSED_TOO_LARGE or MALFORMED_COMPRESSION. */
export function unpackSnappy(data: Buffer, maxBytes: number): Buffer {
  if (data.length < XERIAL_MAGIC.length || data.compare(XERIAL_MAGIC, 0, 8, 0, 8) !== 0) return unpackBlock(data, maxBytes)
  const blocks: Buffer[] = []
  let unpackedBytes = 0
  for (let at = XERIAL_HEADER_BYTES; at < data.length;) {
    if (data.length - at < 4) throw malformed('a block length is cut short')
    const length = data.readInt32BE(at)
    const end = at + 4 + length
    if (length <= 0 || end > data.length) throw malformed(`a block of ${length} bytes, ${data.length - at - 4} are left`)
    const block = unpackBlock(data.subarray(at + 4, end), maxBytes - unpackedBytes)
    unpackedBytes += block.length
    blocks.push(block)
    at = end
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, unpackedBytes)
}

function unpackBlock(block: Buffer, maxBytes: number): Buffer {
  const claimedBytes = claimedSize(block)
  if (claimedBytes > block.length * RATIO_MAX) throw malformed(`${block.length} bytes claim to hold ${claimedBytes}`)
  if (claimedBytes > maxBytes) throw new WireError('DECOMPRESSED_TOO_LARGE', `decompresses to more than ${maxBytes} bytes`)
  try {
    return snappy.uncompressSync(block, { asBuffer: true, copyOutputData: true }) as Buffer
  } catch (error) {
    throw malformed((error as Error).message, error)
  }
}

/** A block starts with its unpacked size as a varint. */
function claimedSize(block: Buffer): number {
  let size = 0
  for (let index = 0, scale = 1; index < 5 && index < block.length; index++, scale *= 128) {
    const byte = block[index]!
    size += (byte & 0x7f) * scale
    if (byte < 0x80) return size
  }
  throw malformed('no size at the start')
}

function malformed(reason: string, cause?: unknown): WireError {
  return new WireError('MALFORMED_COMPRESSION', `not snappy: ${reason}`, { cause })
}
