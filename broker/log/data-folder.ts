/**
 * A node's data folder as a whole: who owns it, who holds it, and whether it was left clean. Holding the lock is the
 * precondition of touching anything else in it.
 */
import type { DiskLock, Env } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import { cleanShutdownFile, joinPath, lockFile, metaPropertiesFile } from './log-files.ts'
import { checkOwner, decodeMetaProperties, encodeMetaProperties } from './meta-properties.ts'
import { LogError } from './types.ts'

export interface DataFolder {
  readonly directory: string
  readonly directoryId: string
  readonly wasCleanShutdown: boolean
  /** -1 when the last stop was not clean. */
  readonly previousBrokerEpoch: number
  readonly lock: DiskLock
}

/** Rejects with a LogError DIRECTORY_LOCKED or DIRECTORY_FOREIGN, or a DiskError. */
export async function openDataFolder(env: Env, options: { directory: string; clusterId: string; nodeId: number }): Promise<DataFolder> {
  const { directory } = options
  await env.disk.makeDirectory(directory)
  const lock = await env.disk.lock(joinPath(directory, lockFile))
  if (lock === null) {
    throw new LogError('DIRECTORY_LOCKED', `${directory} is in use by another process. Stop it or choose another data folder.`)
  }
  try {
    const directoryId = await ownDirectory(env, options)
    const previous = await takeCleanShutdown(env, directory)
    return {
      directory,
      directoryId,
      lock,
      wasCleanShutdown: previous !== null,
      previousBrokerEpoch: previous ?? -1,
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The last thing written: everything it vouches for has been synced before. */
export async function writeCleanShutdown(env: Env, directory: string, brokerEpoch: number): Promise<void> {
  const content = Buffer.from(JSON.stringify({ version: 0, brokerEpoch }))
  await env.disk.writeFileAtomic(joinPath(directory, cleanShutdownFile), content)
}

async function ownDirectory(env: Env, options: { directory: string; clusterId: string; nodeId: number }): Promise<string> {
  const path = joinPath(options.directory, metaPropertiesFile)
  const content = await readBounded(env.disk, path, 64 * 1024)
  if (content !== null) {
    const found = decodeMetaProperties(path, content)
    checkOwner(path, found, options)
    return found.directoryId
  }
  const directoryId = env.random.uuid()
  await env.disk.writeFileAtomic(path, encodeMetaProperties({ ...options, directoryId }))
  return directoryId
}

/** The marker holds for one start: it is gone before anything is changed. Null when there was none, or it does not read. */
async function takeCleanShutdown(env: Env, directory: string): Promise<number | null> {
  const path = joinPath(directory, cleanShutdownFile)
  const content = await readBounded(env.disk, path, 64 * 1024)
  if (content === null) return null
  await env.disk.remove(path)
  await env.disk.syncDirectory(directory)
  try {
    const parsed: unknown = JSON.parse(content.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null || !('brokerEpoch' in parsed)) return null
    return Number.isSafeInteger(parsed.brokerEpoch) ? Number(parsed.brokerEpoch) : null
  } catch {
    // Not JSON: then it vouches for nothing.
    return null
  }
}
