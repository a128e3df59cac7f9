import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultLogConfig, parseTopicConfig, topicSettings, validateTopicSetting } from '../../../broker/log/topic-config.ts'

describe('defaults', () => {
  test("are Kafka 4.3's", () => {
    expect(defaultLogConfig).toMatchObject({
      isDeleted: true,
      isCompacted: false,
      compressionType: 'producer',
      maxMessageBytes: 1_048_588,
      retentionMs: 604_800_000,
      retentionBytes: -1,
      segmentBytes: 1_073_741_824,
      segmentIndexBytes: 10_485_760,
      timestampAfterMaxMs: 3_600_000,
      timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
      flushRecordCount: Number.MAX_SAFE_INTEGER,
      minCleanableDirtyRatio: 0.5,
    })
  })

  test('every default passes its own check, and every setting is documented once', () => {
    for (const setting of topicSettings) {
      expect(validateTopicSetting(setting.name, setting.defaultValue)).toBeNull()
      expect(setting.documentation.length).toBeGreaterThan(20)
    }
    expect(new Set(topicSettings.map((setting) => setting.name)).size).toBe(topicSettings.length)
  })

  test("the broker's own values come before the built-in ones, and the topic's before both", () => {
    const brokerValues = new Map([
      ['retention.ms', '1000'],
      ['segment.bytes', '2097152'],
    ])
    const { config } = parseTopicConfig([['retention.ms', '5']], brokerValues)
    expect(config.retentionMs).toBe(5)
    expect(config.segmentBytes).toBe(2_097_152)
  })
})

describe('refusals name the setting, the value and what is allowed', () => {
  test.each([
    ['retention.ms', 'soon', 'a whole number of at least -1'],
    ['segment.bytes', '1000', 'a whole number from 1048576 to 2147483647'],
    ['segment.bytes', '2147483648', 'a whole number from 1048576 to 2147483647'],
    ['retention.bytes', '9223372036854775808', 'a whole number'],
    ['cleanup.policy', 'compact,shred', 'compact, delete'],
    ['cleanup.policy', 'delete,delete', 'without repetition'],
    ['min.cleanable.dirty.ratio', '1.5', 'a number from 0 to 1'],
    ['compression.type', 'zip', 'one of: uncompressed, zstd, lz4, snappy, gzip, producer'],
    ['preallocate', 'yes', 'true or false'],
    ['remote.storage.enable', 'true', 'no tiered storage'],
    ['retention.hours', '1', 'Unknown topic setting'],
    ['min.compaction.lag.ms', '9223372036854775807', ''],
  ])('%s=%s', (name, value, allowed) => {
    const problem = validateTopicSetting(name, value)
    if (allowed === '') return expect(problem).toBeNull()
    expect(problem?.name).toBe(name)
    expect(problem?.value).toBe(value)
    expect(problem?.problem).toContain(name)
    expect(problem?.problem).toContain(allowed)
  })

  test('settings that contradict each other', () => {
    const lag = parseTopicConfig([
      ['min.compaction.lag.ms', '10'],
      ['max.compaction.lag.ms', '5'],
    ])
    expect(lag.problems.map((problem) => problem.name)).toEqual(['min.compaction.lag.ms'])
    const local = parseTopicConfig([
      ['local.retention.ms', '10'],
      ['retention.ms', '5'],
    ])
    expect(local.problems.map((problem) => problem.name)).toEqual(['local.retention.ms'])
  })

  test('any text for any setting is either taken or refused, never an exception', () => {
    const name = fc.constantFrom(...topicSettings.map((setting) => setting.name), 'other', '__proto__')
    fc.assert(
      fc.property(name, fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (key, value) => {
        const { config, problems } = parseTopicConfig([[key, value]])
        for (const [field, parsed] of Object.entries(config)) {
          if (typeof parsed === 'number') expect({ field, isFinite: Number.isFinite(parsed) }).toEqual({ field, isFinite: true })
        }
        return problems.length <= 1
      }),
    )
  })
})

test('cleanup.policy may be both, one or none', () => {
  const policies = (value: string) => {
    const { isCompacted, isDeleted } = parseTopicConfig([['cleanup.policy', value]]).config
    return [isCompacted, isDeleted]
  }
  expect(policies('compact, delete')).toEqual([true, true])
  expect(policies('compact')).toEqual([true, false])
  expect(policies('')).toEqual([false, false])
})

test('the level is that of the codec in use', () => {
  const level = (...entries: [string, string][]) => parseTopicConfig(entries).config.compressionLevel
  expect(level(['compression.type', 'gzip'])).toBeUndefined()
  expect(level(['compression.type', 'gzip'], ['compression.gzip.level', '6'])).toBe(6)
  expect(level(['compression.type', 'zstd'])).toBe(3)
  expect(level(['compression.type', 'snappy'], ['compression.gzip.level', '6'])).toBeUndefined()
})
