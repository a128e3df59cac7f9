/**
 * A lock the operating system drops when its holder dies, however it dies, and never before.
 *
 * - Linux: a listening socket in the abstract namespace, named after the file's device and inode. No file is left
 *   behind, two starters cannot both win, and a stopped (SIGSTOP) holder still holds. Node offers no `flock`.
 * - macOS: the file opened with O_EXLOCK, which is `flock` at open.
 * - Windows: the file opened for exclusive sharing, which libuv calls O_EXLOCK too.
 * The file itself holds the process id, for people to read.
 */
import { createHash } from 'node:crypto'
import { constants, promises as fs } from 'node:fs'
import * as net from 'node:net'
import { platformCode, toDiskError } from './disk-error.ts'
import type { DiskLock } from './types.ts'

const exclusiveLockFlag: Readonly<Partial<Record<NodeJS.Platform, number>>> = { darwin: 0x20, win32: 0x1000_0000 }
const heldCodes: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK', 'EBUSY', 'EPERM', 'EACCES', 'EADDRINUSE'])

export async function lockFile(path: string): Promise<DiskLock | null> {
  try {
    const flag = exclusiveLockFlag[process.platform]
    return flag === undefined ? await lockBySocket(path) : await lockByOpen(path, flag)
  } catch (error) {
    throw toDiskError(path, error)
  }
}

async function lockByOpen(path: string, exclusiveFlag: number): Promise<DiskLock | null> {
  const nonBlocking = process.platform === 'win32' ? 0 : constants.O_NONBLOCK
  try {
    const handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT | nonBlocking | exclusiveFlag)
    await handle.truncate(0)
    await handle.write(`${process.pid}\n`, 0)
    return { release: () => handle.close() }
  } catch (error) {
    if (heldCodes.has(platformCode(error))) return null
    throw error
  }
}

async function lockBySocket(path: string): Promise<DiskLock | null> {
  const handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT)
  try {
    const stat = await handle.stat({ bigint: true })
    const server = await listenOnce(abstractName(stat.dev, stat.ino))
    if (server === null) return null
    await handle.truncate(0)
    await handle.write(`${process.pid}\n`, 0)
    return { release: () => new Promise((resolve) => server.close(() => resolve())) }
  } finally {
    await handle.close()
  }
}

function abstractName(device: bigint, inode: bigint): string {
  // The kernel's limit is 107 characters; the hash keeps other users' paths out of /proc/net/unix.
  return `\0weir-lock-${createHash('sha256').update(`${device}:${inode}`).digest('hex').slice(0, 40)}`
}

function listenOnce(name: string): Promise<net.Server | null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy())
    server.once('error', (error) => (platformCode(error) === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen(name, () => {
      server.unref()
      resolve(server)
    })
  })
}
