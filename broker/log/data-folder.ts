/**
 * A node's data folder as a whole: who owns it, who holds it, and whether it was left clean. Holding the lock is the
 * precondition of touching anything else in it.
 */
import type { DiskLock, Env } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import { brokerLifeFile, cleanShutdownFile, joinPath, lockFile, metaPropertiesFile } from './log-files.ts'
import { checkOwner, decodeMetaProperties, encodeMetaProperties } from './meta-properties.ts'
import { LogError } from './types.ts'

/** Of those that hold a few fields each. */
const SMALL_FILE_BYTES_MAX = 64 * 1024

export interface DataFolder {
  readonly directory: string
  readonly directoryId: string
  readonly wasCleanShutdown: boolean
  /** As in LogManager. */
  readonly previousBrokerEpoch: number
  readonly incarnationId: string
  readonly lock: DiskLock
}

interface BrokerLife {
  /** -1 when nothing is known of it. */
  readonly brokerEpoch: number
  /** Who asked for the epoch after that and has not heard it. */
  readonly unansweredIncarnationId: string | null
}

const noLife: BrokerLife = { brokerEpoch: -1, unansweredIncarnationId: null }

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
    const marker = await readBounded(env.disk, joinPath(directory, cleanShutdownFile), SMALL_FILE_BYTES_MAX)
    const cleanEpoch = marker === null ? null : cleanEpochOf(marker)
    const { brokerEpoch, unansweredIncarnationId } = await readLife(env, directory, cleanEpoch)
    const incarnationId = unansweredIncarnationId ?? env.random.uuid()
    // Until the broker hears its next epoch this is all there is to say, also should its process end before.
    if (brokerEpoch !== noLife.brokerEpoch) await noteBrokerLife(env, directory, { brokerEpoch, unansweredIncarnationId: incarnationId })
    if (marker !== null) await removeCleanShutdown(env, directory)
    return { directory, directoryId, lock, wasCleanShutdown: cleanEpoch !== null, previousBrokerEpoch: brokerEpoch, incarnationId }
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
 * Notes the life of the broker that runs here. When its process dies the operating system still has what it wrote, so the
 * next one may say that nothing is missing (the epoch of KIP-966's clean shutdown file), unless the machine went down. Where it
 * cannot be noted nothing is known of it; rejects with a DiskError when the life before would be taken for it.
 */
export async function noteBrokerLife(env: Env, directory: string, life: BrokerLife): Promise<void> {
  const content = JSON.stringify({ version: 0, ...life, writeCacheId: await env.disk.writeCacheId() })
  try {
    await env.disk.writeFileAtomic(joinPath(directory, brokerLifeFile), Buffer.from(content))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    env.log.write('warn', 'should this broker crash, the next start will not know that nothing is missing', { directory, reason })
    await forgetBrokerLife(env, directory)
  }
}

/** What was written may be missing after all: the disk failed. */
export function forgetBrokerLife(env: Env, directory: string): Promise<void> {
  return env.disk.remove(joinPath(directory, brokerLifeFile))
}

/** What the life's own file says holds when it stopped cleanly, and else as long as nothing written can have been lost since. */
async function readLife(env: Env, directory: string, cleanEpoch: number | null): Promise<BrokerLife> {
  const content = await readBounded(env.disk, joinPath(directory, brokerLifeFile), SMALL_FILE_BYTES_MAX)
  const life = content === null ? null : parseObject(content)
  const writeCacheId = await env.disk.writeCacheId()
  const isIntact = cleanEpoch !== null || (writeCacheId !== null && life?.['writeCacheId'] === writeCacheId)
  if (life === null || !isIntact) return { ...noLife, brokerEpoch: cleanEpoch ?? noLife.brokerEpoch }
  const { brokerEpoch, unansweredIncarnationId } = life
  return {
    brokerEpoch: cleanEpoch ?? (Number.isSafeInteger(brokerEpoch) ? Number(brokerEpoch) : noLife.brokerEpoch),
    unansweredIncarnationId: isUuid(unansweredIncarnationId) ? unansweredIncarnationId : null,
  }
}

async function ownDirectory(env: Env, options: { directory: string; clusterId: string; nodeId: number }): Promise<string> {
  const path = joinPath(options.directory, metaPropertiesFile)
  const content = await readBounded(env.disk, path, SMALL_FILE_BYTES_MAX)
  if (content !== null) {
    const found = decodeMetaProperties(path, content)
    checkOwner(path, found, options)
    return found.directoryId
  }
  const directoryId = env.random.uuid()
  await env.disk.writeFileAtomic(path, encodeMetaProperties({ ...options, directoryId }))
  return directoryId
}

/** The marker holds for one start: it is gone before anything is changed. */
async function removeCleanShutdown(env: Env, directory: string): Promise<void> {
  await env.disk.remove(joinPath(directory, cleanShutdownFile))
  await env.disk.syncDirectory(directory)
}

/** Null when it does not read. */
function cleanEpochOf(marker: Buffer): number | null {
  const brokerEpoch = parseObject(marker)?.['brokerEpoch']
  return Number.isSafeInteger(brokerEpoch) ? Number(brokerEpoch) : null
}

/** As Kafka writes one: 16 bytes in 22 characters. */
function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{22}$/.test(value)
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
