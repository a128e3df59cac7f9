/**
 * A second codec, written for clarity and apart from the first: it interprets the schema through closures. Tests hold the
 * compiled codec against it, and the benchmark measures what compiling gains.
 */
import { INT64_MAX, isInRange, ZERO_UUID } from '../../../broker/wire/schema.ts'
import type { AnyType, Field, FieldMap, Message } from '../../../broker/wire/schema.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- what a value is, its schema says
export type Value = any
interface Cursor {
  readonly buffer: Buffer
  position: number
}
export interface ReferenceCodec {
  encode(value: Value): Buffer
  decode(buffer: Buffer): Value
}
interface TypeCodec {
  encode(out: Buffer[], value: Value): void
  decode(cursor: Cursor): Value
}

export function referenceCodec(message: Message, version: number): ReferenceCodec {
  const flexible = message.flexible !== 'none' && isInRange(message.flexible, version)
  const codec = structCodec(message.fields, version, flexible)
  return {
    encode(value) {
      const out: Buffer[] = []
      codec.encode(out, value)
      return Buffer.concat(out)
    },
    decode(buffer) {
      const cursor = { buffer, position: 0 }
      const value = codec.decode(cursor)
      if (cursor.position !== buffer.length) throw new Error('trailing bytes')
      return value
    },
  }
}

export function existsIn(field: Field, version: number, flexible: boolean): boolean {
  const { versions, tag } = field.options
  return (versions === undefined || isInRange(versions, version)) && (tag === undefined || flexible)
}

export function isNullableIn(field: Field, version: number): boolean {
  const { nullable } = field.options
  return nullable === true || (nullable !== undefined && isInRange(nullable, version))
}

export function defaultValue(field: Field): Value {
  if (field.options.default !== undefined) return field.options.default
  const { type } = field
  switch (type.kind) {
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
    case 'records':
      return Buffer.alloc(0)
    case 'array':
      return []
    case 'struct':
      return Object.fromEntries(Object.entries(type.fields as FieldMap).map(([name, inner]) => [name, defaultValue(inner)]))
    default:
      return 0
  }
}

function structCodec(fields: FieldMap, version: number, flexible: boolean): TypeCodec {
  const all = Object.entries(fields).map(([name, field]) => ({
    name,
    field,
    exists: existsIn(field, version, flexible),
    codec: typeCodec(field.type, field, isNullableIn(field, version), version, flexible),
  }))
  const plain = all.filter(({ exists, field }) => exists && field.options.tag === undefined)
  const tagged = all.filter(({ exists, field }) => exists && field.options.tag !== undefined)
  tagged.sort((left, right) => left.field.options.tag! - right.field.options.tag!)
  return {
    encode(out, value) {
      for (const { name, field, codec } of plain) codec.encode(out, value[name] === undefined ? defaultValue(field) : value[name])
      if (!flexible) return
      const present = tagged.filter(
        ({ name, field }) => value[name] !== undefined && !sameAsDefault(value[name], field.type, defaultValue(field), version),
      )
      out.push(uvarint(present.length))
      for (const { name, field, codec } of present) {
        const content: Buffer[] = []
        codec.encode(content, value[name])
        const joined = Buffer.concat(content)
        out.push(uvarint(field.options.tag!), uvarint(joined.length), joined)
      }
    },
    decode(cursor) {
      const value: Value = {}
      for (const { name, field } of all) value[name] = defaultValue(field)
      for (const { name, codec } of plain) value[name] = codec.decode(cursor)
      for (let left = flexible ? readUvarint(cursor) : 0; left > 0; left--) {
        const tag = readUvarint(cursor)
        const end = readUvarint(cursor) + cursor.position
        const known = tagged.find(({ field }) => field.options.tag === tag)
        if (known !== undefined) value[known.name] = known.codec.decode(cursor)
        cursor.position = end
      }
      return value
    },
  }
}

/** Fields of the version decide whether a tagged struct is its default; others are not sent at all. */
function sameAsDefault(value: Value, type: AnyType, fallback: Value, version: number): boolean {
  if (type.kind === 'struct' && value !== null && fallback !== null) {
    return Object.entries(type.fields as FieldMap)
      .filter(([, field]) => existsIn(field, version, true))
      .every(([name, field]) => value[name] === undefined || sameAsDefault(value[name], field.type, fallback[name], version))
  }
  if (value !== null && fallback !== null && typeof value === 'object') return value.length === 0
  return value === fallback
}

