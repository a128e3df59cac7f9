/** CRC-32C (Castagnoli), as record batches and producer snapshots carry it. */
import { crc32c as native } from '@node-rs/crc32'

/** The checksum of buffer[start, end), as an unsigned 32-bit number. */
export function crc32c(buffer: Buffer, start = 0, end: number = buffer.length): number {
  return native(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end))
}
