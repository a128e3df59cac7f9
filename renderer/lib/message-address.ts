import type { MessageQuery, TextFilter } from '../../broker/contract/messages.ts'

/**
 * A message query as an address: `?from=time:1763647200000&order=oldest-first&partitions=0,3&text=truck_42&in=key&case=1&limit=100&live=1`.
 * Only what differs from the default is written, so most addresses are short; anything that cannot be read falls back to the default.
 */
export interface MessageView {
  partitions: number[] | null
  start: NonNullable<MessageQuery['start']>
  order: 'newest-first' | 'oldest-first'
  text: string
  textIn: TextFilter['in']
  caseSensitive: boolean
  live: boolean
  /** The record whose detail is open: `partition:offset`; `first` opens the first one found. */
  record: { partition: number; offset: number } | 'first' | null
}

export const defaultMessageView: MessageView = {
  partitions: null,
  start: { at: 'everything' },
  order: 'newest-first',
  text: '',
  textIn: undefined,
  caseSensitive: false,
  live: false,
  record: null,
}

type AddressQuery = Record<string, string | undefined>

export function toAddress(view: Partial<MessageView>): AddressQuery {
  const full = { ...defaultMessageView, ...view }
  return {
    partitions: full.partitions === null ? undefined : full.partitions.join(','),
    from: startToText(full.start),
    order: full.order === 'newest-first' ? undefined : full.order,
    text: full.text === '' ? undefined : full.text,
    in: full.textIn?.join(','),
    case: full.caseSensitive ? '1' : undefined,
    live: full.live ? '1' : undefined,
    record: full.record === null ? undefined : full.record === 'first' ? 'first' : `${full.record.partition}:${full.record.offset}`,
  }
}

export function fromAddress(query: Readonly<Record<string, unknown>>): MessageView {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '')
  return {
    partitions: parseNumbers(text('partitions')),
    start: startFromText(text('from')),
    order: text('order') === 'oldest-first' ? 'oldest-first' : 'newest-first',
    text: text('text').slice(0, 1000),
    textIn: parseParts(text('in')),
    caseSensitive: text('case') === '1',
    live: text('live') === '1',
    record: parseRecord(text('record')),
  }
}

/** The query the host is asked, for a view of a topic. */
export function toMessageQuery(view: MessageView, place: { clusterId: string; topic: string }, rowsMax: number | null): MessageQuery {
  return {
    ...place,
    partitions: view.partitions,
    start: view.start,
    order: view.order,
    text: view.text === '' ? null : { contains: view.text, in: view.textIn, caseSensitive: view.caseSensitive },
    rowsMax,
  }
}

function startToText(start: MessageView['start']): string | undefined {
  switch (start.at) {
    case 'everything':
      return undefined
    case 'offset':
      return `offset:${start.offset}`
    case 'time':
      return `time:${start.timestampMs}`
    case 'range':
      return `range:${start.fromMs}-${start.toMs}`
  }
}

function startFromText(text: string): MessageView['start'] {
  const match = /^(offset|time|range):(\d{1,16})(?:-(\d{1,16}))?$/.exec(text)
  const first = Number(match?.[2])
  if (match?.[1] === 'offset' && Number.isSafeInteger(first)) return { at: 'offset', offset: first }
  if (match?.[1] === 'time' && Number.isSafeInteger(first)) return { at: 'time', timestampMs: first }
  const last = Number(match?.[3])
  if (match?.[1] === 'range' && Number.isSafeInteger(first) && Number.isSafeInteger(last)) return { at: 'range', fromMs: first, toMs: last }
  return { at: 'everything' }
}

function parseNumbers(text: string): number[] | null {
  if (text === '') return null
  const numbers = text
    .split(',')
    .filter((part) => /^\d{1,10}$/.test(part))
    .map(Number)
  return numbers.length > 0 ? numbers : null
}

const parts = ['key', 'value', 'headers'] as const

function parseParts(text: string): TextFilter['in'] {
  const named = parts.filter((part) => text.split(',').includes(part))
  return named.length > 0 && named.length < parts.length ? named : undefined
}

function parseRecord(text: string): MessageView['record'] {
  if (text === 'first') return 'first'
  const match = /^(\d{1,10}):(\d{1,16})$/.exec(text)
  return match ? { partition: Number(match[1]), offset: Number(match[2]) } : null
}
