/**
 * Damages segment, index, checkpoint and snapshot files at random and opens the data folder again. The node must always
 * open, read, append, compact and close, with bounded memory; no file is believed more than it can prove.
 * Run: npx node test/fuzz/segments.ts [runs] [first seed]
 */
import { createSimulatedEnv, type SimulatedEnv } from '../../broker/env/simulated.ts'
import { openLogManager } from '../../broker/log/log-manager.ts'
import { defaultLogConfig, type LogConfig } from '../../broker/log/topic-config.ts'
import { LogError, type LogManager, type PartitionLog } from '../../broker/log/types.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'
import { damaged } from '../support/log-damage.ts'

const runs = Number(process.argv[2] ?? 500)
const firstSeed = Number(process.argv[3] ?? 1)
const heapGrowthBytesMax = 256 * 1024 * 1024
const damagedFilesMax = 6

const settings: Readonly<Record<string, LogConfig>> = {
  plain: { ...defaultLogConfig, segmentBytes: 800, indexIntervalBytes: 120, fileDeleteDelayMs: 0 },
  compacted: {
    ...defaultLogConfig,
    segmentBytes: 800,
    indexIntervalBytes: 120,
    fileDeleteDelayMs: 0,
    isCompacted: true,
    isDeleted: false,
    minCleanableDirtyRatio: 0,
  },
}

function open(env: SimulatedEnv): Promise<LogManager> {
  return openLogManager(env, {
    directory: '/data',
    clusterId: 'fuzz',
    nodeId: 1,
    configOf: (topic) => settings[topic] ?? defaultLogConfig,
  })
}

async function fill(manager: LogManager, env: SimulatedEnv): Promise<void> {
  for (const [topic, config] of Object.entries(settings)) {
    for (const partition of [0, 1]) {
      const log = await manager.getOrCreate({ topic, partition }, { topicId: null, config })
      for (let index = 0; index < 15; index++) await append(log, env, index)
      log.setHighWatermark(log.writtenEndOffset)
    }
  }
}

async function append(log: PartitionLog, env: SimulatedEnv, index: number): Promise<void> {
  const count = 1 + env.random.below(4)
  const records = Array.from({ length: count }, () => ({
    key: Buffer.from(`key ${env.random.below(8)}`),
    value: env.random.below(6) === 0 ? null : Buffer.from(env.random.bytes(env.random.below(80))),
    timestampMs: env.clock.nowMs(),
  }))
  const producerId = index % 2 === 0 ? 1000 + log.logEndOffset : -1
  const batch = encodeBatch({ records, compression: (index % 5) as 0, producerId, producerEpoch: 0, baseSequence: 0 })
  const result = log.append(batch, { leaderEpoch: Math.floor(index / 4), origin: 'client' })
  if (result.errorCode !== 0) throw new Error(`append refused with ${result.errorCode}: ${result.errorMessage}`)
  await result.written
}

async function readThrough(log: PartitionLog): Promise<void> {
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const result = await log.read({ fromOffset: offset, maxBytes: 500, upToOffset: log.logEndOffset, atLeastOneBatch: true })
    // Damage below the recovery point is met while reading, and answered with a code.
    if (result.errorCode !== 0 || result.nextOffset === offset) return
    offset = result.nextOffset
  }
  await log.offsetForTimestamp(0, log.logEndOffset)
  await log.offsetOfMaxTimestamp(log.logEndOffset)
  await log.abortedTransactions(log.logStartOffset, log.logEndOffset)
}

async function run(seed: number): Promise<void> {
  let env = createSimulatedEnv({ seed })
  const manager = await open(env)
  await fill(manager, env)
  const isClean = env.random.below(2) === 0
  if (isClean) await manager.close()
  else await manager.runMaintenance()
  env = env.restartAfter(env.random.below(3) === 0 ? 'powerLoss' : 'kill')
  const paths = env.diskControl.names.paths()
  for (let count = 1 + env.random.below(damagedFilesMax); count > 0; count--) {
    const path = paths[env.random.below(paths.length)]
    const content = path === undefined ? null : await env.disk.readFile(path)
    if (path !== undefined && content !== null) await env.disk.writeFileAtomic(path, damaged(content, env.random).content)
  }
  const reopened = await open(env).catch((error: unknown) => {
    // A damaged meta.properties is somebody else's folder: the one thing that is refused.
    if (error instanceof LogError && error.code === 'DIRECTORY_FOREIGN') return null
    throw error
  })
  if (reopened === null) return
  for (const log of reopened.all()) {
    log.setHighWatermark(log.logEndOffset)
    await readThrough(log)
    if (log.offline !== null) throw new Error(`offline: ${log.offline.reason}`)
    await append(log, env, 1)
  }
  await reopened.runMaintenance()
  await env.advance(60_000)
  await reopened.close()
}

const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().external
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  try {
    await run(seed)
  } catch (error) {
    console.error(`seed ${seed}:`, error)
    process.exit(1)
  }
  const grownBytes = process.memoryUsage().heapUsed + process.memoryUsage().external - heapBefore
  if (grownBytes > heapGrowthBytesMax) {
    console.error(`seed ${seed}: memory grew by ${Math.round(grownBytes / 1024 / 1024)} MiB`)
    process.exit(1)
  }
}
console.log(`${runs} damaged data folders opened, read, written and closed (seeds ${firstSeed} to ${firstSeed + runs - 1})`)
