/**
 * One open file. Reads run side by side; writes and truncations run alone, in the order of the calls; a sync covers the
 * calls before it, and later calls do not wait for it: a background fsync never stalls the appends behind it.
 */
import * as fs from 'node:fs'
import { toDiskError } from './disk-error.ts'
import { DiskError, type DiskFile } from './types.ts'

type OperationKind = 'read' | 'write' | 'sync'

interface Operation {
  readonly kind: OperationKind
  /** Calls `done` exactly once. */
  readonly start: (done: () => void) => void
}

export function openRealFile(path: string, flags: number): Promise<DiskFile> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, (error, descriptor) => {
      if (error) reject(toDiskError(path, error))
      else resolve(new RealFile(path, descriptor))
    })
  })
}

class RealFile implements DiskFile {
  readonly path: string
  readonly #descriptor: number
  readonly #waiting: Operation[] = []
  #activeReads = 0
  #activeSyncs = 0
  #isWriting = false
  #isClosed = false

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  read(position: number, target: Uint8Array): Promise<number> {
    return this.#run('read', (resolve, reject) => this.#readFully(position, target, 0, resolve, reject))
  }

  write(position: number, chunks: readonly Uint8Array[]): Promise<void> {
    return this.#run('write', (resolve, reject) => this.#writeFully(position, chunks, resolve, reject))
  }

  truncate(bytes: number): Promise<void> {
    return this.#run('write', (resolve, reject) => fs.ftruncate(this.#descriptor, bytes, settle(resolve, reject)))
  }

  sync(): Promise<void> {
    return this.#run('sync', (resolve, reject) => fs.fdatasync(this.#descriptor, settle(resolve, reject)))
  }

  bytes(): Promise<number> {
    return this.#run('read', (resolve, reject) => fs.fstat(this.#descriptor, (error, stat) => (error ? reject(error) : resolve(stat.size))))
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    const closed = this.#run<void>('write', (resolve, reject) => this.#closeAfterSyncs(settle(resolve, reject)))
    this.#isClosed = true
    return closed
  }

  #closeAfterSyncs(callback: (error: NodeJS.ErrnoException | null) => void): void {
    if (this.#activeSyncs > 0) setImmediate(() => this.#closeAfterSyncs(callback))
    else fs.close(this.#descriptor, callback)
  }

  #readFully(
    position: number,
    target: Uint8Array,
    filled: number,
    resolve: (bytes: number) => void,
    reject: (error: unknown) => void,
  ): void {
    if (filled === target.length) return resolve(filled)
    fs.read(this.#descriptor, target, filled, target.length - filled, position + filled, (error, bytes) => {
      if (error) reject(error)
      else if (bytes === 0) resolve(filled)
      else this.#readFully(position, target, filled + bytes, resolve, reject)
    })
  }

  #writeFully(position: number, chunks: readonly Uint8Array[], resolve: () => void, reject: (error: unknown) => void): void {
    if (chunks.length === 0) return resolve()
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const onWritten = (error: NodeJS.ErrnoException | null, bytes: number): void => {
      if (error) reject(error)
      else if (bytes === total) resolve()
      else if (bytes === 0) reject(new DiskError('EIO', this.path, `the disk took 0 of ${total} bytes`))
      else this.#writeFully(position + bytes, withoutFirst(chunks, bytes), resolve, reject)
    }
    const only = chunks[0]
    if (chunks.length === 1 && only !== undefined) fs.write(this.#descriptor, only, 0, only.length, position, onWritten)
    else fs.writev(this.#descriptor, chunks as Uint8Array[], position, onWritten)
  }

  #run<T>(kind: OperationKind, start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(new DiskError('EBADF', this.path, `${this.path} is closed`))
    return new Promise<T>((resolve, reject) => {
      const operation: Operation = {
        kind,
        start: (done) =>
          start(
            (value) => {
              done()
              resolve(value)
            },
            (error) => {
              done()
              reject(toDiskError(this.path, error))
            },
          ),
      }
      this.#waiting.push(operation)
      this.#startWhatMay()
    })
  }

  #startWhatMay(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || this.#isWriting || (next.kind === 'write' && this.#activeReads > 0)) return
      this.#waiting.shift()
      this.#begin(next)
    }
  }

  #begin(operation: Operation): void {
    if (operation.kind === 'write') this.#isWriting = true
    else if (operation.kind === 'read') this.#activeReads++
    else this.#activeSyncs++
    operation.start(() => {
      if (operation.kind === 'write') this.#isWriting = false
      else if (operation.kind === 'read') this.#activeReads--
      else this.#activeSyncs--
      this.#startWhatMay()
    })
  }
}

function settle(resolve: () => void, reject: (error: unknown) => void): (error: unknown) => void {
  return (error) => (error ? reject(error) : resolve())
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  const rest: Uint8Array[] = []
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length
    else {
      rest.push(skip === 0 ? chunk : chunk.subarray(skip))
      skip = 0
    }
  }
  return rest
}
