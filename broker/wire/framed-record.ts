/**
 * The frame around a cluster metadata record: three unsigned varints (frame version, always 1; record type; record version),
 * then the message. Which types exist is the caller's to say, so that this stays free of any schema.
 */
import { decodeFrom, encodeInto } from './codec.ts'
import { WireError } from './errors.ts'
import { Reader } from './reader.ts'
import type { Decoded, Encodable, Message } from './schema.ts'
import { Writer } from './writer.ts'

const FRAME_VERSION = 1

/** Record type -> layout. */
export type RecordTypes = { readonly [type: number]: Message }

/** A decoded record: `type` tells which layout `value` has. */
export type FramedRecord<Types extends RecordTypes> = {
  [Type in keyof Types & number]: { readonly type: Type; readonly version: number; readonly value: Decoded<Types[Type]> }
}[keyof Types & number]

export function encodeFramedRecord<Types extends RecordTypes, Type extends keyof Types & number>(
  types: Types,
  type: Type,
  version: number,
  value: Encodable<Types[Type]>,
): Buffer {
  const message = types[type]
  if (message === undefined) throw new RangeError(`no record type ${type}`)
  const writer = new Writer()
  writer.uvarint(FRAME_VERSION)
  writer.uvarint(type)
  writer.uvarint(version)
  encodeInto(writer, message, version, value)
  const chunks = writer.finish()
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** Throws WireError: UNSUPPORTED_VERSION for a frame version, type or version that is not known. */
export function decodeFramedRecord<Types extends RecordTypes>(types: Types, buffer: Buffer): FramedRecord<Types> {
  const reader = new Reader(buffer)
  const frameVersion = reader.uvarint()
  if (frameVersion !== FRAME_VERSION) throw new WireError('UNSUPPORTED_VERSION', `record frame version ${frameVersion}`)
  const type = reader.uvarint()
  const version = reader.uvarint()
  const message = Object.hasOwn(types, type) ? types[type] : undefined
  if (message === undefined) throw new WireError('UNSUPPORTED_VERSION', `no record type ${type}`)
  const value = decodeFrom(message, version, reader, 'refuse')
  return { type, version, value } as FramedRecord<Types>
}
