/** Times of day, to the millisecond: what distinguishes two records is often only that. In the reader's own zone, or in UTC when the settings say so. */

let displayZone: 'local' | 'utc' = 'local'

export function setDisplayZone(zone: 'local' | 'utc'): void {
  displayZone = zone
}

/** The moment whose UTC fields read as the display zone's clock. */
function inZone(timestampMs: number): Date {
  if (displayZone === 'utc') return new Date(timestampMs)
  return new Date(timestampMs - new Date(timestampMs).getTimezoneOffset() * 60_000)
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** 2026-11-20 14:03:07.123 */
export function formatTimestamp(timestampMs: number | null | undefined): string {
  if (timestampMs === null || timestampMs === undefined || timestampMs < 0) return '–'
  const date = inZone(timestampMs)
  if (Number.isNaN(date.getTime())) return String(timestampMs)
  return `${formatDay(date)} ${formatClock(timestampMs)}`
}

/** 2026-11-20 14:03 */
export function formatMinute(timestampMs: number): string {
  return formatTimestamp(timestampMs).slice(0, 16)
}

/** 14:03:07.123 */
export function formatClock(timestampMs: number): string {
  const date = inZone(timestampMs)
  return `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}.${pad(date.getUTCMilliseconds(), 3)}`
}

/** 14:03:07 */
export function formatSecondOfDay(timestampMs: number): string {
  return formatClock(timestampMs).slice(0, 8)
}

function formatDay(date: Date): string {
  return `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`
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

/** A mark on a time axis: as fine as the marks are apart. */
export function axisTime(timestampMs: number, stepMs: number): string {
  if (stepMs >= 86_400_000) return formatDay(inZone(timestampMs)).slice(5)
  return formatClock(timestampMs).slice(0, stepMs < 1000 ? 12 : stepMs < 60_000 ? 8 : 5)
}

/** The value an `<input type="datetime-local" step="0.001">` wants for a moment, in the display zone. */
export function toLocalInput(timestampMs: number): string {
  return `${formatDay(inZone(timestampMs))}T${formatClock(timestampMs)}`
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
  const iso = trimmed.replace(' ', 'T')
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(iso) || !iso.includes('T')
  const parsed = Date.parse(
    hasZone || displayZone === 'local' ? (iso.includes('T') ? iso : `${iso}T00:00${displayZone === 'utc' ? 'Z' : ''}`) : `${iso}Z`,
  )
  return Number.isNaN(parsed) ? null : parsed
}

const spanUnits = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const
