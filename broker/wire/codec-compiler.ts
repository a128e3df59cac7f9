/**
 * Turns a message's schema at one version into two functions, by writing their source and compiling it once.
 *
 * Straight-line code with constant property names is what V8 optimises well: closures that interpret the schema were measured
 * several times slower (test/bench/wire.ts). The source is made of our own schemas alone, never of what arrives.
 */
import { Buffer } from 'node:buffer'
import type { Reader } from './reader.ts'
import { INT64_MAX, isInRange, ZERO_UUID } from './schema.ts'
import type { AnyType, Field, FieldMap, Message, PrimitiveKind, StructType } from './schema.ts'
import type { Writer } from './writer.ts'

export interface Codec {
  readonly decode: (reader: Reader) => unknown
  readonly encode: (writer: Writer, value: unknown) => void
}

/** Throws when the schema is not sound; whether the version is valid is the caller's to check. */
export function compileCodec(message: Message, version: number): Codec {
  const compiler = new Compiler(version, message.flexible !== 'none' && isInRange(message.flexible, version))
  const decode = compiler.structDecoder(message.fields)
  const encode = compiler.structEncoder(message.fields)
  const source = `'use strict'\n${compiler.functions.join('\n')}\nreturn { decode: ${decode}, encode: ${encode} }`
  // oxlint-disable-next-line typescript/no-implied-eval -- the source is written above, from our schemas' checked names
  return new Function('EMPTY', source)(Buffer.alloc(0)) as Codec
}

const fixedBytes: Partial<Record<PrimitiveKind, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

class Compiler {
  readonly functions: string[] = []
  private readonly version: number
  private readonly isFlexible: boolean

  constructor(version: number, isFlexible: boolean) {
    this.version = version
    this.isFlexible = isFlexible
  }

  // ------------------------------------------------------------------------------------------------------------ decoding

  structDecoder(fields: FieldMap): string {
    const body: string[] = []
    const properties: string[] = []
    for (const [name, field] of this.checked(fields)) {
      properties.push(name)
      if (this.isTagged(field)) body.push(`let ${name} = ${this.defaultOf(field)}`)
      else if (this.isPresent(field)) body.push(`const ${name} = ${this.readExpression(field)}`)
      else body.push(`const ${name} = ${this.defaultOf(field)}`)
    }
    if (this.isFlexible) body.push(this.tagSectionReader(fields))
    body.push(`return { ${properties.join(', ')} }`)
    return this.define('d', 'r', body)
  }

  private tagSectionReader(fields: FieldMap): string {
    const tagged = this.taggedOf(fields)
    if (tagged.length === 0) return 'r.skipTags()'
    const cases = tagged.map(
      ([name, field]) => `case ${field.options.tag}: ${name} = ${this.readExpression(field)}; r.closeTag(tag, end); break`,
    )
    return `for (let left = r.tagCount(), tag = -1; left > 0; left--) {
      tag = r.tagAfter(tag)
      const end = r.tagEnd()
      switch (tag) {
        ${cases.join('\n        ')}
        default: r.position = end
      }
    }`
  }

  private readExpression(field: Field): string {
    const nullable = this.isNullable(field)
    const { type } = field
    if (type.kind === 'array') return `${this.arrayDecoder(type.element, nullable)}(r)`
    if (type.kind === 'struct') {
      const decoder = this.structDecoder((type as StructType).fields)
      return nullable ? `(r.isPresent() ? ${decoder}(r) : null)` : `${decoder}(r)`
    }
    return `r.${this.methodOf(field, nullable)}()`
  }

  private arrayDecoder(element: AnyType, nullable: boolean): string {
    const least = Math.max(1, this.leastBytes({ type: element, options: {} }))
    return this.define('d', 'r', [
      `const count = r.${this.isFlexible ? 'compactArrayCount' : 'arrayCount'}(${least})`,
      nullable ? 'if (count === -1) return null' : 'if (count === -1) r.refuseNull()',
      'const list = new Array(count)',
      `for (let index = 0; index < count; index++) list[index] = ${this.readExpression({ type: element, options: {} })}`,
      'return list',
    ])
  }

  // ------------------------------------------------------------------------------------------------------------ encoding

  structEncoder(fields: FieldMap): string {
    const body: string[] = []
    for (const [name, field] of this.checked(fields)) {
      if (this.isPresent(field) && !this.isTagged(field)) body.push(this.writeStatement(field, this.valueOf(name, field)))
    }
    if (this.isFlexible) body.push(this.tagSectionWriter(fields))
    return this.define('e', 'w, v', body)
  }

  /** Tags are written in ascending order, those that hold their default not at all. */
  private tagSectionWriter(fields: FieldMap): string {
    const tagged = this.taggedOf(fields).sort(([, left], [, right]) => left.options.tag! - right.options.tag!)
    if (tagged.length === 0) return 'w.uvarint(0)'
    const values = tagged.map(([name, field]) => `const ${name} = ${this.valueOf(name, field)}`)
    const presences = tagged.map(([name, field]) => `const has_${name} = !(${this.isDefaultExpression(field, name)})`)
    const count = tagged.map(([name]) => `(has_${name} ? 1 : 0)`).join(' + ')
    const writes = tagged.map(
      ([name, field]) =>
        `if (has_${name}) { w.uvarint(${field.options.tag}); const mark = w.openSized(); ${this.writeStatement(field, name)}; w.closeSized(mark) }`,
    )
    return [...values, ...presences, `w.uvarint(${count})`, ...writes].join('\n  ')
  }

