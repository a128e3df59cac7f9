/**
 * The notation in which every Kafka message is written down: TypeScript data with version ranges per field.
 *
 * From one schema come both directions (encode and decode, for requests as for responses; see codec.ts) and the
 * TypeScript types (`Decoded`, `Encodable`). A schema holds facts only: order, type, versions, nullability, tag, default.
 *
 * Ranges are written as Kafka's own definitions write them: '3+' from version 3 on, '3-12' those versions, '5' that one.
 */
export type VersionRange = `${number}+` | `${number}-${number}` | `${number}`

/** What an int64 of Kafka's largest value decodes to, where a schema names it as the default; it encodes back to that value. */
export const INT64_MAX = 2 ** 63

/** Stands where the sender did not ask for, or the broker does not know, the operations allowed. */
export const AUTHORIZED_OPERATIONS_OMITTED = -2147483648

export interface FieldOptions<Default = unknown> {
  /** Versions in which the field exists; absent: in every version of the message. */
  readonly versions?: VersionRange
  /** Versions in which null is legal; `true`: wherever the field exists. */
  readonly nullable?: VersionRange | true
  /** Carried in the tag section under this number wherever the field exists and the version is flexible. */
  readonly tag?: number
  /** Stands in for an absent field, on decode and on encode. Left out: 0, false, '', empty, ZERO_UUID; null only by `default: null`. */
  readonly default?: Default
}

export type PrimitiveKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export interface PrimitiveType<K extends PrimitiveKind = PrimitiveKind> {
  readonly kind: K
}
export interface ArrayType<Element extends AnyType = AnyType> {
  readonly kind: 'array'
  readonly element: Element
}
export interface StructType<Fields extends FieldMap = FieldMap> {
  readonly kind: 'struct'
  readonly fields: Fields
}
// Recursion through an interface with a wide parameter keeps the compiler from expanding it for ever.
export type AnyType = PrimitiveType | ArrayType<any> | StructType<any>

export interface Field<Type extends AnyType = AnyType, Options extends FieldOptions = FieldOptions> {
  readonly type: Type
  readonly options: Options
}
export type FieldMap = { readonly [name: string]: Field<AnyType, FieldOptions> }

/** One message: a request, a response, or a record value. */
export interface Message<Fields extends FieldMap = FieldMap> {
  readonly name: string
  readonly versions: VersionRange
  /** First versions with compact lengths and tag sections; 'none' for messages that never had them. */
  readonly flexible: VersionRange | 'none'
  readonly fields: Fields
}

// --------------------------------------------------------------------------------------------------------- constructors

function primitive<K extends PrimitiveKind>(kind: K) {
  return <const Options extends FieldOptions = {}>(options?: Options): Field<PrimitiveType<K>, Options> => ({
    type: { kind },
    options: options ?? ({} as Options),
  })
}

export const bool = primitive('bool')
export const int8 = primitive('int8')
export const int16 = primitive('int16')
export const uint16 = primitive('uint16')
export const int32 = primitive('int32')
export const uint32 = primitive('uint32')
/** A JS number; decoding a value beyond 2^53 is an error, except where the schema's default is that value. */
export const int64 = primitive('int64')
export const float64 = primitive('float64')
/** The 16 bytes zero: no id. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** 16 bytes, held as Kafka's text form: URL-safe base64 without padding, 22 characters. */
export const uuid = primitive('uuid')
export const string = primitive('string')
/** Decoded as a view into the frame, never a copy. */
export const bytes = primitive('bytes')
/** Record batches, opaque: on the wire like bytes. */
export const records = primitive('records')

/** `array(int32(), …)` for plain elements, `array({ … }, …)` for structs. Element options other than the type are ignored. */
export function array<Element extends Field | FieldMap, const Options extends FieldOptions = {}>(
  element: Element,
  options?: Options,
): Field<ArrayType<ElementType<Element>>, Options> {
  const type = isField(element) ? element.type : { kind: 'struct' as const, fields: element as FieldMap }
  return { type: { kind: 'array', element: type as ElementType<Element> }, options: options ?? ({} as Options) }
}

/** A single nested struct. Nullable ones carry an int8 marker: -1 null, 1 present. */
export function struct<Fields extends FieldMap, const Options extends FieldOptions = {}>(
  fields: Fields,
  options?: Options,
): Field<StructType<Fields>, Options> {
  return { type: { kind: 'struct', fields }, options: options ?? ({} as Options) }
}

