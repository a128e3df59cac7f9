import type { ConfigEntry, ConfigSource } from '../../client/types.ts'
import type { SettingView } from '../../contract/topic-settings.ts'

const sources: Readonly<Record<ConfigSource, SettingView['source']>> = {
  topic: 'topic',
  broker: 'broker',
  'broker-default': 'cluster-default',
  static: 'broker-static',
  default: 'default',
  unknown: 'other',
  logger: 'other',
  'client-metrics': 'other',
  group: 'other',
}

/** What Kafka accepts where its protocol does not tell. */
const choices: Readonly<Record<string, readonly string[]>> = {
  'cleanup.policy': ['delete', 'compact', 'delete,compact'],
  'compression.type': ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
  'message.timestamp.type': ['CreateTime', 'LogAppendTime'],
}

const types: ReadonlySet<string> = new Set(['boolean', 'string', 'int', 'short', 'long', 'double', 'list', 'class', 'password'])

/** `own`: the source that counts as set on the thing itself. */
export function settingView(entry: ConfigEntry, own: ConfigSource): SettingView {
  const type = entry.type.toLowerCase()
  const isOwn = entry.source === own
  const inherited = entry.synonyms.find((synonym) => synonym.source !== own)
  const closed = type === 'boolean' ? ['true', 'false'] : (choices[entry.name] ?? null)
  return {
    name: entry.name,
    value: entry.isSensitive ? null : entry.value,
    defaultValue: isOwn ? (inherited?.value ?? null) : entry.value,
    source: sources[entry.source],
    type: types.has(type) ? (type as SettingView['type']) : 'unknown',
    documentation: entry.documentation,
    allowed: closed === null ? allowedOf(type) : `one of: ${closed.join(', ')}`,
    choices: closed,
    unit: unitOf(entry.name),
    isReadOnly: entry.isReadOnly,
  }
}

function allowedOf(type: string): string | null {
  if (type === 'int' || type === 'short' || type === 'long') return 'a whole number'
  if (type === 'double') return 'a number'
  return type === 'list' ? 'values separated by commas' : null
}

function unitOf(name: string): SettingView['unit'] {
  if (name.endsWith('.ms')) return 'ms'
  if (name.endsWith('.bytes')) return 'bytes'
  if (name.endsWith('.ratio')) return 'ratio'
  return /\.(replicas|messages|partitions|count|factor|jitter)$/.test(name) ? 'count' : null
}
