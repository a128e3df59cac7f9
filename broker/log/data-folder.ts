/**
 * A node's data folder as a whole: who owns it, who holds it, and whether it was left clean. Holding the lock is the
 * precondition of touching anything else in it.
 */
import type { DiskLock, Env } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import { brokerLifeFile, cleanShutdownFile, joinPath, lockFile, metaPropertiesFile } from './log-files.ts'
import { checkOwner, decodeMetaProperties, encodeMetaProperties } from './meta-properties.ts'
import { LogError } from './types.ts'

export interface DataFolder {
  readonly directory: string
  readonly directoryId: string
  readonly wasCleanShutdown: boolean
  /** Of the last life, when all it wrote is known to be here: it stopped cleanly, or only its process died. -1 otherwise. */
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
      previousBrokerEpoch: previous ?? (await survivingLife(env, directory)),
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

/**
 * Notes the epoch of the broker that runs here. When its process dies the operating system still has what it wrote, so the
 * next one may say that nothing is missing (the epoch of KIP-966's clean shutdown file), unless the machine went down.
 */
export async function writeBrokerLife(env: Env, directory: string, brokerEpoch: number): Promise<void> {
  const writeCacheId = await env.disk.writeCacheId()
  if (writeCacheId === null) return
  await env.disk.writeFileAtomic(
    joinPath(directory, brokerLifeFile),
    Buffer.from(JSON.stringify({ version: 0, brokerEpoch, writeCacheId })),
  )
}

/** What was written may be missing after all: the disk failed. */
export function forgetBrokerLife(env: Env, directory: string): Promise<void> {
  return env.disk.remove(joinPath(directory, brokerLifeFile))
}

async function survivingLife(env: Env, directory: string): Promise<number> {
  const content = await readBounded(env.disk, joinPath(directory, brokerLifeFile), 64 * 1024)
  const life = content === null ? null : parseObject(content)
  const writeCacheId = await env.disk.writeCacheId()
  if (life === null || writeCacheId === null || life['writeCacheId'] !== writeCacheId) return -1
  return Number.isSafeInteger(life['brokerEpoch']) ? Number(life['brokerEpoch']) : -1
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
  const brokerEpoch = parseObject(content)?.['brokerEpoch']
  return Number.isSafeInteger(brokerEpoch) ? Number(brokerEpoch) : null
}

/** Null when it is not a JSON object: then it vouches for nothing. */
function parseObject(content: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(content.toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : null
  } catch {
    return null
  }
}
