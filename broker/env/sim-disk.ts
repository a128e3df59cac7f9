/**
 * A disk in memory that outlives the simulated processes using it. It knows what has been synced, so that a kill keeps
 * what the operating system had taken and a power loss may drop or tear the rest; it fails on demand.
 */
import type { SimulatedInode } from './sim-file.ts'
import { SimulatedInode as Inode } from './sim-file.ts'
import type { SimulatedLoop, SimulatedProcess } from './sim-loop.ts'
import { parentOf, SimulatedNamespace } from './sim-namespace.ts'
import type { SimulatedRandom } from './sim-random.ts'
import { type Disk, DiskError, type DiskFile, type DiskLock, type FileStat } from './types.ts'

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'stat'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'lock'

export interface DiskFault {
  readonly operations?: readonly DiskOperation[]
  readonly path?: (path: string) => boolean
  /** EIO, ENOSPC ... */
  readonly code: string
  /** Failures before the fault is spent; endless when absent. */
  readonly count?: number
}

export interface ActiveDiskFault {
  readonly firedCount: number
  remove(): void
}

interface PendingWrite {
  readonly inode: SimulatedInode
  readonly position: number
  readonly bytes: Buffer
  readonly process: SimulatedProcess
}

export class SimulatedDisk {
  readonly #loop: SimulatedLoop
  readonly #random: SimulatedRandom
  readonly #latencyMsMax: number
  readonly names = new SimulatedNamespace()
  readonly #faults = new Set<{ fault: DiskFault; firedCount: number }>()
  readonly #locks = new Map<string, SimulatedProcess>()
  #powerCycles = 0
  readonly #pendingWrites = new Set<PendingWrite>()
  /** Total bytes of all files; a write beyond it fails with ENOSPC. */
  capacityBytes = Number.MAX_SAFE_INTEGER
  /** Every operation takes up to this much longer. */
  extraLatencyMsMax = 0

  constructor(loop: SimulatedLoop, random: SimulatedRandom, latencyMsMax: number) {
    this.#loop = loop
    this.#random = random
    this.#latencyMsMax = latencyMsMax
  }

  failNext(fault: DiskFault): ActiveDiskFault {
    const active = { fault, firedCount: 0 }
    this.#faults.add(active)
    return {
      get firedCount() {
        return active.firedCount
      },
      remove: () => void this.#faults.delete(active),
    }
  }

