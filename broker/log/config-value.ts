/**
 * Values of settings as text: how they parse, and what is allowed, in words a person can act on. Kafka's config types
 * (DescribeConfigs v3+): BOOLEAN 1, STRING 2, INT 3, SHORT 4, LONG 5, DOUBLE 6, LIST 7.
 */
export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

export const configTypeCodes: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}

export type ConfigValue = boolean | string | number | readonly string[]

export interface ValueRule {
  readonly type: ConfigType
  readonly minimum?: number
  readonly maximum?: number
  /** For strings and the members of lists. */
  readonly oneOf?: readonly string[]
}

export type ParsedValue = { readonly value: ConfigValue } | { readonly problem: string }

const int32Maximum = 2_147_483_647
const int64Maximum = 9_223_372_036_854_775_807n

/** `value` as the rule's type, or what is allowed instead. A long beyond 2^53 becomes 2^53-1: all are "never". */
export function parseConfigValue(rule: ValueRule, text: string): ParsedValue {
  const trimmed = text.trim()
  if (rule.type === 'boolean') return parseBoolean(trimmed)
  if (rule.type === 'string') return parseString(rule, trimmed)
  if (rule.type === 'list') return parseList(rule, trimmed)
  return rule.type === 'double' ? parseDouble(rule, trimmed) : parseInteger(rule, trimmed)
}

/** "a whole number from 1 to 10", "one of a, b" ... */
export function describeAllowed(rule: ValueRule): string {
  if (rule.type === 'boolean') return 'true or false'
  if (rule.oneOf !== undefined) {
    const names = rule.oneOf.join(', ')
    return rule.type === 'list' ? `a comma-separated list without repetition of: ${names}` : `one of: ${names}`
  }
  if (rule.type === 'list') return 'a comma-separated list'
  if (rule.type === 'string') return 'any text'
  const noun = rule.type === 'double' ? 'a number' : 'a whole number'
  const maximum = rule.maximum ?? (rule.type === 'int' ? int32Maximum : undefined)
  if (rule.minimum !== undefined && maximum !== undefined) return `${noun} from ${rule.minimum} to ${maximum}`
  if (rule.minimum !== undefined) return `${noun} of at least ${rule.minimum}`
  return noun
}

function parseBoolean(text: string): ParsedValue {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 'false') return { value: lower === 'true' }
  return { problem: describeAllowed({ type: 'boolean' }) }
}

function parseString(rule: ValueRule, text: string): ParsedValue {
  return rule.oneOf === undefined || rule.oneOf.includes(text) ? { value: text } : { problem: describeAllowed(rule) }
}

function parseList(rule: ValueRule, text: string): ParsedValue {
  const members = text === '' ? [] : text.split(',').map((member) => member.trim())
  const isAllowed = members.every((member) => member !== '' && (rule.oneOf?.includes(member) ?? true))
  const isUnique = new Set(members).size === members.length
  return isAllowed && isUnique ? { value: members } : { problem: describeAllowed(rule) }
}

function parseDouble(rule: ValueRule, text: string): ParsedValue {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || !isWithin(rule, value)) return { problem: describeAllowed(rule) }
  return { value }
}

function parseInteger(rule: ValueRule, text: string): ParsedValue {
  if (!/^[+-]?\d{1,19}$/.test(text)) return { problem: describeAllowed(rule) }
  const exact = BigInt(text.replace('+', ''))
  const limit = rule.type === 'int' ? BigInt(int32Maximum) : int64Maximum
  if (exact > limit || exact < -limit - 1n) return { problem: describeAllowed(rule) }
  const value = Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(exact)))
  return isWithin(rule, value) ? { value } : { problem: describeAllowed(rule) }
}

function isWithin(rule: ValueRule, value: number): boolean {
  return value >= (rule.minimum ?? Number.NEGATIVE_INFINITY) && value <= (rule.maximum ?? Number.POSITIVE_INFINITY)
}
