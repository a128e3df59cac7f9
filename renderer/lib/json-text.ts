/**
 * JSON laid out for reading without being read into values: the text's own tokens are moved apart and nothing else. So every number keeps its digits
 * (9007199254740993, 1.10, 1e-400), every key its place and its twin, every string its escapes.
 *
 *   value -> after-value | first-key | first-item
 *   first-key, key -> colon -> value;   first-key, after-value -> `}`
 *   first-item -> value;                first-item, after-value -> `]`
 *   after-value -> `,` -> key | value;  after-value at depth 0 = the end
 */
type Expected = 'value' | 'first-key' | 'key' | 'first-item' | 'colon' | 'after-value'

export interface JsonProblem {
  message: string
  /** 1-based. */
  line: number
  column: number
}

const INDENT = '  '
/** Deeper levels are not indented further, so that a text of brackets alone cannot grow without bound. */
const INDENT_LEVELS_MAX = 32

const numeralOrWord = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

const expectations: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'first-key': 'a key in double quotes, or }',
  key: 'a key in double quotes',
  'first-item': 'a value, or ]',
  colon: 'a colon',
  'after-value': 'a comma or the end',
}

/** The text laid out, or null when it is not JSON. */
export function prettyJson(text: string): string | null {
  const out: string[] = []
  return walk(text, (piece) => out.push(piece)) === null ? out.join('') : null
}

/** What is wrong with a text that should be JSON, or null when nothing is. */
export function jsonProblem(text: string): JsonProblem | null {
  const failure = walk(text, () => undefined)
  if (failure === null) return null
  const before = text.slice(0, failure.position)
  const line = before.split('\n').length
  return { message: failure.message, line, column: before.length - before.lastIndexOf('\n') }
}

function walk(text: string, emit: (piece: string) => unknown): { message: string; position: number } | null {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let position = 0
  const newLine = (): unknown => emit(`\n${INDENT.repeat(Math.min(open.length, INDENT_LEVELS_MAX))}`)
  const isStart = (): boolean => expected === 'value' || expected === 'first-item'

  for (;;) {
    position = skipBlanks(text, position)
    if (position >= text.length) {
      return expected === 'after-value' && open.length === 0
        ? null
        : { message: `It ends where ${expectations[expected]} is expected.`, position }
    }
    const letter = text[position] as string
    if (letter === '{' || letter === '[') {
      if (!isStart()) return unexpected(letter, expected, position)
      if (expected === 'first-item') newLine()
      open.push(letter)
      emit(letter)
      expected = letter === '{' ? 'first-key' : 'first-item'
      position += 1
    } else if (letter === '}' || letter === ']') {
      const isEmpty = expected === (letter === '}' ? 'first-key' : 'first-item')
      const closes = open.at(-1) === (letter === '}' ? '{' : '[') && (isEmpty || expected === 'after-value')
      if (!closes) return unexpected(letter, expected, position)
      open.pop()
      if (!isEmpty) newLine()
      emit(letter)
      expected = 'after-value'
      position += 1
    } else if (letter === ',') {
      if (expected !== 'after-value' || open.length === 0) return unexpected(letter, expected, position)
      emit(',')
      newLine()
      expected = open.at(-1) === '{' ? 'key' : 'value'
      position += 1
    } else if (letter === ':') {
      if (expected !== 'colon') return unexpected(letter, expected, position)
      emit(': ')
      expected = 'value'
      position += 1
    } else {
      const end = letter === '"' ? endOfString(text, position) : endOfScalar(text, position)
      if (end === null)
        return {
          message:
            letter === '"'
              ? 'A string is not closed, or holds a bad escape or a control character.'
              : `Expected ${expectations[expected]}.`,
          position,
        }
      const isKey: boolean = letter === '"' && (expected === 'first-key' || expected === 'key')
      if (!isKey && !isStart()) return unexpected(text.slice(position, end), expected, position)
      if (expected === 'first-key' || expected === 'first-item') newLine()
      emit(text.slice(position, end))
      expected = isKey ? 'colon' : 'after-value'
      position = end
    }
  }
}

const FOUND_SHOWN_MAX = 20

function unexpected(found: string, expected: Expected, position: number): { message: string; position: number } {
  return { message: `Expected ${expectations[expected]}, found ${found.slice(0, FOUND_SHOWN_MAX)}.`, position }
}

function skipBlanks(text: string, from: number): number {
  let position = from
  while (position < text.length) {
    const code = text.charCodeAt(position)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    position += 1
  }
  return position
}

const escapes = '"\\/bfnrt'

/** One past the closing quote, or null. By hand, as a pattern would keep a place to return to for every letter of a long string. */
function endOfString(text: string, start: number): number | null {
  let position = start + 1
  while (position < text.length) {
    const code = text.charCodeAt(position)
    if (code === 0x22) return position + 1
    if (code < 0x20) return null
    if (code === 0x5c) {
      const letter = text[position + 1]
      if (letter === 'u' && /^[\da-fA-F]{4}$/.test(text.slice(position + 2, position + 6))) position += 6
      else if (letter !== undefined && escapes.includes(letter)) position += 2
      else return null
    } else position += 1
  }
  return null
}

function endOfScalar(text: string, start: number): number | null {
  numeralOrWord.lastIndex = start
  return numeralOrWord.test(text) ? numeralOrWord.lastIndex : null
}
