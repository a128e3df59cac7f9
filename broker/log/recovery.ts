/**
 * Opens a partition folder, whatever state it is in. Never refuses for what the files hold: the log is cut at the first
 * bad byte, and indexes, epochs and producer state are rebuilt from what is left.
 *
 * Only the part above the newest usable producer snapshot (and above the recovery point) is read; after a clean stop that
 * is next to nothing, after a crash it is what the background had not synced yet.
 */
import { readBounded } from './bounded-read.ts'
import { readEpochCheckpoint } from './checkpoints.ts'
import { repairFolder } from './folder-repair.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogContext } from './log-context.ts'
import { joinPath, leaderEpochFile, logSuffix, offsetFileName, parentFolder, partitionMetadataFile } from './log-files.ts'
import { decodePartitionMetadata } from './partition-metadata.ts'
import { replayProducers, restoreWindows } from './producer-replay.ts'
import { ProducerState } from './producer-state.ts'
import { Segment } from './segment.ts'
import { SegmentList } from './segment-list.ts'
import type { ScannedBatch } from './segment-scan.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import type { LogConfig } from './topic-config.ts'

export interface RecoveryOptions {
  readonly context: LogContext
  readonly directory: string
  readonly config: LogConfig
  /** The last stop was clean: the files are believed. */
  readonly isClean: boolean
  /** Everything below has been synced; null when not known. */
  readonly recoveryPoint: number | null
  /** From the checkpoint; 0 when not known. */
  readonly logStartOffset: number
}

export interface RecoveredLog {
  readonly segments: SegmentList
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly snapshots: SnapshotFiles
  readonly logStartOffset: number
  readonly recoveryPoint: number
  readonly topicId: string | null
  /** Bytes that had to be read. */
  readonly scannedBytes: number
}

export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const { context, directory } = options
  const { disk, log } = context.env
  if ((await disk.stat(directory)) === null) {
    await disk.makeDirectory(directory)
    // Or a power loss could take the folder with everything synced in it.
    await disk.syncDirectory(parentFolder(directory))
  }
  const { segmentBases, snapshotOffsets } = await repairFolder(context.env, directory)
  const snapshots = new SnapshotFiles({ disk, log, directory, offsets: snapshotOffsets })
  const segments = await openSegments(options, segmentBases)
  const recovery = new Recovery(options, segments, snapshots)
  await recovery.run()
  return recovery.finish()
}

