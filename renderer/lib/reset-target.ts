import type { ResetTarget } from '../../broker/contract/groups.ts'
import { parseMoment } from './time.ts'

/** Where a reset moves offsets to, as it is typed; read into what the host is asked, or into why it cannot be. */
export const resetKinds = [
  { value: 'earliest', label: 'The oldest record', hint: 'Everything is read again' },
  { value: 'latest', label: 'The end', hint: 'What was not read is left out' },
  { value: 'time', label: 'A time', hint: '2026-11-20 14:03, or a span back from now such as 15m, 2h, 1d' },
  { value: 'shift', label: 'Back or forth by', hint: 'Records per partition: -100 reads the last hundred again' },
  { value: 'offset', label: 'An offset', hint: 'The same number in every partition' },
] as const
export type ResetKind = (typeof resetKinds)[number]['value']

export function readResetTarget(kind: ResetKind, text: string, nowMs: number): { target: ResetTarget } | { mistake: string } {
  if (kind === 'earliest' || kind === 'latest') return { target: { to: kind } }
  if (kind === 'time') {
    const timestampMs = parseMoment(text, nowMs)
    return timestampMs === null
      ? { mistake: 'Give a time such as 2026-11-20 14:03, or a span back from now such as 15m.' }
      : { target: { to: 'time', timestampMs } }
  }
  const number = Number(text.trim())
  if (text.trim() === '' || !Number.isSafeInteger(number)) return { mistake: 'Give a whole number.' }
  if (kind === 'shift') return { target: { to: 'shift', by: number } }
  return number < 0 ? { mistake: 'An offset is not negative.' } : { target: { to: 'offset', offset: number } }
}