function typeCodec(type: AnyType, field: Field, nullable: boolean, version: number, flexible: boolean): TypeCodec {
  if (type.kind === 'array') {
    const element = typeCodec(type.element, { type: type.element, options: {} }, false, version, flexible)
    return {
      encode(out, value) {
        out.push(length(value === null ? -1 : value.length, flexible, 4))
        for (const item of value ?? []) element.encode(out, item)
      },
      decode(cursor) {
        const count = readLength(cursor, flexible, 4)
        return count < 0 ? null : Array.from({ length: count }, () => element.decode(cursor))
      },
    }
  }
  if (type.kind === 'struct') {
    const inner = structCodec(type.fields, version, flexible)
    if (!nullable) return inner
    return {
      encode(out, value) {
        out.push(Buffer.from([value === null ? 0xff : 1]))
        if (value !== null) inner.encode(out, value)
      },
      decode: (cursor) => (cursor.buffer.readInt8(cursor.position++) < 0 ? null : inner.decode(cursor)),
    }
  }
  if (type.kind === 'string')
    return sizedCodec(
      flexible,
      2,
      (value) => Buffer.from(value),
      (bytes) => bytes.toString(),
    )
  if (type.kind === 'bytes' || type.kind === 'records') {
    return sizedCodec(
      flexible,
      4,
      (value) => (Array.isArray(value) ? Buffer.concat(value) : value),
      (bytes) => bytes,
    )
  }
  return fixedCodec(type.kind, field.options.default === INT64_MAX)
}

function sizedCodec(flexible: boolean, lengthBytes: 2 | 4, toBytes: (value: Value) => Buffer, from: (bytes: Buffer) => Value): TypeCodec {
  return {
    encode(out, value) {
      const bytes = value === null ? null : toBytes(value)
      out.push(length(bytes?.length ?? -1, flexible, lengthBytes), bytes ?? Buffer.alloc(0))
    },
    decode(cursor) {
      const size = readLength(cursor, flexible, lengthBytes)
      if (size < 0) return null
      cursor.position += size
      return from(cursor.buffer.subarray(cursor.position - size, cursor.position))
    },
  }
}

function fixedCodec(kind: string, readsMax: boolean): TypeCodec {
  const [bytes, write, read] = fixedKinds[kind]!
  return {
    encode(out, value) {
      const buffer = Buffer.alloc(bytes)
      write(buffer, value)
      out.push(buffer)
    },
    decode(cursor) {
      const value = read(cursor.buffer.subarray(cursor.position, cursor.position + bytes))
      cursor.position += bytes
      return kind === 'int64' && !readsMax && !Number.isSafeInteger(value) ? NaN : value
    },
  }
}

const fixedKinds: Record<string, [number, (buffer: Buffer, value: Value) => void, (buffer: Buffer) => Value]> = {
  bool: [1, (buffer, value) => buffer.writeInt8(value ? 1 : 0), (buffer) => buffer.readInt8() !== 0],
  int8: [1, (buffer, value) => buffer.writeInt8(value), (buffer) => buffer.readInt8()],
  int16: [2, (buffer, value) => buffer.writeInt16BE(value), (buffer) => buffer.readInt16BE()],
  uint16: [2, (buffer, value) => buffer.writeUInt16BE(value), (buffer) => buffer.readUInt16BE()],
  int32: [4, (buffer, value) => buffer.writeInt32BE(value), (buffer) => buffer.readInt32BE()],
  uint32: [4, (buffer, value) => buffer.writeUInt32BE(value), (buffer) => buffer.readUInt32BE()],
  int64: [
    8,
    (buffer, value) => buffer.writeBigInt64BE(value === INT64_MAX ? 2n ** 63n - 1n : BigInt(value)),
    (buffer) => Number(buffer.readBigInt64BE()),
  ],
  float64: [8, (buffer, value) => buffer.writeDoubleBE(value), (buffer) => buffer.readDoubleBE()],
  uuid: [16, (buffer, value) => Buffer.from(value, 'base64url').copy(buffer), (buffer) => buffer.toString('base64url')],
}

function length(value: number, flexible: boolean, bytes: 2 | 4): Buffer {
  if (flexible) return uvarint(value + 1)
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}

function readLength(cursor: Cursor, flexible: boolean, bytes: 2 | 4): number {
  if (flexible) return readUvarint(cursor) - 1
  cursor.position += bytes
  return cursor.buffer.readIntBE(cursor.position - bytes, bytes)
}

export function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

function readUvarint(cursor: Cursor): number {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = cursor.buffer[cursor.position++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}
