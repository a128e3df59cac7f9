/**
 * Numbers as people read them: grouped digits for exact counts, short forms with a unit for rates and sizes.
 * A missing value is an en dash, never zero: not known and none are different answers.
 */

export const MISSING = '–'

const countFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const shortFormat = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const decimalFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const percentFormat = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 })

type Maybe = number | null | undefined

function isMissing(value: Maybe): value is null | undefined {
  return value === null || value === undefined || Number.isNaN(value)
}

/** An exact count: 1,234,567. */
export function formatCount(value: Maybe): string {
  return isMissing(value) ? MISSING : countFormat.format(value)
}

/** A count where the magnitude matters more than the last digit: 1.2M. */
export function formatShort(value: Maybe): string {
  return isMissing(value) ? MISSING : shortFormat.format(value)
}

export function formatPercent(ratio: Maybe): string {
  return isMissing(ratio) ? MISSING : percentFormat.format(ratio)
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** A size in binary units: 1.5 MiB. */
export function formatBytes(bytes: Maybe): string {
  if (isMissing(bytes)) return MISSING
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 ? countFormat.format(value) : value < 10 ? value.toFixed(1) : countFormat.format(value)
  return `${digits} ${byteUnits[unit]}`
}

/** Records per second, in two digits or more: 0/s, 0.4/s, 2.0/s, 12/s, 431/s, 3.4K/s. A decimal that comes and goes with each sample would make a column dance. */
export function formatRate(perSecond: Maybe): string {
  if (isMissing(perSecond)) return MISSING
  if (perSecond === 0) return '0/s'
  if (perSecond < 0.05) return '<0.1/s'
  if (perSecond < 9.95) return `${perSecond.toFixed(1)}/s`
  return `${perSecond < 999.5 ? countFormat.format(perSecond) : shortFormat.format(Math.round(perSecond))}/s`
}

export function formatByteRate(bytesPerSecond: Maybe): string {
  return isMissing(bytesPerSecond) ? MISSING : `${formatBytes(Math.round(bytesPerSecond))}/s`
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A span in its two largest units: 850 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 7 d. */
export function formatDuration(spanMs: Maybe): string {
  if (isMissing(spanMs)) return MISSING
  if (spanMs < SECOND_MS) return `${Math.round(spanMs)} ms`
  if (spanMs < 10 * SECOND_MS) return `${decimalFormat.format(spanMs / SECOND_MS)} s`
  if (spanMs < MINUTE_MS) return `${Math.floor(spanMs / SECOND_MS)} s`
  if (spanMs < HOUR_MS) return twoUnits(spanMs, MINUTE_MS, 'min', SECOND_MS, 's')
  if (spanMs < DAY_MS) return twoUnits(spanMs, HOUR_MS, 'h', MINUTE_MS, 'min')
  return twoUnits(spanMs, DAY_MS, 'd', HOUR_MS, 'h')
}

/** A span whose size is what matters, in its largest unit: 46 s, 17 min, 3 h, 2 d. */
export function formatAbout(spanMs: Maybe): string {
  if (isMissing(spanMs)) return MISSING
  if (spanMs < MINUTE_MS) return `${Math.ceil(spanMs / SECOND_MS)} s`
  if (spanMs < HOUR_MS) return `${Math.round(spanMs / MINUTE_MS)} min`
  if (spanMs < 2 * DAY_MS) return `${Math.round(spanMs / HOUR_MS)} h`
  return `${Math.round(spanMs / DAY_MS)} d`
}

function twoUnits(spanMs: number, largeMs: number, largeUnit: string, smallMs: number, smallUnit: string): string {
  const large = Math.floor(spanMs / largeMs)
  const small = Math.floor((spanMs % largeMs) / smallMs)
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

/** `1 partition`, `3 partitions`. */
export function plural(count: number | null, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
