/**
 * The snapshot files beside a metadata log.
 *
 * Invariants: a file under its final name is complete and synced (it is written as `.part` and renamed); the newest two are kept,
 * and the log is cut no further than the older one, so a newest one that turns out damaged costs nothing. The file at offset 0,
 * which names the voters of a formatted folder, is not a snapshot of anything and stays.
 */
import type { DiskFile, Env } from '../env/types.ts'
import type { SnapshotId } from '../quorum/types.ts'
import {
  decodeSnapshot,
  snapshotBatches,
  snapshotFileName,
  snapshotIdOf,
  type Snapshot,
  type SnapshotContent,
} from './metadata-snapshot.ts'

/** Of one replica; more are removed, oldest first. */
const SNAPSHOTS_KEPT = 2
const PART_SUFFIX = '.part'

export class SnapshotStore {
  readonly #env: Env
  readonly #directory: string
  /** Ascending. */
  #kept: readonly SnapshotId[] = []

  constructor(env: Env, directory: string) {
    this.#env = env
    this.#directory = directory
  }

  /** Ascending. */
  get kept(): readonly SnapshotId[] {
    return this.#kept
  }

  /** Looks at what is there, removes what was cut short, and reads the newest snapshot that is whole; null when there is none. */
  async open(): Promise<(Snapshot & { readonly id: SnapshotId }) | null> {
    const { disk, log } = this.#env
    const names = (await disk.list(this.#directory)) ?? []
    for (const name of names) if (name.endsWith(PART_SUFFIX)) await disk.remove(this.#path(name))
    const ids = names.map(snapshotIdOf).filter((id) => id !== null && id.endOffset > 0) as SnapshotId[]
    this.#kept = ids.sort((one, other) => one.endOffset - other.endOffset || one.epoch - other.epoch)
    for (const id of this.#kept.toReversed()) {
      const path = this.#path(snapshotFileName(id))
      try {
        return { id, ...decodeSnapshot(path, (await disk.readFile(path)) ?? Buffer.alloc(0)) }
      } catch (error) {
        log.write('error', 'a snapshot of the metadata cannot be used and is removed', { path, reason: String(error) })
        await disk.remove(path)
        this.#kept = this.#kept.filter((kept) => kept !== id)
      }
    }
    return null
  }

  /** Writes batch by batch, letting other work in between; resolves once it is on stable storage under its name. */
  async write(id: SnapshotId, content: SnapshotContent): Promise<void> {
    const { scheduler, clock } = this.#env
    await this.#complete(id, async (file) => {
      let position = 0
      for (const batch of snapshotBatches(content, clock.nowMs())) {
        await file.write(position, [batch])
        position += batch.length
        await scheduler.yieldTurn()
      }
    })
    await this.#keep([...this.#kept, id])
  }

  /** Takes over another replica's file from `parts`, in order, and reads it. It is kept only once `keepAlone` is called. */
  async receive(id: SnapshotId, parts: AsyncIterable<Buffer>): Promise<Snapshot> {
    await this.#complete(id, async (file) => {
      let position = 0
      for await (const part of parts) {
        await file.write(position, [part])
        position += part.length
      }
    })
    const path = this.#path(snapshotFileName(id))
    return decodeSnapshot(path, (await this.#env.disk.readFile(path)) ?? Buffer.alloc(0))
  }

  /** The log starts at this snapshot's end from now on: older ones are of no use. */
  keepAlone(id: SnapshotId): Promise<void> {
    return this.#keep([id], 1)
  }

  /** Part of a snapshot's file; null when there is none of that name. */
  async read(
    id: SnapshotId,
    { position, maxBytes }: { readonly position: number; readonly maxBytes: number },
  ): Promise<{ readonly sizeBytes: number; readonly bytes: Buffer } | null> {
    const { disk } = this.#env
    const path = this.#path(snapshotFileName(id))
    const stat = await disk.stat(path)
    if (stat === null) return null
    const bytes = Buffer.alloc(Math.max(0, Math.min(maxBytes, stat.bytes - position)))
    if (bytes.length === 0) return { sizeBytes: stat.bytes, bytes }
    const file = await disk.open(path, { readOnly: true })
    try {
      const count = await file.read(position, bytes)
      return { sizeBytes: stat.bytes, bytes: bytes.subarray(0, count) }
    } finally {
      await file.close()
    }
  }

  async #complete(id: SnapshotId, fill: (file: DiskFile) => Promise<void>): Promise<void> {
    const { disk } = this.#env
    const path = this.#path(snapshotFileName(id))
    const file = await disk.open(`${path}${PART_SUFFIX}`, { create: true })
    try {
      await file.truncate(0)
      await fill(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.rename(`${path}${PART_SUFFIX}`, path)
    await disk.syncDirectory(this.#directory)
  }

  async #keep(ids: readonly SnapshotId[], count: number = SNAPSHOTS_KEPT): Promise<void> {
    const ascending = [...ids].sort((one, other) => one.endOffset - other.endOffset)
    const before = this.#kept
    this.#kept = ascending.slice(-count)
    for (const id of [...before, ...ascending]) {
      if (!this.#kept.some(({ endOffset, epoch }) => endOffset === id.endOffset && epoch === id.epoch)) {
        await this.#env.disk.remove(this.#path(snapshotFileName(id)))
      }
    }
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`
  }
}
