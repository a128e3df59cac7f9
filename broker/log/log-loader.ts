/** Opens every partition folder of a data folder, several at a time. One that the disk refuses does not stop the rest. */
import { DiskError } from '../env/types.ts'
import { checkpointKey, type OffsetCheckpoint } from './checkpoints.ts'
import { forEachLimited } from './concurrency.ts'
import type { LogContext } from './log-context.ts'
import { joinPath, parseFolderName, partitionFolderName } from './log-files.ts'
import { type DiskPartitionLog, openLogIn } from './partition-log.ts'
import { defaultLogConfig } from './topic-config.ts'
import { LogError, type LogManagerOptions, type TopicPartition } from './types.ts'

export interface LoadOptions {
  readonly context: LogContext
  readonly directory: string
  readonly isClean: boolean
  readonly recoveryPoints: OffsetCheckpoint
  readonly logStarts: OffsetCheckpoint
  readonly highWatermarks: OffsetCheckpoint
  readonly configOf: LogManagerOptions['configOf']
  readonly onProgress: LogManagerOptions['onProgress']
  readonly signal: AbortSignal | undefined
}

export interface LoadedFolders {
  readonly logs: readonly DiskPartitionLog[]
  /** By folder name: those the disk refused to read. */
  readonly failed: ReadonlyMap<string, { readonly topicPartition: TopicPartition; readonly reason: string }>
  /** Full paths of deleted partitions whose files are still there. */
  readonly deletedFolders: readonly string[]
}

export async function loadFolders(options: LoadOptions): Promise<LoadedFolders> {
  const { context, directory } = options
  const found: TopicPartition[] = []
  const deletedFolders: string[] = []
  for (const name of (await context.env.disk.list(directory)) ?? []) {
    const parsed = parseFolderName(name)
    if (parsed === null) continue
    if (parsed.kind === 'deleted') deletedFolders.push(joinPath(directory, name))
    else if (parsed.kind === 'live') found.push(parsed)
  }
  const logs: DiskPartitionLog[] = []
  const failed = new Map<string, { topicPartition: TopicPartition; reason: string }>()
  let recoveredBytes = 0
  await forEachLimited(found, context.limits.concurrentLoadsMax, async ({ topic, partition }) => {
    if (options.signal?.aborted) throw new LogError('ABORTED', `loading ${directory} was cancelled`)
    try {
      const log = await loadOne(options, { topic, partition })
      if (log === null) return
      recoveredBytes += log.scannedBytes
      logs.push(log)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      failed.set(partitionFolderName(topic, partition), { topicPartition: { topic, partition }, reason: error.message })
      context.env.log.write('error', 'a partition log cannot be opened', { topic, partition, reason: error.message })
    }
    options.onProgress?.({ loaded: logs.length + failed.size, total: found.length, recoveredBytes })
  })
  return { logs, failed, deletedFolders }
}

/** Null when the name is that of a file, which is none of ours. */
async function loadOne(options: LoadOptions, topicPartition: TopicPartition): Promise<DiskPartitionLog | null> {
  const key = checkpointKey(topicPartition)
  const directory = joinPath(options.directory, partitionFolderName(topicPartition.topic, topicPartition.partition))
  const stat = await options.context.env.disk.stat(directory)
  if (stat?.isDirectory !== true) return null
  const log = await openLogIn(options.context, {
    topicPartition,
    directory,
    config: options.configOf?.(topicPartition.topic) ?? defaultLogConfig,
    isClean: options.isClean,
    recoveryPoint: options.recoveryPoints.get(key) ?? null,
    logStartOffset: options.logStarts.get(key) ?? 0,
  })
  log.setHighWatermark(options.highWatermarks.get(key) ?? log.logStartOffset)
  return log
}
