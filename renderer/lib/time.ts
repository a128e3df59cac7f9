/** Times of day in the reader's own zone, to the millisecond: what distinguishes two records is often only that. */

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** 2026-11-20 14:03:07.123 */
export function formatTimestamp(timestampMs: number | null | undefined): string {
  if (timestampMs === null || timestampMs === undefined || timestampMs < 0) return '–'
  const date = new Date(timestampMs)
  if (Number.isNaN(date.getTime())) return String(timestampMs)
  return `${formatDay(date)} ${formatClock(timestampMs)}`
}

/** 14:03:07.123 */
export function formatClock(timestampMs: number): string {
  const date = new Date(timestampMs)
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/** 14:03:07 */
export function formatSecondOfDay(timestampMs: number): string {
  return formatClock(timestampMs).slice(0, 8)
}

function formatDay(date: Date): string {
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`, with the same words for the future. */
export function formatAgo(timestampMs: number | null | undefined, nowMs: number): string {
  if (timestampMs === null || timestampMs === undefined) return '–'
  const elapsedMs = nowMs - timestampMs
  const spanMs = Math.abs(elapsedMs)
  if (spanMs < 2000) return 'now'
  const text = largestUnit(spanMs)
  return elapsedMs >= 0 ? `${text} ago` : `in ${text}`
}

function largestUnit(spanMs: number): string {
  if (spanMs < 60_000) return `${Math.floor(spanMs / 1000)} s`
  if (spanMs < 3_600_000) return `${Math.floor(spanMs / 60_000)} min`
  if (spanMs < 86_400_000) return `${Math.floor(spanMs / 3_600_000)} h`
  return `${Math.floor(spanMs / 86_400_000)} d`
}

/** The value an `<input type="datetime-local" step="0.001">` wants for a moment, in the reader's zone. */
export function toLocalInput(timestampMs: number): string {
  return `${formatDay(new Date(timestampMs))}T${formatClock(timestampMs)}`
}

/**
 * A moment as people type it: epoch milliseconds or seconds, `2026-11-20 14:03`, ISO 8601, or a span back from now such as `15m`, `2h`, `1d`.
 * Returns null when it is none of these.
 */
export function parseMoment(text: string, nowMs: number): number | null {
  const trimmed = text.trim()
  const span = /^-?(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)$/.exec(trimmed)
  if (span) return nowMs - Number(span[1]) * spanUnits[span[2] as keyof typeof spanUnits]
  if (/^\d{13}$/.test(trimmed)) return Number(trimmed)
  if (/^\d{10}$/.test(trimmed)) return Number(trimmed) * 1000
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return null
  const parsed = Date.parse(trimmed.replace(' ', 'T'))
  return Number.isNaN(parsed) ? null : parsed
}

const spanUnits = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const
