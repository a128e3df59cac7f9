/** Decides which compacted logs are worth a pass, runs the passes one at a time, remembers how far each log is clean. */
import { DiskError } from '../env/types.ts'
import { WireError } from '../wire/errors.ts'
import type { OffsetCheckpoint } from './checkpoints.ts'
import { cleanLog, type CleanRange } from './clean-log.ts'
import type { LogContext } from './log-context.ts'
import { partitionFolderName } from './log-files.ts'
import type { DiskPartitionLog } from './partition-log.ts'
import type { TopicPartition } from './types.ts'

export class Cleaner {
  readonly #context: LogContext
  readonly #firstDirty: Map<string, number>
  /** Their stored batches do not parse: tried again after a restart only. */
  readonly #uncleanable = new Set<string>()
  #isStopped = false

  constructor(context: LogContext, firstDirty: OffsetCheckpoint) {
    this.#context = context
    this.#firstDirty = new Map(firstDirty)
  }

  /** Ends the pass under way; its output so far stays good. */
  stop(): void {
    this.#isStopped = true
  }

  forget(folder: string): void {
    this.#firstDirty.delete(folder)
    this.#uncleanable.delete(folder)
  }

  checkpoint(logs: ReadonlyMap<string, DiskPartitionLog>): (TopicPartition & { offset: number })[] {
    const entries: (TopicPartition & { offset: number })[] = []
    for (const [folder, offset] of this.#firstDirty) {
      const log = logs.get(folder)
      if (log !== undefined) entries.push({ ...log.topicPartition, offset })
    }
    return entries
  }

  /**
   * The dirtiest first. Resolves with whether anything was compacted. `recoveryPoints` are those the checkpoint file holds:
   * nothing above them is touched.
   */
  async cleanAll(logs: readonly DiskPartitionLog[], recoveryPoints: ReadonlyMap<DiskPartitionLog, number>): Promise<boolean> {
    const due: { log: DiskPartitionLog; range: CleanRange; ratio: number }[] = []
    for (const log of logs) {
      if (!log.config.isCompacted || log.offline !== null || this.#uncleanable.has(folderOf(log))) continue
      const found = await this.#assess(log, recoveryPoints.get(log) ?? 0)
      if (found !== null) due.push({ log, ...found })
    }
    let hasChanged = false
    for (const { log, range } of due.sort((a, b) => b.ratio - a.ratio)) {
      if (this.#isStopped) return hasChanged
      hasChanged = (await this.#clean(log, range)) || hasChanged
    }
    return hasChanged
  }

  /** Null when the log is clean enough. */
  async #assess(log: DiskPartitionLog, recoveryPoint: number): Promise<{ range: CleanRange; ratio: number } | null> {
    const { core, config } = log
    const nowMs = this.#context.env.clock.nowMs()
    const known = this.#firstDirty.get(folderOf(log)) ?? 0
    const { segments } = core
    const isUsable = known <= segments.active.baseOffset
    const firstDirtyOffset = isUsable ? Math.max(known, log.logStartOffset) : log.logStartOffset
    // Compaction leaves holes, and recovery takes holes above the recovery point for losses.
    const stableOffset = Math.min(log.lastStableOffset, recoveryPoint)
    let endOffset = firstDirtyOffset
    let cleanBytes = 0
    let dirtyBytes = 0
    let oldestDirtyMs = Infinity
    for (const segment of segments.all) {
      const next = segments.after(segment)
      if (next === null || next.baseOffset > stableOffset) break
      if (next.baseOffset <= firstDirtyOffset) {
        cleanBytes += segment.bytes
        continue
      }
      const newestMs = (await segment.largestTimestamp())?.timestampMs ?? -1
      if (config.minCompactionLagMs > 0 && newestMs > nowMs - config.minCompactionLagMs) break
      oldestDirtyMs = Math.min(oldestDirtyMs, segment.firstTimestampMs ?? newestMs)
      dirtyBytes += segment.bytes
      endOffset = next.baseOffset
    }
    if (dirtyBytes === 0) return null
    const ratio = dirtyBytes / (cleanBytes + dirtyBytes)
    const isOverdue = nowMs - oldestDirtyMs > config.maxCompactionLagMs
    return ratio > config.minCleanableDirtyRatio || isOverdue ? { range: { firstDirtyOffset, endOffset }, ratio } : null
  }

  async #clean(log: DiskPartitionLog, range: CleanRange): Promise<boolean> {
    const { log: logger } = this.#context.env
    try {
      const result = await cleanLog(log.core, range, () => this.#isStopped || log.core.isClosed)
      if (result.cleanedToOffset === range.firstDirtyOffset) return false
      this.#firstDirty.set(folderOf(log), result.cleanedToOffset)
      const { bytesBefore, bytesAfter } = result
      logger.write('info', 'a log was compacted', { ...log.topicPartition, bytesBefore, bytesAfter })
      return true
    } catch (error) {
      if (error instanceof WireError) this.#uncleanable.add(folderOf(log))
      else if (!(error instanceof DiskError)) throw error
      logger.write('error', 'a log could not be compacted', { ...log.topicPartition, error })
      return false
    }
  }
}

function folderOf(log: DiskPartitionLog): string {
  return partitionFolderName(log.topicPartition.topic, log.topicPartition.partition)
}
