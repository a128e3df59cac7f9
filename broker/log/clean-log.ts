/**
 * One compaction pass over one log: learn the newest offset of each key in the dirty part, then rewrite segments without
 * what those replace. Segments are read and written beside the running log; only the swap at the end is a task of it.
 *
 * Steps of a swap, each survivable: `.cleaned` written and synced -> renamed `.swap` -> the old segments renamed
 * `.deleted` -> the new one gets its real name. Recovery drops the first and completes the rest.
 */
import { WireError } from '../wire/errors.ts'
import { type BatchHeader, isControl, lastOffset, readBatchHeader, recordsIn } from '../wire/record-batch.ts'
import { cleanBatch } from './clean-batch.ts'
import { CleanerTransactions } from './cleaner-transactions.ts'
import { KeyOffsets } from './key-offsets.ts'
import type { LogCore } from './log-core.ts'
import { cleanedSuffix, swapSuffix } from './log-files.ts'
import { deleteSegments } from './log-retention.ts'
import { offsetIndexEntryBytes } from './offset-index.ts'
import { readMarker } from './producer-state.ts'
import { Segment } from './segment.ts'
import { scanBatches, type ScannedBatch } from './segment-scan.ts'

/** Read, looked at and kept in memory at a time. */
const chunkBytes = 256 * 1024
const relativeOffsetMaximum = 2_147_483_647

export interface CleanRange {
  readonly firstDirtyOffset: number
  /** Segments that begin below this may be cleaned; it is a segment's start. */
  readonly endOffset: number
}

export interface CleanResult {
  /** Where the next pass begins; equal to the first dirty offset when nothing could be done. */
  readonly cleanedToOffset: number
  readonly bytesBefore: number
  readonly bytesAfter: number
}

interface Pass {
  readonly core: LogCore
  readonly keys: KeyOffsets
  readonly transactions: CleanerTransactions
  readonly nowMs: number
  readonly endOffset: number
  readonly isStopped: () => boolean
}

/** Rejects with a WireError when a stored batch does not parse, and with a DiskError when the disk refuses. */
export async function cleanLog(core: LogCore, range: CleanRange, isStopped: () => boolean): Promise<CleanResult> {
  const keys = await learnKeys(core, range, isStopped)
  const transactions = new CleanerTransactions()
  const pass: Pass = { core, keys, transactions, isStopped, nowMs: core.context.env.clock.nowMs(), endOffset: keys.endOffset }
  const segments = core.segments.all.filter((segment) => segment.baseOffset < keys.endOffset && segment !== core.segments.active)
  let bytesBefore = 0
  let bytesAfter = 0
  for (const group of groups(segments, core)) {
    const before = group.reduce((sum, segment) => sum + segment.bytes, 0)
    const cleaned = await rewrite(pass, group)
    if (cleaned === null) return { cleanedToOffset: range.firstDirtyOffset, bytesBefore, bytesAfter }
    if (!(await swap(core, group, cleaned))) return { cleanedToOffset: range.firstDirtyOffset, bytesBefore, bytesAfter }
    bytesBefore += before
    bytesAfter += cleaned.bytes
  }
  return { cleanedToOffset: keys.endOffset, bytesBefore, bytesAfter }
}

/** Ends early, at a batch, when the keys no longer fit: the rest is left to the next pass. */
async function learnKeys(core: LogCore, range: CleanRange, isStopped: () => boolean): Promise<KeyOffsets> {
  const keys = new KeyOffsets(core.context.limits.cleanerKeyBytesMax)
  const transactions = new CleanerTransactions()
  keys.endOffset = range.firstDirtyOffset
  for (const segment of core.segments.from(range.firstDirtyOffset)) {
    if (segment.baseOffset >= range.endOffset) break
    transactions.add((await segment.indexes()).transactions.entries)
    let isFull = false
    await eachBatch(segment, (batch) => {
      if (lastOffset(batch.header) < range.firstDirtyOffset) return !isStopped()
      isFull = !learnBatch(core, keys, transactions, batch)
      if (!isFull) keys.endOffset = lastOffset(batch.header) + 1
      return !isFull && !isStopped()
    })
    if (isFull || isStopped()) return keys
    keys.endOffset = Math.max(keys.endOffset, core.segments.after(segment)?.baseOffset ?? 0)
  }
  return keys
}

function learnBatch(core: LogCore, keys: KeyOffsets, transactions: CleanerTransactions, batch: ScannedBatch): boolean {
  const { header, buffer, bufferPosition } = batch
  if (isControl(header)) {
    const marker = readMarker(buffer, bufferPosition, header)
    if (marker !== null) transactions.endTransaction(header, marker.isAbort)
    return true
  }
  if (transactions.isAborted(header)) return true
  for (const { key, offset } of recordsIn(buffer, bufferPosition, header, core.context.limits.decompressedBatchBytesMax)) {
    if (key !== null && !keys.put(key, offset)) return false
  }
  return true
}

