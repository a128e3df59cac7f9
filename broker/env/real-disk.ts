/**
 * Files through libuv's thread pool. Every failure leaves as a `DiskError`; nothing here retries or hides one.
 */
import { constants, promises as fs } from 'node:fs'
import * as path from 'node:path'
import { platformCode, toDiskError } from './disk-error.ts'
import { lockFile } from './real-disk-lock.ts'
import { openRealFile } from './real-file.ts'
import type { Disk } from './types.ts'

/** Random, and another at every boot. */
const LINUX_BOOT_ID = '/proc/sys/kernel/random/boot_id'

export function createRealDisk(): Disk {
  return {
    open(filePath, options = {}) {
      const access = options.readOnly ? constants.O_RDONLY : constants.O_RDWR
      return openRealFile(filePath, options.create ? access | constants.O_CREAT : access)
    },
    async stat(filePath) {
      const stat = await absentAsNull(filePath, fs.stat(filePath))
      return stat === null ? null : { bytes: stat.size, modifiedMs: Math.trunc(stat.mtimeMs), isDirectory: stat.isDirectory() }
    },
    list: (directory) => absentAsNull(directory, fs.readdir(directory)),
    async makeDirectory(directory) {
      await asDiskError(directory, fs.mkdir(directory, { recursive: true }))
    },
    rename: (from, to) => asDiskError(from, renamePatiently(from, to)),
    remove: (filePath) => asDiskError(filePath, fs.rm(filePath, { force: true })),
    removeTree: (directory) => asDiskError(directory, fs.rm(directory, { recursive: true, force: true, maxRetries: 3 })),
    readFile: (filePath) => absentAsNull(filePath, fs.readFile(filePath)),
    writeFileAtomic: (filePath, content) => asDiskError(filePath, writeFileAtomic(filePath, content)),
    syncDirectory: (directory) => asDiskError(directory, syncDirectory(directory)),
    // macOS and Windows have nothing as plain; there a process that died is taken for a machine that did.
    writeCacheId: async () => (await absentAsNull(LINUX_BOOT_ID, fs.readFile(LINUX_BOOT_ID, 'utf8')))?.trim() ?? null,
    lock: (filePath) => lockFile(filePath),
    async space(directory) {
      const { blocks, bavail, bsize } = await asDiskError(directory, fs.statfs(directory))
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
    },
  }
}

async function writeFileAtomic(filePath: string, content: Uint8Array): Promise<void> {
  const temporaryPath = `${filePath}.tmp`
  const handle = await fs.open(temporaryPath, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await renamePatiently(temporaryPath, filePath)
  await syncDirectory(path.dirname(filePath))
}

/** Windows refuses to replace a file that a virus scanner or indexer has open for a moment. */
async function renamePatiently(from: string, to: string): Promise<void> {
  const attemptsMax = process.platform === 'win32' ? 10 : 1
  for (let attempt = 1; ; attempt++) {
    try {
      return await fs.rename(from, to)
    } catch (error) {
      const code = platformCode(error)
      if (attempt >= attemptsMax || (code !== 'EPERM' && code !== 'EACCES' && code !== 'EBUSY')) throw error
      await new Promise((resolve) => setTimeout(resolve, attempt * 10))
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  // Windows has no handle on a directory to sync; NTFS journals the entries itself.
  if (process.platform === 'win32') return
  const handle = await fs.open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function asDiskError<T>(filePath: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (error) {
    throw toDiskError(filePath, error)
  }
}

async function absentAsNull<T>(filePath: string, operation: Promise<T>): Promise<T | null> {
  try {
    return await operation
  } catch (error) {
    if (platformCode(error) === 'ENOENT') return null
    throw toDiskError(filePath, error)
  }
}
