/**
 * Appending: check, assign offsets, order the write, remember. All of it synchronous, so that the order of the calls is
 * the order of the log. A refused batch changes nothing.
 */
import { ErrorCode, WireError } from '../wire/errors.ts'
import {
  type BatchAt,
  batchCrcIsValid,
  batchesIn,
  type BatchHeader,
  isControl,
  lastOffset,
  patchBaseOffset,
  patchPartitionLeaderEpoch,
} from '../wire/record-batch.ts'
import { checkClientBatch, refuse, type Refusal } from './batch-check.ts'
import type { LogCore } from './log-core.ts'
import { readMarker } from './producer-state.ts'
import type { RetainedBatch } from './producer-entry.ts'
import type { AppendOptions, AppendResult, RecordError } from './types.ts'

const noRecordErrors: readonly RecordError[] = []

export function append(core: LogCore, batches: Buffer, options: AppendOptions): AppendResult {
  if (core.isTruncating || core.isClosed) {
    return refused(core, refuse(ErrorCode.NOT_LEADER_OR_FOLLOWER, 'the log is being truncated, or has been closed'))
  }
  if (core.offline !== null) return refused(core, refuse(ErrorCode.KAFKA_STORAGE_ERROR, core.offline.reason))
  if (core.context.pendingWrites.isFull) {
    return refused(core, refuse(ErrorCode.REQUEST_TIMED_OUT, 'the disk does not keep up with what is produced'))
  }
  if (options.origin === 'client') return appendFromClient(core, batches, options.leaderEpoch)
  return options.origin === 'coordinator' ? appendFromCoordinator(core, batches, options.leaderEpoch) : appendFromLeader(core, batches)
}

function appendFromClient(core: LogCore, batches: Buffer, leaderEpoch: number): AppendResult {
  const checked = checkClientBatch(batches, {
    config: core.config,
    nowMs: core.context.env.clock.nowMs(),
    unpackedBytesMax: core.context.limits.decompressedBatchBytesMax,
  })
  if (checked.refusal !== null) return refused(core, checked.refusal)
  const producerCheck = core.producers.check(checked.header)
  if (producerCheck.kind === 'refuse') return refused(core, refuse(producerCheck.errorCode, producerCheck.message))
  if (producerCheck.kind === 'duplicate') return duplicate(core, producerCheck.batch)
  const baseOffset = core.logEndOffset
  const written = assignAndAdd(core, checked.header, checked.bytes, leaderEpoch)
  return accepted(core, { baseOffset, logAppendTimeMs: checked.logAppendTimeMs, written })
}

/** Batches of this broker's own making. They are trusted, except that a marker may come from a fenced coordinator. */
function appendFromCoordinator(core: LogCore, batches: Buffer, leaderEpoch: number): AppendResult {
  const found = [...batchesIn(batches)]
  if (found.length === 0) throw new Error('nothing to append')
  for (const { header, position } of found) {
    const marker = isControl(header) ? readMarker(batches, position, header) : null
    const check = marker === null ? null : core.producers.checkMarker(marker)
    if (check?.kind === 'refuse') return refused(core, refuse(check.errorCode, check.message))
  }
  const baseOffset = core.logEndOffset
  let written: Promise<ErrorCode> | null = null
  for (const { header, position } of found) {
    written = assignAndAdd(core, header, batches.subarray(position, position + header.batchBytes), leaderEpoch)
  }
  return accepted(core, { baseOffset, logAppendTimeMs: -1, written: written ?? core.writer.drained() })
}

/** Batches of the leader: they bring their offsets and epochs, and must continue this log. */
function appendFromLeader(core: LogCore, batches: Buffer): AppendResult {
  const found = continuing(batches, core.logEndOffset)
  if (!Array.isArray(found)) return refused(core, found)
  const first = found[0]
  if (first === undefined) return accepted(core, { baseOffset: core.logEndOffset, logAppendTimeMs: -1, written: core.writer.drained() })
  let written = core.writer.drained()
  for (const { header, position } of found) {
    written = add(core, header, batches.subarray(position, position + header.batchBytes))
  }
  return accepted(core, { baseOffset: first.header.baseOffset, logAppendTimeMs: -1, written })
}