/** Neighbours that fit into one segment together. */
function groups(segments: readonly Segment[], core: LogCore): Segment[][] {
  const result: Segment[][] = []
  let bytes = 0
  for (const segment of segments) {
    const group = result.at(-1)
    const first = group?.[0]
    const indexEntries = (bytes + segment.bytes) / Math.max(1, core.config.indexIntervalBytes)
    const fits =
      first !== undefined &&
      bytes + segment.bytes <= core.config.segmentBytes &&
      indexEntries * offsetIndexEntryBytes <= core.config.segmentIndexBytes &&
      segment.nextOffset - first.baseOffset <= relativeOffsetMaximum
    if (fits && group !== undefined) {
      group.push(segment)
      bytes += segment.bytes
    } else {
      result.push([segment])
      bytes = segment.bytes
    }
  }
  return result
}

/** Null when the pass was stopped. */
async function rewrite(pass: Pass, group: readonly Segment[]): Promise<Segment | null> {
  const { core } = pass
  const first = group[0]
  if (first === undefined) return null
  const { env, indexCache } = core.context
  const cleaned = Segment.create({ env, indexCache, directory: core.directory, baseOffset: first.baseOffset, fileState: cleanedSuffix })
  const file = await cleaned.file()
  await file.truncate(0)
  try {
    for (const segment of group) {
      pass.transactions.add((await segment.indexes()).transactions.entries)
      let fromPosition = 0
      while (fromPosition < segment.writtenBytes && !pass.isStopped()) {
        const output: Buffer[] = []
        let outputBytes = 0
        const position = cleaned.bytes
        fromPosition = await eachBatch(
          segment,
          (batch) => {
            const kept = cleanScanned(pass, cleaned, batch)
            if (kept === null) return true
            output.push(kept)
            outputBytes += kept.length
            cleaned.append(readBatchHeader(kept, 0), core.config)
            return outputBytes < chunkBytes
          },
          fromPosition,
        )
        await file.write(position, output)
        cleaned.writtenBytes = cleaned.bytes
      }
    }
    cleaned.nextOffset = group.at(-1)?.nextOffset ?? cleaned.nextOffset
    cleaned.seal()
    await cleaned.sync()
    await cleaned.storeIndexes()
  } catch (error) {
    await cleaned.remove()
    throw error
  }
  if (!pass.isStopped()) return cleaned
  await cleaned.remove()
  return null
}

function cleanScanned(pass: Pass, cleaned: Segment, { header, buffer, bufferPosition }: ScannedBatch): Buffer | null {
  const { core, keys, nowMs, transactions } = pass
  const marker = isControl(header) ? readMarker(buffer, bufferPosition, header) : null
  const ended = marker === null ? null : transactions.endTransaction(header, marker.isAbort)
  if (ended?.entry) cleaned.recordAbort(ended.entry, ended.entry.lastStableOffset)
  // A copy: the chunk it lies in is read over.
  const bytes = Buffer.from(buffer.subarray(bufferPosition, bufferPosition + header.batchBytes))
  return cleanBatch(bytes, header, {
    keys,
    nowMs,
    deleteRetentionMs: core.config.deleteRetentionMs,
    mayGo: ended === null ? !isControl(header) && transactions.isAborted(header) : ended.mayGo,
    keepEmpty: isLastOfProducer(core, header) || lastOffset(header) + 1 === pass.endOffset,
    unpackedBytesMax: core.context.limits.decompressedBatchBytesMax,
  })
}

/** Its sequence must survive a restart, or the producer's next batch would be out of order. */
function isLastOfProducer(core: LogCore, header: BatchHeader): boolean {
  const entry = header.producerId < 0 ? null : core.producers.get(header.producerId)
  if (entry === null) return false
  const last = entry.batches.at(-1)
  return last === undefined ? isControl(header) && header.producerEpoch === entry.producerEpoch : last.lastOffset === lastOffset(header)
}

/** False when the log has changed meanwhile (a truncation, retention): the output is thrown away. */
async function swap(core: LogCore, group: readonly Segment[], cleaned: Segment): Promise<boolean> {
  let isSwapped = false
  await core.tasks.run(async () => {
    const start = core.segments.all.indexOf(group[0] as Segment)
    const isUnchanged = group.every((segment, index) => core.segments.all[start + index] === segment && !segment.isDeleted)
    if (start < 0 || !isUnchanged || core.isClosed) return cleaned.remove()
    await cleaned.renameFiles(swapSuffix)
    await deleteSegments(core, group)
    await cleaned.renameFiles('')
    core.segments.replace(group, cleaned)
    cleaned.releaseIndexes()
    isSwapped = true
  })
  return isSwapped
}

/** Resolves with the position behind the last batch looked at. */
async function eachBatch(segment: Segment, look: (batch: ScannedBatch) => boolean, fromPosition = 0): Promise<number> {
  const range = {
    fromPosition,
    toPosition: segment.writtenBytes,
    minimumOffset: segment.baseOffset,
    maximumOffset: Infinity,
    checkCrc: true,
    chunkBytes,
  }
  const { endPosition, problem } = await scanBatches(await segment.file(), range, look)
  if (problem !== null) throw new WireError('MALFORMED_BATCH', `${segment.path}: ${problem}`)
  return endPosition
}
