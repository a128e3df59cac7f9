/** Letting old segments go: by time, by size, and below the log start (which DeleteRecords moves). */
import { ErrorCode } from '../wire/errors.ts'
import type { LogCore } from './log-core.ts'
import { decideRetention, type RetentionReason, type SegmentFacts } from './retention.ts'
import type { Segment } from './segment.ts'
import type { LogConfig } from './types.ts'

/** Deletes what the settings no longer keep. Never rejects; a failing disk takes the log offline. */
export function applyRetention(core: LogCore): Promise<ErrorCode> {
  return deleteUnkept(core, () => core.config)
}

/** Deletes what lies below the log start, and nothing for its age or size: that waits for retention's next round. */
function deleteBelowLogStart(core: LogCore): Promise<ErrorCode> {
  return deleteUnkept(core, () => ({ ...core.config, isDeleted: false }))
}

function deleteUnkept(core: LogCore, configNow: () => LogConfig): Promise<ErrorCode> {
  return core.tasks.run(async () => {
    const nowMs = core.context.env.clock.nowMs()
    const config = configNow()
    const { retentionMs, isDeleted } = config
    const all = core.segments.all
    const facts: SegmentFacts[] = []
    let looksAtTimes = isDeleted && retentionMs >= 0
    for (const [index, segment] of all.entries()) {
      const newestMs = looksAtTimes ? await newestTime(core, segment) : nowMs
      // Behind the first that is young enough none goes by time, so their indexes can stay on the disk.
      looksAtTimes &&= nowMs - newestMs > retentionMs
      facts.push({ endOffset: all[index + 1]?.baseOffset ?? core.logEndOffset, bytes: segment.bytes, newestMs })
    }
    const { count, reasons } = decideRetention({
      segments: facts,
      config,
      logStartOffset: core.logStartOffset,
      highWatermark: core.highWatermark,
      nowMs,
    })
    if (count > 0) await deleteFirst(core, count, reasons)
  })
}

/** Moves the log start; what lies wholly below it is deleted in the background. */
export function deleteRecordsBefore(core: LogCore, offset: number): ErrorCode {
  if (core.offline !== null) return ErrorCode.KAFKA_STORAGE_ERROR
  if (offset > core.highWatermark) return ErrorCode.OFFSET_OUT_OF_RANGE
  if (offset <= core.logStartOffset) return ErrorCode.NONE
  core.logStartOffset = offset
  core.epochs.truncateFromStart(offset)
  void deleteBelowLogStart(core)
  return ErrorCode.NONE
}

async function newestTime(core: LogCore, segment: Segment): Promise<number> {
  const largest = await segment.largestTimestamp()
  if (largest !== null) return largest.timestampMs
  const stat = await core.context.env.disk.stat(segment.path)
  return stat?.modifiedMs ?? core.context.env.clock.nowMs()
}

async function deleteFirst(core: LogCore, count: number, reasons: readonly RetentionReason[]): Promise<void> {
  if (count >= core.segments.all.length) {
    if (core.segments.active.bytes > 0) core.roll()
    // Its name carries the log end over a crash, so it must be there before the others go.
    await core.segments.active.sync()
  }
  const removed = core.segments.removeFirst(count)
  core.logStartOffset = Math.max(core.logStartOffset, core.segments.first.baseOffset)
  core.recoveryPoint = Math.max(core.recoveryPoint, core.segments.first.baseOffset)
  core.epochs.truncateFromStart(core.logStartOffset)
  core.context.env.log.write('info', 'segments deleted by retention', {
    ...core.topicPartition,
    count: removed.length,
    reason: [...new Set(reasons)].join(', '),
    logStartOffset: core.logStartOffset,
  })
  await deleteSegments(core, removed)
  await core.storeEpochs()
}

/** Out of the log now, off the disk after file.delete.delay.ms, so that reads under way can end. */
export async function deleteSegments(core: LogCore, segments: readonly Segment[]): Promise<void> {
  for (const segment of segments) await segment.markDeleted()
  const remove = async (): Promise<void> => {
    try {
      for (const segment of segments) await segment.remove()
    } catch (error) {
      core.context.env.log.write('warn', 'a deleted segment could not be removed; the next start will', {
        directory: core.directory,
        error,
      })
    }
  }
  core.context.env.timers.after(core.config.fileDeleteDelayMs, () => void remove())
}