async function openSegments(options: RecoveryOptions, bases: readonly number[]): Promise<Segment[]> {
  const { context, directory } = options
  const common = { env: context.env, directory, indexCache: context.indexCache }
  if (bases.length === 0) return [Segment.create({ ...common, baseOffset: options.logStartOffset })]
  const segments: Segment[] = []
  for (const [index, baseOffset] of bases.entries()) {
    const stat = await context.env.disk.stat(joinPath(directory, offsetFileName(baseOffset, logSuffix)))
    segments.push(Segment.existing({ ...common, baseOffset }, stat?.bytes ?? 0, bases[index + 1] ?? baseOffset))
  }
  return segments
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #snapshots: SnapshotFiles
  readonly #producers = new ProducerState()
  #segments: Segment[]
  #epochs = new LeaderEpochCache()
  #replayFrom = 0
  #scannedBytes = 0

  constructor(options: RecoveryOptions, segments: Segment[], snapshots: SnapshotFiles) {
    this.#options = options
    this.#segments = segments
    this.#snapshots = snapshots
  }

  async run(): Promise<void> {
    const { context, directory, isClean, recoveryPoint } = this.#options
    this.#epochs = new LeaderEpochCache(await readEpochCheckpoint(context.env, joinPath(directory, leaderEpochFile)))
    const firstOffset = this.#segments[0]?.baseOffset ?? 0
    const trustedOffset = isClean ? Infinity : (recoveryPoint ?? firstOffset)
    const snapshot = await this.#snapshots.load({ minimum: firstOffset, maximum: trustedOffset })
    if (snapshot !== null) this.#producers.restore(snapshot.entries)
    this.#replayFrom = snapshot?.offset ?? firstOffset
    for (let index = 0; index < this.#segments.length; index++) {
      const segment = this.#segments[index]
      const next = this.#segments[index + 1]
      if (segment === undefined || (next !== undefined && next.baseOffset <= this.#replayFrom)) continue
      const problem = (await this.#recoverSegment(segment)) ?? this.#gapProblem(segment, next)
      if (problem === null) continue
      await this.#dropAfter(index, problem)
      return
    }
  }

  async finish(): Promise<RecoveredLog> {
    const { isClean, recoveryPoint } = this.#options
    const segments = new SegmentList(this.#segments)
    const endOffset = segments.active.nextOffset
    const logStartOffset = this.#logStart(segments.first.baseOffset, endOffset)
    if (this.#replayFrom > endOffset) await replayProducers(this.#producers, this.#snapshots, segments, endOffset)
    await this.#snapshots.removeAbove(endOffset)
    await restoreWindows(this.#producers, segments, this.#options.context.env.clock.nowMs())
    this.#epochs.truncateFromEnd(endOffset)
    this.#epochs.truncateFromStart(logStartOffset)
    for (const segment of segments.all) {
      if (segment !== segments.active) await closeForAppends(segment)
    }
    await segments.active.holdIndexes()
    await segments.active.readFirstTimestamp()
    return {
      segments,
      epochs: this.#epochs,
      producers: this.#producers,
      snapshots: this.#snapshots,
      logStartOffset,
      recoveryPoint: isClean ? endOffset : Math.min(recoveryPoint ?? logStartOffset, endOffset),
      topicId: await this.#topicId(),
      scannedBytes: this.#scannedBytes,
    }
  }

  async #recoverSegment(segment: Segment): Promise<string | null> {
    const { config, isClean } = this.#options
    const replayFrom = this.#replayFrom
    const from = replayFrom <= segment.baseOffset || segment.bytes === 0 ? null : (await segment.indexes()).offsets.lookup(replayFrom)
    return segment.recover({
      from,
      replayFrom,
      checkCrc: !isClean,
      config,
      onBatch: (batch) => this.#take(segment, batch),
    })
  }

  #take(segment: Segment, { header, buffer, bufferPosition }: ScannedBatch): void {
    this.#scannedBytes += header.batchBytes
    this.#epochs.assign(header.partitionLeaderEpoch, header.baseOffset)
    if (header.baseOffset < this.#replayFrom) return
    const completed = this.#producers.replay(buffer, bufferPosition, header)
    if (completed?.isAbort) segment.recordAbort(completed, this.#producers.lastStableOffsetAfter(completed))
  }

  /**
   * Segments written since the last sync follow each other without a hole, compacted ones lie below the recovery point;
   * so one that ends before the next begins has lost its tail.
   */
  #gapProblem(segment: Segment, next: Segment | undefined): string | null {
    const { isClean, recoveryPoint, config } = this.#options
    if (isClean || next === undefined || next.baseOffset === segment.nextOffset) return null
    const isOverlap = next.baseOffset < segment.nextOffset
    const mayHaveHoles = recoveryPoint === null ? config.isCompacted : next.baseOffset < recoveryPoint
    if (!isOverlap && mayHaveHoles) return null
    return `the next segment begins at ${next.baseOffset}, this one ends at ${segment.nextOffset}`
  }

  async #dropAfter(index: number, problem: string): Promise<void> {
    const { context, directory } = this.#options
    const kept = this.#segments.slice(0, index + 1)
    const dropped = this.#segments.slice(index + 1)
    context.env.log.write('warn', 'the log was cut at its last good record', {
      directory,
      endOffset: kept.at(-1)?.nextOffset,
      problem,
      segmentsDropped: dropped.length,
    })
    this.#segments = kept
    // The newest first: a crash meanwhile leaves no hole.
    for (const segment of dropped.toReversed()) {
      await segment.markDeleted()
      await segment.remove()
    }
    await context.env.disk.syncDirectory(directory)
  }

  #logStart(firstOffset: number, endOffset: number): number {
    const { logStartOffset, directory, context } = this.#options
    if (logStartOffset <= endOffset) return Math.max(firstOffset, logStartOffset)
    context.env.log.write('warn', 'the checkpointed log start lies beyond the log; using the first segment', {
      directory,
      logStartOffset,
      endOffset,
    })
    return firstOffset
  }

  async #topicId(): Promise<string | null> {
    const { context, directory } = this.#options
    const content = await readBounded(context.env.disk, joinPath(directory, partitionMetadataFile), 4096)
    return content === null ? null : decodePartitionMetadata(content)
  }
}

async function closeForAppends(segment: Segment): Promise<void> {
  if (!segment.holdsIndexes) return
  segment.seal()
  await segment.storeIndexes()
  segment.releaseIndexes()
}