export function message<Fields extends FieldMap>(definition: Message<Fields>): Message<Fields> {
  return definition
}

/** One Kafka API: a request and its response, which share key and versions. */
export interface Api<Request extends FieldMap = FieldMap, Response extends FieldMap = FieldMap> {
  readonly key: number
  readonly name: string
  /** What can be decoded and encoded. */
  readonly versions: VersionRange
  /** What an ApiVersions response lists once the API is served to clients; 'never' for inter-node ones. */
  readonly advertised: VersionRange | 'never'
  readonly flexible: VersionRange | 'none'
  readonly request: Message<Request>
  readonly response: Message<Response>
}

export function api<Request extends FieldMap, Response extends FieldMap>(
  definition: Omit<Api, 'request' | 'response'> & { readonly request: Request; readonly response: Response },
): Api<Request, Response> {
  const { name, versions, flexible } = definition
  return {
    ...definition,
    request: message({ name: `${name}Request`, versions, flexible, fields: definition.request }),
    response: message({ name: `${name}Response`, versions, flexible, fields: definition.response }),
  }
}

/** First and last version of a range; `max` is Infinity when it is open. */
export function boundsOf(range: VersionRange): { readonly min: number; readonly max: number } {
  const [first, last] = range.split('-')
  if (last !== undefined) return { min: Number(first), max: Number(last) }
  return range.endsWith('+') ? { min: parseInt(range, 10), max: Infinity } : { min: Number(range), max: Number(range) }
}

export function isInRange(range: VersionRange, version: number): boolean {
  const { min, max } = boundsOf(range)
  return version >= min && version <= max
}

function isField(value: Field | FieldMap): value is Field {
  return 'type' in value && 'options' in value && typeof (value as Field).type.kind === 'string'
}

type ElementType<E> = E extends Field<infer T, any> ? T : E extends FieldMap ? StructType<E> : never

// ------------------------------------------------------------------------------------------------------------- inference

type PrimitiveValues = {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  uint32: number
  int64: number
  float64: number
  uuid: string
  string: string
  bytes: Buffer
  records: Buffer
}

type OrNull<Options, Value> = Options extends { nullable: any } ? Value | null : Options extends { default: null } ? Value | null : Value

/** What decoding yields: every field present; one absent from the version holds its default. */
export type Decoded<M> = M extends Message<infer Fields> ? DecodedFields<Fields> : M extends FieldMap ? DecodedFields<M> : never
type DecodedFields<Fields extends FieldMap> = { -readonly [Name in keyof Fields]: DecodedField<Fields[Name]> }
type DecodedField<F> = F extends Field<infer Type, infer Options> ? OrNull<Options, DecodedType<Type>> : never
type DecodedType<Type> =
  Type extends PrimitiveType<infer K>
    ? PrimitiveValues[K]
    : Type extends ArrayType<infer Element>
      ? DecodedType<Element>[]
      : Type extends StructType<infer Fields>
        ? DecodedFields<Fields>
        : never

/**
 * What encoding takes: fields with a version range, a tag or a default may be left out, all others must be given.
 * `bytes` and `records` also take a list of chunks, written back to back without copying them together.
 */
export type Encodable<M> = M extends Message<infer Fields> ? EncodableFields<Fields> : M extends FieldMap ? EncodableFields<M> : never
type EncodableFields<Fields extends FieldMap> = {
  readonly [Name in RequiredNames<Fields>]: EncodableField<Fields[Name]>
} & { readonly [Name in Exclude<keyof Fields, RequiredNames<Fields>>]?: EncodableField<Fields[Name]> }
type RequiredNames<Fields extends FieldMap> = {
  [Name in keyof Fields]: Fields[Name] extends Field<any, infer Options>
    ? Options extends { versions: any } | { tag: any } | { default: any }
      ? never
      : Name
    : never
}[keyof Fields]
type EncodableField<F> = F extends Field<infer Type, infer Options> ? OrNull<Options, EncodableType<Type>> : never
type EncodableType<Type> =
  Type extends PrimitiveType<infer K>
    ? K extends 'bytes' | 'records'
      ? Uint8Array | readonly Uint8Array[]
      : PrimitiveValues[K]
    : Type extends ArrayType<infer Element>
      ? readonly EncodableType<Element>[]
      : Type extends StructType<infer Fields>
        ? EncodableFields<Fields>
        : never
