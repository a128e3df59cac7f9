/** From a topic's settings as text to the typed values the log works with. Pure. */
import { type ConfigValue, describeAllowed, parseConfigValue } from './config-value.ts'
import { type TopicSetting, topicSettings } from './topic-settings.ts'

export { configTypeCodes, type ConfigType } from './config-value.ts'
export { type TopicSetting, topicSettings } from './topic-settings.ts'

export type TopicCompression = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The settings the log acts upon. -1 in a retention is "unlimited"; 2^53-1 in a time is "never". */
export interface LogConfig {
  readonly isCompacted: boolean
  readonly isDeleted: boolean
  readonly compressionType: TopicCompression
  /** Level for `compressionType`; undefined is the codec's own default. */
  readonly compressionLevel: number | undefined
  readonly deleteRetentionMs: number
  readonly fileDeleteDelayMs: number
  readonly flushRecordCount: number
  readonly flushMs: number
  readonly indexIntervalBytes: number
  readonly maxCompactionLagMs: number
  readonly maxMessageBytes: number
  readonly timestampAfterMaxMs: number
  readonly timestampBeforeMaxMs: number
  readonly usesLogAppendTime: boolean
  readonly minCleanableDirtyRatio: number
  readonly minCompactionLagMs: number
  readonly minInsyncReplicas: number
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: number
  readonly segmentMs: number
  readonly uncleanLeaderElection: boolean
}

export interface ConfigProblem {
  readonly name: string
  readonly value: string | null
  /** A sentence: what is wrong and what is allowed. */
  readonly problem: string
}

export interface ParsedTopicConfig {
  readonly config: LogConfig
  /** Empty when every entry was taken; a refused entry leaves the default in `config`. */
  readonly problems: readonly ConfigProblem[]
}

const settingsByName: ReadonlyMap<string, TopicSetting> = new Map(topicSettings.map((setting) => [setting.name, setting]))

export function topicSetting(name: string): TopicSetting | null {
  return settingsByName.get(name) ?? null
}

/**
 * Checks `entries` (name to text; null asks for the default) on top of `defaults`, the broker's own values under the
 * topic settings' names.
 */
export function parseTopicConfig(
  entries: Iterable<readonly [string, string | null]>,
  defaults: ReadonlyMap<string, string> = new Map(),
): ParsedTopicConfig {
  const problems: ConfigProblem[] = []
  const values = new Map<string, ConfigValue>()
  for (const setting of topicSettings) {
    values.set(setting.name, parsedDefault(setting, defaults.get(setting.name)))
  }
  for (const [name, text] of entries) {
    const setting = settingsByName.get(name)
    if (setting === undefined) problems.push({ name, value: text, problem: unknownSetting(name) })
    else if (text !== null) takeValue(setting, text, values, problems)
  }
  const config = toLogConfig(values)
  problems.push(...contradictions(config, values))
  return { config, problems }
}

export const defaultLogConfig: LogConfig = parseTopicConfig([]).config

/** The problem with one entry, or null. */
export function validateTopicSetting(name: string, value: string): ConfigProblem | null {
  return parseTopicConfig([[name, value]]).problems[0] ?? null
}

function takeValue(setting: TopicSetting, text: string, values: Map<string, ConfigValue>, problems: ConfigProblem[]): void {
  const parsed = parseConfigValue(setting, text)
  if ('problem' in parsed) {
    const problem = `Invalid value ${JSON.stringify(text)} for ${setting.name}: must be ${parsed.problem}.`
    problems.push({ name: setting.name, value: text, problem })
  } else if (setting.name === 'remote.storage.enable' && parsed.value === true) {
    const problem = 'Invalid value "true" for remote.storage.enable: must be false, this cluster has no tiered storage.'
    problems.push({ name: setting.name, value: text, problem })
  } else {
    values.set(setting.name, parsed.value)
  }
}

function parsedDefault(setting: TopicSetting, override: string | undefined): ConfigValue {
  const parsed = parseConfigValue(setting, override ?? setting.defaultValue)
  if ('value' in parsed) return parsed.value
  throw new Error(`the default of ${setting.name} must be ${describeAllowed(setting)}, not ${JSON.stringify(override)}`)
}

function unknownSetting(name: string): string {
  const known = topicSettings.map((setting) => setting.name).join(', ')
  return `Unknown topic setting ${JSON.stringify(name.slice(0, 200))}. Known: ${known}.`
}

function contradictions(config: LogConfig, values: ReadonlyMap<string, ConfigValue>): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const add = (name: string, mustBe: string): void => {
    const value = String(values.get(name))
    problems.push({ name, value, problem: `Invalid value ${JSON.stringify(value)} for ${name}: must be ${mustBe}.` })
  }
  if (config.minCompactionLagMs > config.maxCompactionLagMs) {
    add('min.compaction.lag.ms', `at most max.compaction.lag.ms (${config.maxCompactionLagMs})`)
  }
  for (const unit of ['ms', 'bytes'] as const) {
    const local = Number(values.get(`local.retention.${unit}`))
    const total = Number(values.get(`retention.${unit}`))
    if (total >= 0 && (local === -1 || local > total)) {
      add(`local.retention.${unit}`, `at most retention.${unit} (${total}), or -2 to follow it`)
    }
  }
  return problems
}

function toLogConfig(values: ReadonlyMap<string, ConfigValue>): LogConfig {
  const number = (name: string): number => Number(values.get(name))
  const policy = values.get('cleanup.policy')
  const policies = Array.isArray(policy) ? policy : []
  const compressionType = values.get('compression.type') as TopicCompression
  return {
    isCompacted: policies.includes('compact'),
    isDeleted: policies.includes('delete'),
    compressionType,
    compressionLevel: compressionLevel(compressionType, number),
    deleteRetentionMs: number('delete.retention.ms'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    flushRecordCount: number('flush.messages'),
    flushMs: number('flush.ms'),
    indexIntervalBytes: number('index.interval.bytes'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    maxMessageBytes: number('max.message.bytes'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    usesLogAppendTime: values.get('message.timestamp.type') === 'LogAppendTime',
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    minInsyncReplicas: number('min.insync.replicas'),
    retentionBytes: number('retention.bytes'),
    retentionMs: number('retention.ms'),
    segmentBytes: number('segment.bytes'),
    segmentIndexBytes: number('segment.index.bytes'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentMs: number('segment.ms'),
    uncleanLeaderElection: values.get('unclean.leader.election.enable') === true,
  }
}

function compressionLevel(type: TopicCompression, number: (name: string) => number): number | undefined {
  if (type === 'lz4') return number('compression.lz4.level')
  if (type === 'zstd') return number('compression.zstd.level')
  const gzipLevel = number('compression.gzip.level')
  return type === 'gzip' && gzipLevel !== -1 ? gzipLevel : undefined
}