  /** The process ended: of each file's writes under way, some are done, one may be torn, the rest never were. */
  processEnded(process: SimulatedProcess): void {
    const stopped = new Set<SimulatedInode>()
    for (const write of this.#pendingWrites) {
      if (write.process !== process) continue
      this.#pendingWrites.delete(write)
      if (stopped.has(write.inode)) continue
      const doneBytes = this.#random.below(2) === 0 ? write.bytes.length : this.#random.below(write.bytes.length + 1)
      if (doneBytes < write.bytes.length) stopped.add(write.inode)
      if (doneBytes > 0) write.inode.write(write.position, write.bytes.subarray(0, doneBytes))
    }
    for (const [path, holder] of this.#locks) if (holder === process) this.#locks.delete(path)
  }

  losePower(): void {
    this.#powerCycles++
    const inodes = new Set(this.names.inodes())
    this.names.losePower(this.#random)
    for (const inode of new Set([...inodes, ...this.names.inodes()])) inode.losePower(this.#random)
  }

  /** What `process` sees. */
  boundTo(process: SimulatedProcess): Disk {
    const answer = <T>(operation: DiskOperation, path: string, act: () => T): Promise<T> => this.perform(process, operation, path, 0, act)
    return {
      open: (path, options = {}) =>
        answer('open', path, (): DiskFile => {
          const existing = this.names.inode(path)
          if (existing === null && !options.create) throw absent(path)
          return new SimulatedFile(this, process, path, existing ?? this.#createFile(path))
        }),
      stat: (path) => answer('stat', path, () => this.#stat(path)),
      list: (path) => answer('list', path, () => (this.names.isDirectory(path) ? this.names.list(path) : null)),
      makeDirectory: (path) => answer('makeDirectory', path, () => this.names.change({ kind: 'makeDirectory', path })),
      rename: (from, to) =>
        answer('rename', from, () => {
          if (!this.names.exists(from)) throw absent(from)
          this.names.change({ kind: 'rename', from, to })
        }),
      remove: (path) => answer('remove', path, () => this.names.change({ kind: 'unlink', path })),
      removeTree: (path) => answer('remove', path, () => this.names.change({ kind: 'removeTree', path })),
      readFile: (path) => answer('read', path, () => this.names.inode(path)?.content() ?? null),
      writeFileAtomic: (path, content) => this.#writeFileAtomic(process, path, content),
      syncDirectory: (path) => answer('syncDirectory', path, () => this.names.commit()),
      writeCacheId: () => Promise.resolve(`power cycle ${this.#powerCycles}`),
      lock: (path) => answer('lock', path, () => this.#lock(process, path)),
      space: (path) =>
        answer('stat', path, () => {
          const totalBytes = this.capacityBytes
          return { totalBytes, freeBytes: Math.max(0, totalBytes - this.usedBytes()) }
        }),
    }
  }

  /** Carries out `act` as one event after `delayMs` and the disk's latency, unless a fault says otherwise. */
  perform<T>(process: SimulatedProcess, operation: DiskOperation, path: string, delayMs: number, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#loop.schedule(process, delayMs + this.#random.fraction() * (this.#latencyMsMax + this.extraLatencyMsMax), () => {
        try {
          this.#failIfAsked(operation, path)
          resolve(act())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  usedBytes(): number {
    let total = 0
    for (const inode of this.names.inodes()) total += inode.length
    return total
  }

  nowMs(): number {
    return this.#loop.nowMs()
  }

  writePending(process: SimulatedProcess, inode: SimulatedInode, position: number, bytes: Buffer): () => void {
    const pending: PendingWrite = { inode, position, bytes, process }
    this.#pendingWrites.add(pending)
    return () => void this.#pendingWrites.delete(pending)
  }

  writeNow(path: string, inode: SimulatedInode, position: number, bytes: Buffer): void {
    const grownBytes = Math.max(0, position + bytes.length - inode.length)
    if (grownBytes > 0 && this.usedBytes() + grownBytes > this.capacityBytes) {
      throw new DiskError('ENOSPC', path, `no space left on device, write ${path}`)
    }
    inode.write(position, bytes)
    inode.modifiedMs = this.nowMs()
  }

  #createFile(path: string): SimulatedInode {
    if (!this.names.isDirectory(parentOf(path))) throw absent(path)
    const inode = new Inode()
    inode.modifiedMs = this.nowMs()
    this.names.change({ kind: 'link', path, inode })
    return inode
  }

  #stat(path: string): FileStat | null {
    const inode = this.names.inode(path)
    if (inode !== null) return { bytes: inode.length, modifiedMs: inode.modifiedMs, isDirectory: false }
    return this.names.isDirectory(path) ? { bytes: 0, modifiedMs: 0, isDirectory: true } : null
  }

  async #writeFileAtomic(process: SimulatedProcess, path: string, content: Uint8Array): Promise<void> {
    const bytes = Buffer.from(content)
    const temporaryPath = `${path}.tmp`
    const inode = await this.perform(process, 'open', temporaryPath, 0, () => this.#createFile(temporaryPath))
    await this.perform(process, 'write', temporaryPath, 0, () => this.writeNow(temporaryPath, inode, 0, bytes))
    await this.perform(process, 'sync', temporaryPath, 0, () => inode.sync(inode.changeCount))
    await this.perform(process, 'rename', temporaryPath, 0, () => this.names.change({ kind: 'rename', from: temporaryPath, to: path }))
    await this.perform(process, 'syncDirectory', parentOf(path), 0, () => this.names.commit())
  }

  #lock(process: SimulatedProcess, path: string): DiskLock | null {
    if (this.#locks.has(path)) return null
    if (this.names.inode(path) === null) this.#createFile(path)
    this.#locks.set(path, process)
    return {
      release: () => {
        this.#locks.delete(path)
        return Promise.resolve()
      },
    }
  }

  #failIfAsked(operation: DiskOperation, path: string): void {
    for (const active of this.#faults) {
      const { fault } = active
      if (fault.operations !== undefined && !fault.operations.includes(operation)) continue
      if (fault.path !== undefined && !fault.path(path)) continue
      active.firedCount++
      if (fault.count !== undefined && active.firedCount >= fault.count) this.#faults.delete(active)
      throw new DiskError(fault.code, path, `${fault.code}: injected, ${operation} ${path}`)
    }
  }
}

class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #disk: SimulatedDisk
  readonly #process: SimulatedProcess
  readonly #inode: SimulatedInode
  #isClosed = false
  /** Settles when all calls made so far have: the next call starts then. */
  #previous: Promise<unknown> = Promise.resolve()

  constructor(disk: SimulatedDisk, process: SimulatedProcess, path: string, inode: SimulatedInode) {
    this.#disk = disk
    this.#process = process
    this.path = path
    this.#inode = inode
  }

  read(position: number, target: Uint8Array): Promise<number> {
    return this.#inOrder('read', () => this.#inode.read(position, target))
  }

  write(position: number, chunks: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(chunks)
    const forget = this.#disk.writePending(this.#process, this.#inode, position, bytes)
    const written = this.#inOrder('write', () => this.#disk.writeNow(this.path, this.#inode, position, bytes))
    return written.finally(forget)
  }

  truncate(bytes: number): Promise<void> {
    return this.#inOrder('truncate', () => this.#inode.truncate(bytes))
  }

  sync(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed(this.path))
    return this.#previous.then(() => {
      const covered = this.#inode.changeCount
      return this.#disk.perform(this.#process, 'sync', this.path, 0, () => this.#inode.sync(covered))
    })
  }

  bytes(): Promise<number> {
    return this.#inOrder('stat', () => this.#inode.length)
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const done = this.#previous.then(() => undefined)
    this.#isClosed = true
    return done
  }

  #inOrder<T>(operation: DiskOperation, act: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed(this.path))
    const result = this.#previous.then(() => this.#disk.perform(this.#process, operation, this.path, 0, act))
    this.#previous = result.catch(() => undefined)
    return result
  }
}

function absent(path: string): DiskError {
  return new DiskError('ENOENT', path, `no such file or directory: ${path}`)
}

function closed(path: string): DiskError {
  return new DiskError('EBADF', path, `${path} is closed`)
}
