import { describe, expect, test } from 'vitest'
import { decideRetention, type SegmentFacts } from '../../../broker/log/retention.ts'
import { defaultLogConfig, type LogConfig } from '../../../broker/log/topic-config.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { appendAll, openLog, readAll, simulatedLog, smallConfig, values } from './support.ts'

function decide(
  segments: readonly SegmentFacts[],
  options: { config?: Partial<LogConfig>; logStartOffset?: number; highWatermark?: number; nowMs?: number },
) {
  return decideRetention({
    segments,
    config: { ...defaultLogConfig, retentionMs: -1, ...options.config },
    logStartOffset: options.logStartOffset ?? 0,
    highWatermark: options.highWatermark ?? 1000,
    nowMs: options.nowMs ?? 1000,
  })
}

const segments = [
  { endOffset: 10, bytes: 100, newestMs: 100 },
  { endOffset: 20, bytes: 100, newestMs: 300 },
  { endOffset: 30, bytes: 100, newestMs: 200 },
  { endOffset: 35, bytes: 50, newestMs: 900 },
]

describe('what goes', () => {
  test.each<[string, Parameters<typeof decide>[1], number, string[]]>([
    ['nothing without limits', {}, 0, []],
    ['by time, until the first segment that is young enough', { config: { retentionMs: 800 } }, 1, ['time']],
    ['by time, all of it', { config: { retentionMs: 50 } }, 4, ['time', 'time', 'time', 'time']],
    ['by size, while what stays is at least the limit', { config: { retentionBytes: 250 } }, 1, ['size']],
    ['by size, not below the limit', { config: { retentionBytes: 251 } }, 0, []],
    ['below the log start', { logStartOffset: 20 }, 2, ['log start', 'log start']],
    ['not a segment the log start lies within', { logStartOffset: 19 }, 1, ['log start']],
    ['nothing at or above the high watermark', { config: { retentionMs: 50 }, highWatermark: 20 }, 2, ['time', 'time']],
    [
      'only below the log start when the policy is not delete',
      { config: { retentionMs: 50, isDeleted: false }, logStartOffset: 10 },
      1,
      ['log start'],
    ],
  ])('%s', (_, options, count, reasons) => {
    expect(decide(segments, options)).toEqual({ count, reasons })
  })

  test('an empty last segment stays: the log goes on there', () => {
    const emptied = [{ endOffset: 35, bytes: 0, newestMs: 0 }]
    expect(decide(emptied, { config: { retentionMs: 1 } }).count).toBe(0)
  })
})

describe('a log', () => {
  test('whose records are all too old goes on at the same offset, also after a power loss', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ retentionMs: 1000, usesLogAppendTime: true }) })
    await appendAll(
      log,
      Array.from({ length: 10 }, (_, index) => values(`value ${index}`.padEnd(80))),
    )
    await env.advance(2000)
    expect(await log.applyRetention()).toBe(ErrorCode.NONE)
    expect([log.logStartOffset, log.logEndOffset, log.sizeBytes, log.segmentCount]).toEqual([10, 10, 0, 1])
    await env.advance(1)
    const reopened = await openLog(env.restartAfter('powerLoss'), { recoveryPoint: log.recoveryPoint })
    expect([reopened.logStartOffset, reopened.logEndOffset]).toEqual([10, 10])
  })

  test('forgets what DeleteRecords asked for, within a segment too, and not above the high watermark', async () => {
    const { env, log } = await simulatedLog()
    await appendAll(
      log,
      Array.from({ length: 30 }, (_, index) => values(`value ${index}`)),
    )
    expect(log.deleteRecordsBefore(31)).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.deleteRecordsBefore(17)).toBe(ErrorCode.NONE)
    expect(log.deleteRecordsBefore(5)).toBe(ErrorCode.NONE)
    expect(log.logStartOffset).toBe(17)
    expect((await readAll(log))[0]?.offset).toBe(17)
    await env.advance(10)
    expect(log.core.segments.first.baseOffset).toBeGreaterThan(0)
    expect(log.core.segments.first.baseOffset).toBeLessThanOrEqual(17)
    const reopened = await openLog(env.restartAfter('kill'), { logStartOffset: 17 })
    expect(reopened.logStartOffset).toBe(17)
  })

  test('keeps the files of deleted segments for file.delete.delay.ms', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ fileDeleteDelayMs: 5000 }) })
    await appendAll(
      log,
      Array.from({ length: 30 }, (_, index) => values(`value ${index}`)),
    )
    log.deleteRecordsBefore(30)
    await env.advance(10)
    const deleted = () => env.diskControl.names.paths().filter((path) => path.endsWith('.deleted')).length
    expect(deleted()).toBeGreaterThan(0)
    await env.advance(5000)
    expect(deleted()).toBe(0)
  })
})
