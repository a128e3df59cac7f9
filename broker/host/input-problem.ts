/** What is wrong with the input of a call, as a sentence that names the field, what is allowed there, and what was given. */

/** What valibot says of one mistake; the fields that are read. */
export interface InputIssue {
  readonly message: string
  readonly kind?: string
  readonly type?: string
  readonly expected?: string | null
  readonly received?: string
  readonly requirement?: unknown
  readonly input?: unknown
  readonly path?: readonly unknown[]
}

const givenMax = 60

/** Of the first issue; the others are often its consequences. */
export function inputSentence(issues: readonly InputIssue[] | undefined): string {
  const issue = issues?.[0]
  if (issue === undefined) return 'The input of the call is not valid.'
  const field = fieldOf(issue.path ?? [])
  const subject = field === '' ? 'The input' : `"${field}"`
  // The schemas' own messages go on from the field: `is empty`, `may hold only letters`.
  if (!issue.message.startsWith('Invalid ')) return `${subject} ${issue.message}.`
  if (issue.received === 'undefined') return `${subject} is missing.`
  return `${subject} ${allowed(issue)}; ${given(issue)} was given.`
}

/** `partitions[2].beforeOffset` */
function fieldOf(path: readonly unknown[]): string {
  return path
    .map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part))
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join('')
}

function allowed({ type, expected, requirement, input }: InputIssue): string {
  const unit = typeof input === 'string' ? 'characters' : 'entries'
  switch (type) {
    case 'min_value':
      return `must be at least ${String(requirement)}`
    case 'max_value':
      return `must be at most ${String(requirement)}`
    case 'min_length':
      return `must have at least ${String(requirement)} ${unit}`
    case 'max_length':
      return `must have at most ${String(requirement)} ${unit}`
    case 'integer':
    case 'safe_integer':
      return 'must be a whole number'
    default:
      return `must be ${kindOf(expected ?? 'something else')}`
  }
}

/** Valibot's notation of what it expected: a type, a literal, or alternatives joined by `|`, in brackets. */
function kindOf(expected: string): string {
  const choices = expected.replace(/^\((.*)\)$/, '$1').split(' | ')
  const names = choices.map((choice) => typeNames[choice] ?? choice)
  return names.length > 1 ? `one of: ${names.join(', ')}` : (names[0] ?? expected)
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
}

function given({ type, input, received }: InputIssue): string {
  if (type === 'min_length' || type === 'max_length') return received ?? 'another length'
  const text = received === 'Array' || received === 'Object' ? (typeNames[received] ?? received) : textOf(input, received)
  return text.length > givenMax ? `${text.slice(0, givenMax)}…` : text
}

function textOf(input: unknown, received: string | undefined): string {
  if (typeof input === 'string') return JSON.stringify(input)
  return typeof input === 'number' || typeof input === 'boolean' ? String(input) : (received ?? 'something else')
}
