/**
 * Reads the reference description of Kafka's wire layouts (a text file kept beside the checkout, not in it) into a plain model,
 * and our schemas into the same model, so that a test can compare them field by field.
 */
import { isInRange } from '../../../broker/wire/schema.ts'
import type { AnyType, Field, FieldMap, Message } from '../../../broker/wire/schema.ts'
import { defaultValue, existsIn, isNullableIn } from './reference-codec.ts'
import { versionsOf } from './messages.ts'

/** One field as it is at one version. Fields the version lacks are not in the model. */
export interface FieldAtVersion {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | null
  readonly default: unknown
  readonly fields: readonly FieldAtVersion[]
}

export interface Layout {
  readonly name: string
  readonly versions: string
  readonly flexible: string
  readonly fields: readonly LayoutField[]
}

interface LayoutField {
  readonly name: string
  readonly type: string
  readonly nullable: string | null
  readonly versions: string | null
  readonly tag: number | null
  readonly default: string | null
  readonly fields: LayoutField[]
}

/** Layouts of requests, responses and payloads, by name. */
export function parseLayouts(text: string): ReadonlyMap<string, Layout> {
  const layouts = new Map<string, Layout>()
  for (const block of text.split(/^## /m).slice(1)) {
    const lines = block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('# '))
    const heading = /^(?:(?:type )?\d+ )?(\w+) +v(\S+) +flex (\S+)/.exec(lines[0]!)!
    const [, name, versions, flexible] = heading as unknown as [string, string, string, string]
    const response = lines.indexOf(' response')
    if (response === -1) {
      layouts.set(name, { name, versions, flexible, fields: parseFields(lines.slice(1)) })
    } else {
      layouts.set(`${name}Request`, { name: `${name}Request`, versions, flexible, fields: parseFields(lines.slice(2, response)) })
      layouts.set(`${name}Response`, { name: `${name}Response`, versions, flexible, fields: parseFields(lines.slice(response + 1)) })
    }
  }
  return layouts
}

function parseFields(lines: readonly string[]): LayoutField[] {
  const root: LayoutField[] = []
  const open: { indent: number; fields: LayoutField[] }[] = [{ indent: -1, fields: root }]
  for (const line of lines) {
    const [, spaces, name, rest] = /^( *)(\w+): (.*)$/.exec(line) as unknown as [string, string, string, string]
    const words = rest.split(' ')
    const [, type, , nullable] = /^((?:\[\])?\w*)(\?(?:\((.*)\))?)?$/.exec(words[0]!)!
    const option = (pattern: RegExp) =>
      words
        .slice(1)
        .map((word) => pattern.exec(word)?.[1])
        .find((found) => found !== undefined) ?? null
    const tag = option(/^tag(\d+)/)
    const field: LayoutField = {
      name,
      type: type!,
      nullable: words[0]!.includes('?') ? (nullable ?? '0+') : null,
      versions: option(/^v(\S+)/),
      tag: tag === null ? null : Number(tag),
      default: option(/^=(.*)/),
      fields: [],
    }
    while (open.at(-1)!.indent >= spaces.length) open.pop()
    open.at(-1)!.fields.push(field)
    open.push({ indent: spaces.length, fields: field.fields })
  }
  return root
}

export function layoutAtVersion(layout: Layout, version: number): readonly FieldAtVersion[] {
  const flexible = layout.flexible !== 'none' && isInRange(layout.flexible as never, version)
  const visit = (fields: readonly LayoutField[]): FieldAtVersion[] =>
    fields
      .filter(({ versions, tag }) => (versions === null || isInRange(versions as never, version)) && (tag === null || flexible))
      .map((field) => ({
        name: field.name,
        type: layoutType(field),
        nullable: field.nullable !== null && isInRange(field.nullable as never, version),
        tag: field.tag,
        default: field.default === null ? null : Number.isNaN(Number(field.default)) ? field.default : Number(field.default),
        fields: visit(field.fields),
      }))
  return visit(layout.fields)
}

function layoutType({ type, fields }: LayoutField): string {
  if (fields.length === 0) return type
  return type.startsWith('[]') ? '[]struct' : 'struct'
}

export function schemaAtVersion(message: Message, version: number): readonly FieldAtVersion[] {
  const flexible = message.flexible !== 'none' && isInRange(message.flexible, version)
  const visit = (fields: FieldMap): FieldAtVersion[] =>
    Object.entries(fields)
      .filter(([, field]) => existsIn(field, version, flexible))
      .map(([name, field]) => ({
        name,
        type: schemaType(field.type),
        nullable: isNullableIn(field, version),
        tag: field.options.tag ?? null,
        default: schemaDefault(field),
        fields: visit(innerFields(field.type)),
      }))
  return visit(message.fields)
}

function schemaType(type: AnyType): string {
  return type.kind === 'array' ? `[]${type.element.kind}` : type.kind
}

function innerFields(type: AnyType): FieldMap {
  if (type.kind === 'array') return innerFields(type.element)
  return type.kind === 'struct' ? type.fields : {}
}

/** As the layouts write it: nothing for the type's own default, else the value, null and booleans by name. */
function schemaDefault(field: Field): unknown {
  if (field.options.default === undefined) return null
  const value = defaultValue(field)
  return typeof value === 'number' ? value : String(value)
}

/** Whether two version ranges hold the same versions of the message. */
export function sameVersions(message: Message, layout: Layout): boolean {
  const [first, last = first] = layout.versions.split('-')
  const versions = versionsOf(message)
  return versions[0] === Number(first) && versions.at(-1) === Number(last)
}
