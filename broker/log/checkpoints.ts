/**
 * Kafka's text checkpoint files: line 1 the version, 0; line 2 the number of entries; then one entry a line. Written to
 * `.tmp`, synced and renamed. A file that does not read is reported and taken as absent: each has a safe default.
 */
import type { Disk, Env, Logger } from '../env/types.ts'
import { readBounded } from './bounded-read.ts'
import type { TopicPartition } from './types.ts'

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

const version = '0'
const checkpointBytesMax = 64 * 1024 * 1024

/** Offsets by `<topic>-<partition>`. */
export type OffsetCheckpoint = ReadonlyMap<string, number>

export function checkpointKey({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

export function encodeOffsetCheckpoint(entries: readonly (TopicPartition & { readonly offset: number })[]): Buffer {
  return encodeLines(entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`))
}

export function encodeEpochCheckpoint(entries: readonly EpochEntry[]): Buffer {
  return encodeLines(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`))
}

/** Null when the text is not a whole checkpoint. */
export function decodeOffsetCheckpoint(content: Buffer): OffsetCheckpoint | null {
  const lines = decodeLines(content)
  if (lines === null) return null
  const offsets = new Map<string, number>()
  for (const line of lines) {
    const match = /^(\S+) (\d{1,10}) (\d{1,16})$/.exec(line)
    if (match === null) return null
    offsets.set(`${match[1]}-${match[2]}`, Number(match[3]))
  }
  return offsets
}

/** Null when the text is not a whole checkpoint, or its entries do not ascend. */
export function decodeEpochCheckpoint(content: Buffer): readonly EpochEntry[] | null {
  const lines = decodeLines(content)
  if (lines === null) return null
  const entries: EpochEntry[] = []
  for (const line of lines) {
    const match = /^(\d{1,10}) (\d{1,16})$/.exec(line)
    if (match === null) return null
    const entry = { epoch: Number(match[1]), startOffset: Number(match[2]) }
    const previous = entries.at(-1)
    if (previous !== undefined && (entry.epoch <= previous.epoch || entry.startOffset < previous.startOffset)) return null
    entries.push(entry)
  }
  return entries
}

export async function readOffsetCheckpoint(env: Pick<Env, 'disk' | 'log'>, path: string): Promise<OffsetCheckpoint> {
  return (await readCheckpoint(env.disk, env.log, path, decodeOffsetCheckpoint)) ?? new Map()
}

export async function readEpochCheckpoint(env: Pick<Env, 'disk' | 'log'>, path: string): Promise<readonly EpochEntry[]> {
  return (await readCheckpoint(env.disk, env.log, path, decodeEpochCheckpoint)) ?? []
}

async function readCheckpoint<T>(disk: Disk, log: Logger, path: string, decode: (content: Buffer) => T | null): Promise<T | null> {
  if ((await disk.stat(path)) === null) return null
  const content = await readBounded(disk, path, checkpointBytesMax)
  const decoded = content === null ? null : decode(content)
  if (decoded === null) log.write('warn', 'a checkpoint file does not read; going on without it', { path })
  return decoded
}

function encodeLines(lines: readonly string[]): Buffer {
  return Buffer.from(`${[version, String(lines.length), ...lines].join('\n')}\n`)
}

function decodeLines(content: Buffer): readonly string[] | null {
  const lines = content.toString('utf8').split('\n')
  const count = Number(lines[1])
  const isWhole = lines[0] === version && /^\d+$/.test(lines[1] ?? '') && lines.at(-1) === '' && lines.length === count + 3
  return isWhole ? lines.slice(2, -1) : null
}
