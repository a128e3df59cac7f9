/**
 * All logs of one data folder: loaded at the start, checkpointed and maintained while running, closed clean at the end.
 *
 * Invariant: at most one log for a topic partition, and one folder for it; whoever creates or deletes waits for the
 * call before on the same partition.
 */
import type { DiskLock, DiskSpace, Env } from '../env/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import { encodeOffsetCheckpoint, type OffsetCheckpoint, readOffsetCheckpoint } from './checkpoints.ts'
import { Cleaner } from './cleaner.ts'
import { forEachLimited } from './concurrency.ts'
import { type DataFolder, forgetBrokerLife, openDataFolder, noteBrokerLife, writeCleanShutdown } from './data-folder.ts'
import { createLogContext, type LogContext } from './log-context.ts'
import {
  cleanerOffsetFile,
  highWatermarkFile,
  joinPath,
  logStartFile,
  markedFolderName,
  partitionFolderName,
  recoveryPointFile,
} from './log-files.ts'
import { type LoadedFolders, loadFolders } from './log-loader.ts'
import { Maintenance } from './maintenance.ts'
import { type DiskPartitionLog, openLogIn } from './partition-log.ts'
import {
  type LogConfig,
  LogError,
  type LogManager,
  type LogManagerOptions,
  type PartitionLog,
  type RetentionSchedule,
  type TopicPartition,
} from './types.ts'

const defaultRetentionSchedule: RetentionSchedule = { initialDelayMs: 30_000, intervalMs: 5 * 60_000 }

/**
 * Takes the data folder and opens every log in it. Rejects with a LogError (DIRECTORY_LOCKED, DIRECTORY_FOREIGN,
 * ABORTED), or a DiskError when the folder itself cannot be used; damaged files never make it reject.
 */
export async function openLogManager(env: Env, options: LogManagerOptions): Promise<LogManager> {
  const folder = await openDataFolder(env, options)
  try {
    const { directory } = options
    const checkpoints = new Map<string, OffsetCheckpoint>()
    for (const name of [recoveryPointFile, logStartFile, highWatermarkFile, cleanerOffsetFile]) {
      checkpoints.set(name, await readOffsetCheckpoint(env, joinPath(directory, name)))
    }
    let manager: FolderLogManager | null = null
    const context = createLogContext(env, {
      limits: options.limits,
      onOffline(log, reason) {
        manager?.notIntact()
        options.onLogOffline?.(log, reason)
      },
      onRecoveryPointLowered: async () => manager?.writeCheckpoints(),
    })
    const none: OffsetCheckpoint = new Map()
    const loaded = await loadFolders({
      context,
      directory,
      isClean: folder.wasCleanShutdown,
      recoveryPoints: checkpoints.get(recoveryPointFile) ?? none,
      logStarts: checkpoints.get(logStartFile) ?? none,
      highWatermarks: checkpoints.get(highWatermarkFile) ?? none,
      configOf: options.configOf,
      onProgress: options.onProgress,
      signal: options.signal,
    })
    const { retentionSchedule = defaultRetentionSchedule } = options
    manager = new FolderLogManager({ context, folder, loaded, checkpoints, retentionSchedule })
    return manager
  } catch (error) {
    await folder.lock.release()
    throw error
  }
}

interface ManagerParts {
  readonly context: LogContext
  readonly folder: DataFolder
  readonly loaded: LoadedFolders
  /** As found, by file name. */
  readonly checkpoints: ReadonlyMap<string, OffsetCheckpoint>
  readonly retentionSchedule: RetentionSchedule
}

class FolderLogManager implements LogManager {
  readonly directory: string
  readonly directoryId: string
  readonly wasCleanShutdown: boolean
  readonly previousBrokerEpoch: number
  readonly incarnationId: string
  readonly #context: LogContext
  readonly #env: Env
  readonly #lock: DiskLock
  readonly #logs = new Map<string, DiskPartitionLog>()
  readonly #failed: LoadedFolders['failed']
  readonly #checkpoints: ReadonlyMap<string, OffsetCheckpoint>
  /** The last creation or deletion asked for of each partition. */
  readonly #changes = new Map<string, Promise<unknown>>()
  /** By file name: what was last written, so that an idle node writes nothing. */
  readonly #writtenCheckpoints = new Map<string, Buffer>()
  readonly #cleaner: Cleaner
  readonly #maintenance: Maintenance
  #checkpointing: Promise<void> = Promise.resolve()
  #isClosed = false
  #brokerEpoch: number
  /** The disk failed in this life: what was written may be missing. */
  #isIntact = true

