import type { SettingView } from '../../broker/contract/topic-settings.ts'
import { formatBytes, formatDuration } from './format.ts'

/** A setting's value in words, when its number alone says little: 604800000 is 7 d. Null when the value speaks for itself. */
export function settingInWords(value: string | null, unit: SettingView['unit']): string | null {
  if (value === null || !/^-?\d+$/.test(value)) return null
  const number = Number(value)
  // A level of -1 is a level of its own; only of what is measured or counted there is no end to.
  if (value === '-1') return unit === null ? null : 'no limit'
  if (number >= Number.MAX_SAFE_INTEGER) return 'practically never'
  if (unit === 'ms' && number >= 1000) return formatDuration(number)
  if (unit === 'bytes' && number >= 1024) return formatBytes(number)
  return null
}

export const settingSources: Readonly<Record<SettingView['source'], string>> = {
  topic: 'this topic',
  broker: 'broker, set at run time',
  'cluster-default': 'cluster default',
  'broker-static': "broker's file",
  default: 'default',
  other: 'other',
}