  private writeStatement(field: Field, value: string): string {
    const nullable = this.isNullable(field)
    const { type } = field
    if (type.kind === 'array') return `${this.arrayEncoder(type.element, nullable)}(w, ${value})`
    if (type.kind === 'struct') {
      const encoder = this.structEncoder((type as StructType).fields)
      if (!nullable) return `${encoder}(w, ${value})`
      return `{ const struct = ${value}; w.presence(struct !== null); if (struct !== null) ${encoder}(w, struct) }`
    }
    return `w.${this.methodOf(field, nullable)}(${value})`
  }

  private arrayEncoder(element: AnyType, nullable: boolean): string {
    const count = this.isFlexible ? 'compactArrayCount' : 'arrayCount'
    return this.define('e', 'w, list', [
      nullable ? `if (list === null) return w.${count}(-1)` : '',
      `w.${count}(list.length)`,
      `for (let index = 0; index < list.length; index++) ${this.writeStatement({ type: element, options: {} }, 'list[index]')}`,
    ])
  }

  /** The value given, or the default when the caller may leave the field out. */
  private valueOf(name: string, field: Field): string {
    const { versions, tag } = field.options
    const isOptional = versions !== undefined || tag !== undefined || field.options.default !== undefined
    return isOptional ? `(v.${name} === undefined ? ${this.defaultOf(field)} : v.${name})` : `v.${name}`
  }

  private isDefaultExpression(field: Field, value: string): string {
    const { type } = field
    if (field.options.default === null) return `${value} === null`
    if (type.kind === 'struct') return `${value} !== null && ${this.defaultChecker((type as StructType).fields)}(${value})`
    if (type.kind === 'array' || type.kind === 'bytes' || type.kind === 'records') return `${value} !== null && ${value}.length === 0`
    return `${value} === ${this.defaultOf(field)}`
  }

  private defaultChecker(fields: FieldMap): string {
    const checks = this.checked(fields)
      .filter(([, field]) => this.isPresent(field))
      .map(
        ([name, field]) =>
          `{ const value = ${this.valueOf(name, field)}; if (!(${this.isDefaultExpression(field, 'value')})) return false }`,
      )
    return this.define('z', 'v', [...checks, 'return true'])
  }

  // -------------------------------------------------------------------------------------------------------------- shared

  private methodOf(field: Field, nullable: boolean): string {
    const { kind } = field.type
    if (kind === 'int64') return field.options.default === INT64_MAX ? 'int64OrMax' : 'int64'
    if (kind !== 'string' && kind !== 'bytes' && kind !== 'records') return kind
    const stem = kind === 'string' ? (nullable ? 'nullableString' : 'string') : nullable ? 'nullableBytes' : 'bytes'
    return this.isFlexible ? `compact${stem[0]!.toUpperCase()}${stem.slice(1)}` : stem
  }

  /** The source of a fresh default value. */
  private defaultOf(field: Field): string {
    const { type, options } = field
    if (options.default !== undefined) return JSON.stringify(options.default)
    switch (type.kind) {
      case 'bool':
        return 'false'
      case 'string':
        return '""'
      case 'uuid':
        return JSON.stringify(ZERO_UUID)
      case 'bytes':
      case 'records':
        return 'EMPTY'
      case 'array':
        return '[]'
      case 'struct': {
        const properties = this.checked((type as StructType).fields).map(([name, inner]) => `${name}: ${this.defaultOf(inner)}`)
        return `{ ${properties.join(', ')} }`
      }
      default:
        return '0'
    }
  }

  /** The least a value takes on the wire: what bounds the number of elements an array may claim. */
  private leastBytes(field: Field): number {
    const { type } = field
    const fixed = fixedBytes[type.kind as PrimitiveKind]
    if (fixed !== undefined) return fixed
    if (type.kind === 'string') return this.isFlexible ? 1 : 2
    if (type.kind !== 'struct') return this.isFlexible ? 1 : 4
    if (this.isNullable(field)) return 1
    let least = this.isFlexible ? 1 : 0
    for (const inner of Object.values((type as StructType).fields)) {
      if (this.isPresent(inner) && !this.isTagged(inner)) least += this.leastBytes(inner)
    }
    return least
  }

  private isPresent(field: Field): boolean {
    const { versions, tag } = field.options
    return (versions === undefined || isInRange(versions, this.version)) && (tag === undefined || this.isFlexible)
  }

  private isTagged(field: Field): boolean {
    return field.options.tag !== undefined && this.isPresent(field)
  }

  private isNullable(field: Field): boolean {
    const { nullable } = field.options
    if (nullable === undefined) return false
    return nullable === true || isInRange(nullable, this.version)
  }

  private taggedOf(fields: FieldMap): [string, Field][] {
    return this.checked(fields).filter(([, field]) => this.isTagged(field))
  }

  /** Names become source text: only what can be nothing but an identifier passes. */
  private checked(fields: FieldMap): [string, Field][] {
    const entries = Object.entries(fields)
    for (const [name] of entries) if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw new Error(`"${name}" cannot name a field`)
    return entries
  }

  private define(prefix: string, parameters: string, body: readonly string[]): string {
    const name = `${prefix}_${this.functions.length}`
    this.functions.push(`function ${name}(${parameters}) {\n  ${body.filter((line) => line !== '').join('\n  ')}\n}`)
    return name
  }
}
