/** What the tests of the log share: batches, readers, and a log on a simulated disk. */
import type { Env } from '../../../broker/env/types.ts'
import { createSimulatedEnv, type SimulatedEnv } from '../../../broker/env/simulated.ts'
import { type DiskPartitionLog, openPartitionLog, type OpenLogOptions } from '../../../broker/log/partition-log.ts'
import { type LogConfig, parseTopicConfig } from '../../../broker/log/topic-config.ts'
import type { AppendOrigin, LogLimits, PartitionLog } from '../../../broker/log/types.ts'
import { batchesIn, type BatchToEncode, encodeBatch, recordsIn } from '../../../broker/wire/record-batch.ts'

export interface SimpleRecord {
  readonly key?: string | null
  readonly value?: string | null
  readonly timestampMs?: number
}

export interface ReadRecord {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
}

export const folder = '/data/t-0'

export function config(...entries: [string, string][]): LogConfig {
  const { config: parsed, problems } = parseTopicConfig(entries)
  if (problems.length > 0) throw new Error(problems[0]?.problem)
  return parsed
}

/** Small enough for several segments in a test; the settings themselves begin at 1 MiB. */
export function smallConfig(overrides: Partial<LogConfig> = {}): LogConfig {
  return { ...config(), segmentBytes: 600, indexIntervalBytes: 100, fileDeleteDelayMs: 0, ...overrides }
}

export function batchOf(records: readonly SimpleRecord[], batch: Partial<BatchToEncode> = {}): Buffer {
  return encodeBatch({
    records: records.map(({ key = null, value = null, timestampMs = -1 }) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestampMs,
    })),
    ...batch,
  })
}

export function values(...texts: string[]): Buffer {
  return batchOf(texts.map((value) => ({ key: value, value })))
}

export function marker(options: { producerId: number; producerEpoch?: number; commit: boolean; coordinatorEpoch?: number }): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(options.commit ? 1 : 0, 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(options.coordinatorEpoch ?? 0, 2)
  return encodeBatch({
    records: [{ key, value, timestampMs: 0 }],
    producerId: options.producerId,
    producerEpoch: options.producerEpoch ?? 0,
    isTransactional: true,
    isControl: true,
  })
}

export async function openLog(
  env: Env,
  options: Partial<OpenLogOptions> & { limits?: Partial<LogLimits> } = {},
): Promise<DiskPartitionLog> {
  return openPartitionLog(env, {
    topicPartition: { topic: 't', partition: 0 },
    directory: folder,
    config: smallConfig(),
    isClean: false,
    recoveryPoint: null,
    logStartOffset: 0,
    ...options,
  })
}

export async function simulatedLog(
  options: Partial<OpenLogOptions> & { seed?: number; limits?: Partial<LogLimits> } = {},
): Promise<{ env: SimulatedEnv; log: DiskPartitionLog }> {
  const env = createSimulatedEnv({ seed: options.seed ?? 1 })
  await env.disk.makeDirectory('/data')
  await env.disk.syncDirectory('/')
  return { env, log: await openLog(env, options) }
}

/** Appends and waits for the write; the high watermark follows, as with one replica. */
export async function appendAll(
  log: PartitionLog,
  batches: readonly Buffer[],
  options: { leaderEpoch?: number; origin?: AppendOrigin } = {},
): Promise<number[]> {
  const offsets: number[] = []
  for (const batch of batches) {
    const result = log.append(batch, { leaderEpoch: options.leaderEpoch ?? 0, origin: options.origin ?? 'client' })
    if (result.errorCode !== 0) throw new Error(`append refused with ${result.errorCode}: ${result.errorMessage}`)
    offsets.push(result.baseOffset)
    await result.written
  }
  log.setHighWatermark(log.writtenEndOffset)
  return offsets
}

export async function readAll(log: PartitionLog, from = log.logStartOffset, maxBytes = 1000): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  let offset = from
  for (;;) {
    const result = await log.read({ fromOffset: offset, maxBytes, upToOffset: log.logEndOffset, atLeastOneBatch: true })
    if (result.errorCode !== 0) throw new Error(`read at ${offset} failed with ${result.errorCode}`)
    for (const record of decode(result.records)) if (record.offset >= offset) records.push(record)
    if (result.nextOffset === offset) return records
    offset = result.nextOffset
  }
}

export function decode(buffers: readonly Buffer[]): ReadRecord[] {
  const records: ReadRecord[] = []
  for (const buffer of buffers) {
    for (const { header, position } of batchesIn(buffer)) {
      for (const { offset, key, value, timestampMs } of recordsIn(buffer, position, header)) {
        records.push({ offset, timestampMs, key: key?.toString() ?? null, value: value?.toString() ?? null })
      }
    }
  }
  return records
}

export async function readValues(log: PartitionLog): Promise<(string | null)[]> {
  return (await readAll(log)).map((record) => record.value)
}
