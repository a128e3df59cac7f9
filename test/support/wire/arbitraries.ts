/** fast-check arbitraries made from a schema: values a caller may encode, and what decoding them must yield. */
import fc from 'fast-check'
import { INT64_MAX, isInRange, ZERO_UUID } from '../../../broker/wire/schema.ts'
import type { AnyType, Field, FieldMap, Message } from '../../../broker/wire/schema.ts'
import { defaultValue, existsIn, isNullableIn, type Value } from './reference-codec.ts'

type Arbitrary = fc.Arbitrary<Value>

/** Encodable values of one message at one version. Optional fields are sometimes left out, fields the version lacks sometimes given. */
export function messageArbitrary(message: Message, version: number): Arbitrary {
  return structArbitrary(message.fields, version, message.flexible !== 'none' && isInRange(message.flexible, version))
}

/** What decoding must yield for a value that was encoded. */
export function decodedForm(message: Message, version: number, value: Value): Value {
  return decodedStruct(message.fields, version, message.flexible !== 'none' && isInRange(message.flexible, version), value)
}

function decodedStruct(fields: FieldMap, version: number, flexible: boolean, value: Value): Value {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const isGiven = existsIn(field, version, flexible) && value[name] !== undefined
      return [name, isGiven ? decodedValue(field.type, version, flexible, value[name]) : defaultValue(field)]
    }),
  )
}

function decodedValue(type: AnyType, version: number, flexible: boolean, value: Value): Value {
  if (value === null) return null
  if (type.kind === 'struct') return decodedStruct(type.fields, version, flexible, value)
  if (type.kind === 'array') return value.map((item: Value) => decodedValue(type.element, version, flexible, item))
  return Array.isArray(value) ? Buffer.concat(value) : value
}

function structArbitrary(fields: FieldMap, version: number, flexible: boolean): Arbitrary {
  const entries = Object.entries(fields)
  const model = Object.fromEntries(entries.map(([name, field]) => [name, fieldArbitrary(field, version, flexible)]))
  const requiredKeys = entries.filter(([, { options }]) => !('versions' in options || 'tag' in options || 'default' in options))
  return fc.record(model, { requiredKeys: requiredKeys.map(([name]) => name) })
}

function fieldArbitrary(field: Field, version: number, flexible: boolean): Arbitrary {
  const value = typeArbitrary(field.type, field, version, flexible)
  const options = [{ arbitrary: value, weight: 3 }]
  if (isNullableIn(field, version)) options.push({ arbitrary: fc.constant(null), weight: 1 })
  const fallback = defaultValue(field)
  if (fallback !== null) options.push({ arbitrary: fc.constant(fallback), weight: 1 })
  return fc.oneof(...options)
}

function typeArbitrary(type: AnyType, field: Field, version: number, flexible: boolean): Arbitrary {
  if (type.kind === 'array') {
    return fc.array(typeArbitrary(type.element, { type: type.element, options: {} }, version, flexible), { maxLength: 3, size: 'small' })
  }
  if (type.kind === 'struct') return structArbitrary(type.fields, version, flexible)
  return field.options.default === INT64_MAX ? fc.oneof(primitives.int64!, fc.constant(INT64_MAX)) : primitives[type.kind]!
}

const chunk = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
const bytes = fc.oneof(chunk, fc.array(chunk, { maxLength: 3 }), fc.constant(Buffer.alloc(1500, 0x5a)))

const primitives: Record<string, Arbitrary> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  float64: fc.double({ noNaN: true }),
  uuid: fc.oneof(
    fc.constant(ZERO_UUID),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((raw) => Buffer.from(raw).toString('base64url')),
  ),
  string: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constant('x'.repeat(200)), fc.constant('é'.repeat(90))),
  bytes,
  records: bytes,
}