function continuing(batches: Buffer, logEndOffset: number): BatchAt[] | Refusal {
  try {
    const found = [...batchesIn(batches)]
    let dueOffset = logEndOffset
    for (const { header, position } of found) {
      if (header.baseOffset < dueOffset) {
        return refuse(ErrorCode.OFFSET_OUT_OF_RANGE, `the leader sent offset ${header.baseOffset}, due is ${dueOffset}`)
      }
      if (!batchCrcIsValid(batches, position, header)) {
        return refuse(ErrorCode.CORRUPT_MESSAGE, `the batch at offset ${header.baseOffset} fails its checksum`)
      }
      dueOffset = lastOffset(header) + 1
    }
    return found
  } catch (error) {
    if (error instanceof WireError) return refuse(ErrorCode.CORRUPT_MESSAGE, error.message)
    throw error
  }
}

function assignAndAdd(core: LogCore, header: BatchHeader, bytes: Buffer, leaderEpoch: number): Promise<ErrorCode> {
  const baseOffset = core.logEndOffset
  patchBaseOffset(bytes, 0, baseOffset)
  patchPartitionLeaderEpoch(bytes, 0, leaderEpoch)
  return add(core, { ...header, baseOffset, partitionLeaderEpoch: leaderEpoch }, bytes)
}

function add(core: LogCore, header: BatchHeader, bytes: Buffer): Promise<ErrorCode> {
  const { env } = core.context
  if (core.segments.active.mustRollBefore(header, core.rollRule(env.clock.nowMs()))) core.roll()
  const segment = core.segments.active
  const position = segment.append(header, core.config)
  core.logEndOffset = lastOffset(header) + 1
  core.epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
  rememberProducer(core, header, bytes)
  core.run.push({ baseOffset: header.baseOffset, lastOffset: lastOffset(header), bytes })
  core.unflushedSinceMs ??= env.clock.monotonicMs()
  const written = core.writer.write(segment, position, bytes, core.logEndOffset)
  // An acknowledgement then means that the record has been synced.
  const mustFlush = core.logEndOffset - core.recoveryPoint >= core.config.flushRecordCount
  return mustFlush ? core.flush() : written
}

function rememberProducer(core: LogCore, header: BatchHeader, bytes: Buffer): void {
  if (header.producerId < 0) return
  const completed = core.producers.replay(bytes, 0, header)
  if (completed?.isAbort) core.segments.active.recordAbort(completed, core.producers.lastStableOffsetAfter(completed))
}

function refused(core: LogCore, refusal: Refusal): AppendResult {
  return {
    errorCode: refusal.errorCode,
    errorMessage: refusal.message,
    recordErrors: refusal.recordErrors,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: core.logStartOffset,
    isDuplicate: false,
    written: Promise.resolve(refusal.errorCode),
  }
}

function accepted(core: LogCore, outcome: { baseOffset: number; logAppendTimeMs: number; written: Promise<ErrorCode> }): AppendResult {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    recordErrors: noRecordErrors,
    baseOffset: outcome.baseOffset,
    lastOffset: core.logEndOffset - 1,
    logAppendTimeMs: outcome.logAppendTimeMs,
    logStartOffset: core.logStartOffset,
    isDuplicate: false,
    written: outcome.written,
  }
}

/** The batch may still be on its way to the disk: the answer waits for it all the same. */
function duplicate(core: LogCore, batch: RetainedBatch): AppendResult {
  return {
    ...accepted(core, {
      baseOffset: batch.lastOffset - batch.offsetDelta,
      logAppendTimeMs: core.config.usesLogAppendTime ? batch.timestampMs : -1,
      written: core.writer.drained(),
    }),
    lastOffset: batch.lastOffset,
    isDuplicate: true,
  }
}
