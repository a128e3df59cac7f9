/**
 * Messages to bytes and back. Each (message, version) is compiled when first used and kept; the schemas are constants, so the
 * cache is bounded by them.
 */
import { compileCodec, type Codec } from './codec-compiler.ts'
import { WireError } from './errors.ts'
import { Reader } from './reader.ts'
import { boundsOf, type Decoded, type Encodable, type Message } from './schema.ts'
import { Writer } from './writer.ts'

type AnyMessage = Message

/** What to do with bytes after a message: refuse them (frames), or leave them (payloads that newer versions extend). */
export type TrailingBytes = 'refuse' | 'ignore'

interface MessageCodecs {
  readonly min: number
  readonly max: number
  readonly byVersion: (Codec | undefined)[]
}

const codecs = new WeakMap<AnyMessage, MessageCodecs>()

/** Decodes one message that starts at `position`. `bytes` and `records` are views into `buffer`. Throws WireError only. */
export function decodeMessage<M extends AnyMessage>(
  message: M,
  version: number,
  buffer: Buffer,
  position = 0,
  trailing: TrailingBytes = 'refuse',
): Decoded<M> {
  return decodeFrom(message, version, new Reader(buffer, position), trailing)
}

/** Decodes at the reader's position and moves it. Throws WireError only. */
export function decodeFrom<M extends AnyMessage>(message: M, version: number, reader: Reader, trailing: TrailingBytes): Decoded<M> {
  const codec = codecFor(message, version)
  if (codec === null) throw new WireError('UNSUPPORTED_VERSION', `${message.name} has no version ${version}`)
  try {
    const value = codec.decode(reader)
    if (trailing === 'refuse') reader.finish()
    return value as Decoded<M>
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new WireError(error.code, `${message.name} v${version}: ${error.message}`, { cause: error })
  }
}

/**
 * Encodes to chunks to be written back to back. Large `bytes` and `records` are among them as given, not copied.
 * Fields the version lacks are left out. Throws TypeError when the value does not fit the schema: a mistake of the caller.
 */
export function encodeMessage<M extends AnyMessage>(message: M, version: number, value: Encodable<M>): Buffer[] {
  const writer = new Writer()
  encodeInto(writer, message, version, value)
  return writer.finish()
}

/** Encodes after what the writer holds already. */
export function encodeInto<M extends AnyMessage>(writer: Writer, message: M, version: number, value: Encodable<M>): void {
  const codec = codecFor(message, version)
  if (codec === null) throw new RangeError(`${message.name} has no version ${version}`)
  try {
    codec.encode(writer, value)
  } catch (error) {
    throw new TypeError(`${message.name} v${version} cannot be encoded: ${(error as Error).message}`, { cause: error })
  }
}

/** Like encodeMessage, in one buffer: for record keys and values, and files. */
export function encodeToBuffer<M extends AnyMessage>(message: M, version: number, value: Encodable<M>): Buffer {
  return joined(encodeMessage(message, version, value))
}

/** A payload that starts with its own int16 version: group metadata, assignments, coordinator records, control records. */
export function encodePrefixed<M extends AnyMessage>(message: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer()
  writer.int16(version)
  encodeInto(writer, message, version, value)
  return joined(writer.finish())
}

/**
 * Decodes a payload that starts with its own int16 version. With `newer: 'as-newest'` a version above the schema's is read as
 * its newest and trailing bytes are ignored, as Kafka reads subscriptions and assignments; else it is refused. Throws WireError only.
 */
export function decodePrefixed<M extends AnyMessage>(
  message: M,
  buffer: Buffer,
  options?: { readonly newer?: 'refuse' | 'as-newest' },
): { readonly version: number; readonly value: Decoded<M> } {
  const reader = new Reader(buffer)
  const version = reader.int16()
  if (options?.newer !== 'as-newest') return { version, value: decodeFrom(message, version, reader, 'refuse') }
  return { version, value: decodeFrom(message, Math.min(version, boundsOf(message.versions).max), reader, 'ignore') }
}

/** The int16 a prefixed payload starts with: the version, or the record type of a coordinator key. Throws WireError on less than 2 bytes. */
export function prefixOf(buffer: Buffer): number {
  return new Reader(buffer).int16()
}

function codecFor(message: AnyMessage, version: number): Codec | null {
  const { min, max, byVersion } = codecsOf(message)
  if (!(version >= min && version <= max)) return null
  return (byVersion[version - min] ??= compileCodec(message, version))
}

function codecsOf(message: AnyMessage): MessageCodecs {
  let known = codecs.get(message)
  if (known === undefined) {
    known = { ...boundsOf(message.versions), byVersion: [] }
    codecs.set(message, known)
  }
  return known
}

function joined(chunks: Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