  constructor({ context, folder, loaded, checkpoints, retentionSchedule }: ManagerParts) {
    this.directory = folder.directory
    this.directoryId = folder.directoryId
    this.wasCleanShutdown = folder.wasCleanShutdown
    const isWhole = loaded.failed.size === 0
    this.previousBrokerEpoch = isWhole ? folder.previousBrokerEpoch : -1
    this.incarnationId = isWhole ? folder.incarnationId : context.env.random.uuid()
    this.#brokerEpoch = this.previousBrokerEpoch
    this.#context = context
    this.#env = context.env
    this.#lock = folder.lock
    this.#failed = loaded.failed
    this.#checkpoints = checkpoints
    for (const log of loaded.logs) this.#logs.set(folderOf(log.topicPartition), log)
    this.#cleaner = new Cleaner(context, checkpoints.get(cleanerOffsetFile) ?? new Map())
    this.#maintenance = new Maintenance(this.#env, {
      logs: () => [...this.#logs.values()],
      writeCheckpoints: () => this.writeCheckpoints(),
      compact: () => this.#compact(),
      unflushedBytesTarget: context.limits.unflushedBytesTarget,
      retentionSchedule,
    })
    this.#maintenance.start()
    for (const path of loaded.deletedFolders) this.#removeFolderAfter(0, path)
  }

  get(topic: string, partition: number): PartitionLog | null {
    return this.#logs.get(partitionFolderName(topic, partition)) ?? null
  }

  all(): readonly PartitionLog[] {
    return [...this.#logs.values()]
  }

  getOrCreate(topicPartition: TopicPartition, options: { topicId: string | null; config: LogConfig }): Promise<PartitionLog> {
    return this.#inTurn(folderOf(topicPartition), async (name) => {
      if (this.#isClosed) throw new LogError('CLOSED', `${this.directory} has been closed`)
      const failure = this.#failed.get(name)
      if (failure !== undefined) throw new LogError('STORAGE', `${name} cannot be opened: ${failure.reason}`)
      const existing = this.#logs.get(name)
      const log = existing ?? (await this.#create(name, topicPartition, options.config))
      await this.#claim(log, options.topicId)
      this.#logs.set(name, log)
      log.updateConfig(options.config)
      return log
    })
  }

  delete(topic: string, partition: number): Promise<void> {
    return this.#takeOut({ topic, partition }, 'delete')
  }

  setAside(topic: string, partition: number): Promise<void> {
    return this.#takeOut({ topic, partition }, 'stray')
  }

  updateConfig(topic: string, config: LogConfig): void {
    for (const log of this.#logs.values()) if (log.topicPartition.topic === topic) log.updateConfig(config)
  }

  space(): Promise<DiskSpace> {
    return this.#env.disk.space(this.directory)
  }

  async noteBrokerEpoch(brokerEpoch: number): Promise<void> {
    this.#brokerEpoch = brokerEpoch
    if (!this.#isIntact) return
    await noteBrokerLife(this.#env, this.directory, { brokerEpoch, unansweredIncarnationId: null })
    // The disk failed while this was being written.
    if (!this.#isIntact) await forgetBrokerLife(this.#env, this.directory)
  }

  notIntact(): void {
    if (!this.#isIntact) return
    this.#isIntact = false
    forgetBrokerLife(this.#env, this.directory).catch((error: unknown) => {
      this.#env.log.write('error', 'the next start may take this data folder for whole, which it is not', {
        directory: this.directory,
        error,
      })
    })
  }

  async runMaintenance(): Promise<void> {
    await this.#maintenance.sync()
    await this.#maintenance.retain()
    await this.#compact()
    await this.writeCheckpoints()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cleaner.stop()
    await this.#maintenance.stop()
    await Promise.all(this.#changes.values())
    const logs = [...this.#logs.values()]
    await forEachLimited(logs, this.#context.limits.concurrentLoadsMax, (log) => log.close())
    await this.writeCheckpoints()
    const isClean = this.#isIntact && this.#failed.size === 0 && logs.every((log) => log.offline === null)
    if (isClean) await writeCleanShutdown(this.#env, this.directory, this.#brokerEpoch)
    await this.#lock.release()
  }

  async #create(name: string, topicPartition: TopicPartition, config: LogConfig): Promise<DiskPartitionLog> {
    const directory = joinPath(this.directory, name)
    try {
      // A folder that appeared since the start is believed in nothing.
      const isNew = (await this.#env.disk.stat(directory)) === null
      return await openLogIn(this.#context, {
        topicPartition,
        directory,
        config,
        isClean: isNew,
        recoveryPoint: isNew ? 0 : null,
        logStartOffset: 0,
      })
    } catch (error) {
      throw new LogError('STORAGE', `${name} cannot be created: ${messageOf(error)}`, { cause: error })
    }
  }

  async #claim(log: DiskPartitionLog, topicId: string | null): Promise<void> {
    if (topicId === null || log.topicId === topicId) return
    const errorCode = await log.assignTopicId(topicId)
    if (errorCode === ErrorCode.INCONSISTENT_TOPIC_ID) {
      throw new LogError('TOPIC_ID_MISMATCH', `${log.directory} belongs to topic id ${log.topicId}, not to ${topicId}`)
    }
    if (errorCode !== ErrorCode.NONE) {
      throw new LogError('STORAGE', `${log.directory} cannot be written: ${log.offline?.reason ?? 'unknown'}`)
    }
  }

  #takeOut(topicPartition: TopicPartition, kind: 'delete' | 'stray'): Promise<void> {
    return this.#inTurn(folderOf(topicPartition), async (name) => {
      const log = this.#logs.get(name)
      if (log === undefined) return
      this.#logs.delete(name)
      this.#cleaner.forget(name)
      await log.abandon()
      const { topic, partition } = topicPartition
      const uniqueHex = Buffer.from(this.#env.random.bytes(16)).toString('hex')
      const path = joinPath(this.directory, markedFolderName(topic, partition, kind, uniqueHex))
      try {
        await this.#env.disk.rename(log.directory, path)
        await this.#env.disk.syncDirectory(this.directory)
      } catch (error) {
        throw new LogError('STORAGE', `${name} cannot be renamed: ${messageOf(error)}`, { cause: error })
      }
      if (kind === 'delete') this.#removeFolderAfter(log.config.fileDeleteDelayMs, path)
    })
  }

  #removeFolderAfter(delayMs: number, path: string): void {
    this.#env.timers.after(delayMs, () => {
      this.#env.disk.removeTree(path).catch((error: unknown) => {
        this.#env.log.write('warn', 'a deleted folder could not be removed; the next start will', { path, error })
      })
    })
  }

  /** Changes of one partition follow each other; those of others do not wait. */
  #inTurn<T>(name: string, change: (name: string) => Promise<T>): Promise<T> {
    const previous = this.#changes.get(name) ?? Promise.resolve()
    const outcome = previous.then(() => change(name))
    const settled = outcome
      .catch(() => undefined)
      .then(() => {
        if (this.#changes.get(name) === settled) this.#changes.delete(name)
      })
    this.#changes.set(name, settled)
    return outcome
  }

  async #compact(): Promise<void> {
    const logs = [...this.#logs.values()]
    if (!logs.some((log) => log.config.isCompacted)) return
    const recoveryPoints = new Map(logs.map((log) => [log, log.recoveryPoint]))
    await this.writeCheckpoints()
    const hasChanged = await this.#cleaner.cleanAll(logs, recoveryPoints)
    if (!hasChanged) return
    const content = encodeOffsetCheckpoint(this.#cleaner.checkpoint(this.#logs))
    await this.#env.disk.writeFileAtomic(joinPath(this.directory, cleanerOffsetFile), content)
  }

  /** Partitions the disk refused keep what was known of them, for the start that can read them again. */
  #kept(fileName: string): (TopicPartition & { offset: number })[] {
    const kept: (TopicPartition & { offset: number })[] = []
    for (const [folder, { topicPartition }] of this.#failed) {
      const offset = this.#checkpoints.get(fileName)?.get(folder)
      if (offset !== undefined) kept.push({ ...topicPartition, offset })
    }
    return kept
  }

  writeCheckpoints(): Promise<void> {
    const written = this.#checkpointing.then(() => this.#writeCheckpointsNow())
    this.#checkpointing = written.catch(() => undefined)
    return written
  }

  async #writeCheckpointsNow(): Promise<void> {
    const logs = [...this.#logs.values()]
    const write = async (name: string, offsetOf: (log: DiskPartitionLog) => number): Promise<void> => {
      const entries = logs.map((log) => ({ ...log.topicPartition, offset: offsetOf(log) }))
      const content = encodeOffsetCheckpoint([...entries, ...this.#kept(name)])
      if (this.#writtenCheckpoints.get(name)?.equals(content)) return
      await this.#env.disk.writeFileAtomic(joinPath(this.directory, name), content)
      this.#writtenCheckpoints.set(name, content)
    }
    const recoveryPoints = logs.map((log) => log.recoveryPoint)
    await write(recoveryPointFile, (log) => log.recoveryPoint)
    for (const [index, log] of logs.entries()) log.core.storedRecoveryPoint = recoveryPoints[index] ?? 0
    await write(logStartFile, (log) => log.logStartOffset)
    await write(highWatermarkFile, (log) => log.highWatermark)
  }
}

function folderOf({ topic, partition }: TopicPartition): string {
  return partitionFolderName(topic, partition)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
