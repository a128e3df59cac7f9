import type { MessageView } from './message-address.ts'
import { formatClock, formatTimestamp, parseMoment } from './time.ts'

/** Where reading begins, as it is chosen and typed in the toolbar. */
export type StartKind = MessageView['start']['at'] | 'live'

type Order = MessageView['order']

/** Backwards an offset or a time is where reading begins from above, so the words differ by order. */
export function startChoices(order: Order): { value: StartKind; label: string }[] {
  const word = order === 'newest-first' ? 'Up to' : 'From'
  return [
    { value: 'everything', label: 'All records' },
    { value: 'offset', label: `${word} offset` },
    { value: 'time', label: `${word} time` },
    { value: 'range', label: 'Time range' },
    { value: 'live', label: 'Live tail' },
  ]
}

export const startHints: Readonly<Partial<Record<StartKind, string>>> = {
  offset: 'Offset',
  time: '15m, 2h, 2026-11-20 14:03',
  range: '2h .. 1h, or 2026-11-20 14:03 .. 15:00',
}

export function startText(start: MessageView['start']): string {
  switch (start.at) {
    case 'everything':
      return ''
    case 'offset':
      return String(start.offset)
    case 'time':
      return formatTimestamp(start.timestampMs)
    case 'range':
      return rangeText(start.fromMs, start.toMs)
  }
}

/** Within one day the day is said once. */
function rangeText(fromMs: number, toMs: number): string {
  const [from, to] = [formatTimestamp(fromMs), formatTimestamp(toMs)]
  const dayLength = '2026-11-20'.length
  return `${from} .. ${from.slice(0, dayLength) === to.slice(0, dayLength) ? formatClock(toMs) : to}`
}

export function readStart(
  kind: 'offset' | 'time' | 'range',
  text: string,
  nowMs: number,
): { start: MessageView['start'] } | { mistake: string } {
  if (kind === 'offset') {
    const digits = text.trim().replaceAll(/[,_\s]/g, '')
    const offset = Number(digits)
    return /^\d+$/.test(digits) && Number.isSafeInteger(offset)
      ? { start: { at: 'offset', offset } }
      : { mistake: 'An offset is a whole number, 0 or more.' }
  }
  if (kind === 'time') {
    const timestampMs = moment(text, nowMs)
    return timestampMs === null
      ? { mistake: 'Give a time such as 2026-11-20 14:03, or a span back from now such as 15m.' }
      : { start: { at: 'time', timestampMs } }
  }
  return readRange(text, nowMs)
}

function readRange(text: string, nowMs: number): { start: MessageView['start'] } | { mistake: string } {
  const [from, to, rest] = text.split('..').map((part) => part.trim())
  const mistake = 'Give two times with .. between them, such as 2h .. 1h.'
  if (from === undefined || to === undefined || rest !== undefined) return { mistake }
  const day = /^\d{4}-\d{2}-\d{2}/.exec(from)?.[0]
  const fromMs = moment(from, nowMs)
  const toMs =
    to === '' || to === 'now' ? nowMs : moment(day !== undefined && /^\d{1,2}:\d{2}/.test(to) ? `${day} ${to.padStart(5, '0')}` : to, nowMs)
  if (fromMs === null || toMs === null) return { mistake }
  return toMs > fromMs ? { start: { at: 'range', fromMs, toMs } } : { mistake: 'The range ends before it begins.' }
}

function moment(text: string, nowMs: number): number | null {
  const found = parseMoment(text, nowMs)
  return found === null || found < 0 ? null : Math.round(found)
}
