/** Cutting a log back: a follower drops what its leader does not have. Runs as a task, while nobody appends. */
import { ErrorCode } from '../wire/errors.ts'
import { lastOffset } from '../wire/record-batch.ts'
import type { LogCore } from './log-core.ts'
import { replayProducers } from './producer-replay.ts'
import type { Segment } from './segment.ts'
import { scanBatches } from './segment-scan.ts'

export async function truncateTo(core: LogCore, offset: number): Promise<ErrorCode> {
  if (core.offline !== null) return ErrorCode.KAFKA_STORAGE_ERROR
  if (offset >= core.logEndOffset) return forgetEmptyEpochs(core)
  if (offset <= core.segments.first.baseOffset) return truncateFullyAndStartAt(core, offset)
  return exclusively(core, async () => {
    const segment = core.segments.floor(offset)
    const cut = await findCut(segment, offset)
    await lowerRecoveryPoint(core, cut.offset)
    const removed = core.segments.removeAbove(segment.baseOffset)
    await removeSegments(core, removed.toReversed())
    await segment.truncate(cut)
    await core.context.env.disk.syncDirectory(core.directory)
    await core.snapshots.removeAbove(cut.offset)
    await replayProducers(core.producers, core.snapshots, core.segments, cut.offset)
    core.epochs.truncateFromEnd(cut.offset)
    endAt(core, cut.offset)
    await core.storeEpochs()
  })
}

/** A former leader may have begun an epoch at the log end and written nothing in it: no other replica knows of it. */
async function forgetEmptyEpochs(core: LogCore): Promise<ErrorCode> {
  core.epochs.truncateFromEnd(core.logEndOffset)
  return ErrorCode.NONE
}

export async function truncateFullyAndStartAt(core: LogCore, offset: number): Promise<ErrorCode> {
  if (core.offline !== null) return ErrorCode.KAFKA_STORAGE_ERROR
  return exclusively(core, async () => {
    await lowerRecoveryPoint(core, Math.min(offset, core.segments.first.baseOffset))
    const replacesFirst = core.segments.all.some((segment) => segment.baseOffset === offset)
    // The new segment's name carries the offset over a crash, so it is there before the old ones go, unless it takes
    // the name of one of them.
    const fresh = core.newSegment(offset)
    const removed = core.segments.replaceAll(fresh)
    if (!replacesFirst) await fresh.sync()
    await removeSegments(core, removed.toReversed())
    await fresh.sync()
    await core.snapshots.removeAll()
    core.producers.clear()
    core.epochs.clear()
    core.logStartOffset = offset
    endAt(core, offset)
    await core.storeEpochs()
  })
}

async function exclusively(core: LogCore, task: () => Promise<void>): Promise<ErrorCode> {
  core.isTruncating = true
  try {
    return await core.tasks.run(async () => {
      if ((await core.writer.drained()) !== ErrorCode.NONE) throw new Error('a write before the truncation failed')
      await task()
    })
  } finally {
    core.isTruncating = false
  }
}

async function lowerRecoveryPoint(core: LogCore, offset: number): Promise<void> {
  if (core.recoveryPoint <= offset) return
  core.recoveryPoint = offset
  await core.context.onRecoveryPointLowered()
}

function endAt(core: LogCore, offset: number): void {
  core.logEndOffset = offset
  core.writtenEndOffset = offset
  core.logStartOffset = Math.min(core.logStartOffset, offset)
  core.highWatermark = Math.min(Math.max(core.highWatermark, core.logStartOffset), offset)
  core.recoveryPoint = Math.min(core.recoveryPoint, offset)
  core.forgetTail()
}

/** The batch that holds `offset` goes as a whole: batches are not split. */
async function findCut(segment: Segment, offset: number): Promise<{ position: number; offset: number }> {
  const { position } = await segment.lookup(offset)
  let cut = { position: segment.writtenBytes, offset: Math.min(offset, segment.nextOffset) }
  const range = {
    fromPosition: position,
    toPosition: segment.writtenBytes,
    minimumOffset: segment.baseOffset,
    maximumOffset: Infinity,
    checkCrc: false,
  }
  await scanBatches(await segment.file(), range, (batch) => {
    if (lastOffset(batch.header) < offset) return true
    cut = { position: batch.position, offset: Math.min(offset, batch.header.baseOffset) }
    return false
  })
  return cut
}

/** At once, without the delay that readers of deleted segments get: these offsets will be written anew. */
async function removeSegments(core: LogCore, segments: readonly Segment[]): Promise<void> {
  for (const segment of segments) {
    await segment.markDeleted()
    await segment.remove()
  }
}
