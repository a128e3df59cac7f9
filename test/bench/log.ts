/**
 * How fast one partition log appends, reads and comes back after a kill, on the disk of this machine.
 * Run: npx node test/bench/log.ts [folder]
 */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { createRealEnv } from '../../broker/env/real.ts'
import { type DiskPartitionLog, openPartitionLog } from '../../broker/log/partition-log.ts'
import { defaultLogConfig } from '../../broker/log/topic-config.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'

const mebibyte = 1024 * 1024
const recoveryBytes = 1024 * mebibyte
/** As many requests as a few pipelining producers keep in flight. */
const inFlight = 64

const env = createRealEnv({ log: { write: () => undefined } })

async function open(directory: string, options: { isClean: boolean; recoveryPoint: number | null }): Promise<DiskPartitionLog> {
  return openPartitionLog(env, {
    topicPartition: { topic: 'bench', partition: 0 },
    directory,
    config: defaultLogConfig,
    logStartOffset: 0,
    ...options,
  })
}

function batch(recordBytes: number, recordCount: number): Buffer {
  const value = Buffer.alloc(recordBytes, 'abcdefghijklmnopqrstuvwxyz0123456789')
  const timestampMs = Date.now()
  return encodeBatch({ records: Array.from({ length: recordCount }, () => ({ key: null, value, timestampMs })) })
}

async function append(log: DiskPartitionLog, template: Buffer, totalBytes: number): Promise<number> {
  const startMs = performance.now()
  let written = 0
  const producer = async (): Promise<void> => {
    while (written < totalBytes) {
      written += template.length
      const result = log.append(Buffer.from(template), { leaderEpoch: 0, origin: 'client' })
      if (result.errorCode !== 0) throw new Error(result.errorMessage ?? 'refused')
      await result.written
    }
  }
  await Promise.all(Array.from({ length: inFlight }, producer))
  log.setHighWatermark(log.writtenEndOffset)
  return (written / mebibyte / (performance.now() - startMs)) * 1000
}

async function read(log: DiskPartitionLog): Promise<number> {
  const startMs = performance.now()
  let offset = log.logStartOffset
  let bytes = 0
  while (offset < log.logEndOffset) {
    const result = await log.read({ fromOffset: offset, maxBytes: mebibyte, upToOffset: log.logEndOffset, atLeastOneBatch: true })
    bytes += result.bytes
    offset = result.nextOffset
  }
  return (bytes / mebibyte / (performance.now() - startMs)) * 1000
}

async function timed(work: () => Promise<DiskPartitionLog>): Promise<{ log: DiskPartitionLog; ms: number }> {
  const startMs = performance.now()
  const log = await work()
  return { log, ms: performance.now() - startMs }
}

function report(what: string, value: number, unit: string): void {
  console.log(`${what.padEnd(58)} ${value.toFixed(value < 10 ? 1 : 0).padStart(8)} ${unit}`)
}

const root = await fs.mkdtemp(path.join(process.argv[2] ?? os.tmpdir(), 'weir-log-bench-'))
try {
  console.log(`node ${process.version}, ${os.cpus()[0]?.model ?? 'unknown cpu'} x ${os.cpus().length}, ${root}`)
  const shapes = [
    { name: '1 KiB record a batch', template: batch(1024, 1), totalBytes: 128 * mebibyte },
    { name: '16 KiB batch of 16', template: batch(1024, 16), totalBytes: 512 * mebibyte },
    { name: '256 KiB batch of 256', template: batch(1024, 256), totalBytes: 256 * mebibyte },
  ]
  for (const [index, { name, template, totalBytes }] of shapes.entries()) {
    const log = await open(path.join(root, `bench-${index}`), { isClean: true, recoveryPoint: 0 })
    report(`append, ${name}, ${inFlight} in flight`, await append(log, template, totalBytes), 'MiB/s')
    report(`read, 1 MiB at a time, ${name}`, await read(log), 'MiB/s')
    await log.abandon()
    await fs.rm(path.join(root, `bench-${index}`), { recursive: true })
  }

  const directory = path.join(root, 'bench-recovery')
  const log = await open(directory, { isClean: true, recoveryPoint: 0 })
  await append(log, batch(1024, 16), recoveryBytes)
  const recoveryPoint = log.logEndOffset
  const syncStartMs = performance.now()
  await log.checkpoint()
  report('sync and checkpoint of 1 GiB', performance.now() - syncStartMs, 'ms')
  await append(log, batch(1024, 16), 64 * mebibyte)
  await log.abandon()
  const tail = await timed(() => open(directory, { isClean: false, recoveryPoint }))
  report('start after a kill, 1 GiB synced and 64 MiB not', tail.ms, 'ms')
  await tail.log.abandon()
  const everything = await timed(() => open(directory, { isClean: false, recoveryPoint: 0 }))
  report('start after a kill, nothing synced (1.06 GiB checked)', everything.ms, 'ms')
  await everything.log.close()
  const clean = await timed(() => open(directory, { isClean: true, recoveryPoint: null }))
  report('start after a clean stop', clean.ms, 'ms')
  await clean.log.abandon()
} finally {
  await fs.rm(root, { recursive: true, force: true })
}
