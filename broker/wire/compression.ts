/**
 * The five codecs a record batch may name. Decompression is bounded: input that would yield more than `maxBytes` is refused
 * before, or while, it is unpacked, never after.
 */
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { WireError } from './errors.ts'
import { packLz4, unpackLz4 } from './lz4-frame.ts'
import { packSnappy, unpackSnappy } from './snappy-frame.ts'

export const Compression = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const
export type Compression = (typeof Compression)[keyof typeof Compression]

/** The names Kafka's settings use, by id. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionName = (typeof compressionNames)[number]

export function isCompression(id: number): id is Compression {
  return Number.isInteger(id) && id >= 0 && id < compressionNames.length
}

export function compressionFromName(name: string): Compression | null {
  const id = (compressionNames as readonly string[]).indexOf(name)
  return isCompression(id) ? id : null
}

/** zlib grows its output by this much at a time; each step costs a call, so small steps are slow and large ones waste memory. */
const OUTPUT_STEP_BYTES_MIN = 16 * 1024
const OUTPUT_STEP_BYTES_MAX = 256 * 1024

/** `level` is for gzip (1-9) and zstd (1-22); the library's default when absent. */
export function compress(id: Compression, data: Buffer, level?: number): Buffer {
  switch (id) {
    case Compression.NONE:
      return data
    case Compression.GZIP:
      return gzipSync(data, { level: level ?? constants.Z_DEFAULT_COMPRESSION, chunkSize: outputStep(data.length) })
    case Compression.SNAPPY:
      return packSnappy(data)
    case Compression.LZ4:
      return packLz4(data)
    case Compression.ZSTD:
      return zstdCompressSync(data, {
        chunkSize: outputStep(data.length),
        params: level === undefined ? {} : { [constants.ZSTD_c_compressionLevel]: level },
      })
  }
}

/**
 * Unpacks at most `maxBytes`. NONE yields `data` itself. Throws WireError: DECOMPRESSED_TOO_LARGE, MALFORMED_COMPRESSION, or
 * UNSUPPORTED_COMPRESSION for an id no release defines.
 */
export function decompress(id: number, data: Buffer, maxBytes: number): Buffer {
  switch (id) {
    case Compression.NONE:
      if (data.length > maxBytes) throw tooLarge(maxBytes)
      return data
    case Compression.GZIP:
      return unzipped(gunzipSync, data, maxBytes)
    case Compression.SNAPPY:
      return unpackSnappy(data, maxBytes)
    case Compression.LZ4:
      return unpackLz4(data, maxBytes)
    case Compression.ZSTD:
      return unzipped(zstdDecompressSync, data, maxBytes)
    default:
      throw new WireError('UNSUPPORTED_COMPRESSION', `compression ${id} is not known`)
  }
}

function outputStep(expectedBytes: number): number {
  return Math.min(Math.max(expectedBytes, OUTPUT_STEP_BYTES_MIN), OUTPUT_STEP_BYTES_MAX)
}

type Unzip = (data: Buffer, options: { readonly maxOutputLength: number; readonly chunkSize: number }) => Buffer

function unzipped(unzip: Unzip, data: Buffer, maxBytes: number): Buffer {
  // The library takes no bound of 0.
  const maxOutputLength = Math.max(maxBytes, 1)
  let output: Buffer
  try {
    output = unzip(data, { maxOutputLength, chunkSize: outputStep(data.length * 4) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, error)
    throw new WireError('MALFORMED_COMPRESSION', `cannot be decompressed: ${(error as Error).message}`, { cause: error })
  }
  if (output.length > maxBytes) throw tooLarge(maxBytes)
  return output
}

function tooLarge(maxBytes: number, cause?: unknown): WireError {
  return new WireError('DECOMPRESSED_TOO_LARGE', `decompresses to more than ${maxBytes} bytes`, { cause })
}
