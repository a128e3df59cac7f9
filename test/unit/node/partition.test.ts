import { describe, expect, it } from 'vitest'
import type { AppendAccepted, PartitionAppend } from '../../../broker/api/partitions.ts'
import { LeaderRecoveryState, type PartitionState } from '../../../broker/cluster/partition-state.ts'
import type { Env } from '../../../broker/env/types.ts'
import type { LogConfig } from '../../../broker/log/topic-config.ts'
import { Partition } from '../../../broker/node/partition.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { manualTime } from '../../support/manual-time.ts'
import { MemoryLog } from '../../support/memory-log.ts'
import { producedBatch } from '../../support/produced-batch.ts'

const SELF = 1

function state(change: Partial<PartitionState> = {}): PartitionState {
  return {
    replicas: [SELF],
    directories: [],
    isr: [SELF],
    removingReplicas: [],
    addingReplicas: [],
    leader: SELF,
    leaderRecoveryState: LeaderRecoveryState.RECOVERED,
    leaderEpoch: 3,
    partitionEpoch: 0,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    ...change,
  }
}

function replica(config: Partial<LogConfig> = {}) {
  const time = manualTime()
  const log = new MemoryLog({ config })
  const env = { timers: time.timers, clock: { nowMs: () => time.nowMs(), monotonicMs: () => time.nowMs() } } as Env
  return { time, log, partition: new Partition({ env, nodeId: SELF, topic: 'orders', topicId: 'T', partition: 0, log }) }
}

function leading(config: Partial<LogConfig> = {}, change: Partial<PartitionState> = {}) {
  const made = replica(config)
  made.partition.apply(state(change))
  return made
}

const options = (acks: 0 | 1 | -1): PartitionAppend => ({ origin: 'client', acks, timeoutMs: 1000, zstdAllowed: true })

function accepted(partition: Partition, acks: 0 | 1 | -1, count = 1): AppendAccepted {
  const outcome = partition.append(producedBatch(count), options(acks))
  if (outcome.error !== ErrorCode.NONE) throw new Error(`refused with ${outcome.error}`)
  return outcome
}

describe('a partition that leads', () => {
  it('acknowledges acks=1 and acks=-1 when the write returned, and moves the high watermark then', async () => {
    const { partition, log } = leading()
    const one = accepted(partition, 1, 2)
    const all = accepted(partition, -1, 3)
    expect([one.baseOffset, all.baseOffset]).toEqual([0, 2])
    expect(partition.visibleEnd('readUncommitted')).toBe(0)
    log.finishWrites()
    expect(await one.acknowledged).toBe(ErrorCode.NONE)
    expect(await all.acknowledged).toBe(ErrorCode.NONE)
    expect(partition.visibleEnd('readUncommitted')).toBe(5)
  })

  it('waits for every in-sync follower before acks=-1 is acknowledged or consumers see it', async () => {
    const { partition, log } = leading({}, { replicas: [SELF, 2, 3], isr: [SELF, 2] })
    const all = accepted(partition, -1, 2)
    let answered = false
    void all.acknowledged.then(() => (answered = true))
    log.finishWrites()
    await Promise.resolve()
    partition.followerFetched(3, 2)
    partition.followerFetched(2, 1)
    expect(partition.visibleEnd('readUncommitted')).toBe(1)
    expect(answered).toBe(false)
    partition.followerFetched(2, 2)
    expect(await all.acknowledged).toBe(ErrorCode.NONE)
    expect(partition.visibleEnd('readUncommitted')).toBe(2)
  })

  it('ignores a follower that claims more than the log holds', () => {
    const { partition } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    partition.followerFetched(2, 100)
    expect(partition.visibleEnd('readUncommitted')).toBe(0)
  })

  it('answers acks=-1 with a time-out when followers stay behind', async () => {
    const { partition, log, time } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    const all = accepted(partition, -1)
    log.finishWrites()
    time.advance(1000)
    expect(await all.acknowledged).toBe(ErrorCode.REQUEST_TIMED_OUT)
  })

  it('refuses acks=-1 below min.insync.replicas and takes acks=1', () => {
    const { partition } = leading({ minInsyncReplicas: 2 })
    expect(partition.append(producedBatch(1), options(-1)).error).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(partition.append(producedBatch(1), options(1)).error).toBe(ErrorCode.NONE)
  })

  it('says so when the in-sync set shrank below min.insync.replicas after the append', async () => {
    const { partition, log } = leading({ minInsyncReplicas: 2 }, { replicas: [SELF, 2], isr: [SELF, 2] })
    const all = accepted(partition, -1)
    log.finishWrites()
    await Promise.resolve()
    partition.apply(state({ replicas: [SELF, 2], isr: [SELF] }))
    expect(await all.acknowledged).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  })

  it('passes on what the log refuses', () => {
    const { partition, log } = leading()
    log.refusal = ErrorCode.CORRUPT_MESSAGE
    expect(partition.append(producedBatch(1), options(1)).error).toBe(ErrorCode.CORRUPT_MESSAGE)
  })

  it('refuses zstd from a client too old for it', () => {
    const { partition } = leading()
    const outcome = partition.append(producedBatch(1, { compression: 4 }), { ...options(1), zstdAllowed: false })
    expect(outcome.error).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
  })

  it('tells waiting consumers of bytes once they are visible, and replicas once they are written', async () => {
    const { partition, log } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    const seen: string[] = []
    partition.onVisible('readUncommitted', (bytes) => seen.push(`consumer ${bytes}`))
    partition.onVisible('replica', (bytes) => seen.push(`replica ${bytes}`))
    const batch = producedBatch(1)
    const { length } = batch
    partition.append(batch, options(1))
    log.finishWrites()
    await Promise.resolve()
    expect(seen).toEqual([`replica ${length}`])
    partition.followerFetched(2, 1)
    expect(seen).toEqual([`replica ${length}`, `consumer ${length}`])
  })

  it('starts an epoch at its log end', () => {
    const { partition, log } = leading()
    accepted(partition, 1, 4)
    expect(partition.apply(state({ leaderEpoch: 4 }))).toBe(true)
    expect([partition.leaderEpoch, partition.leaderEpochStartOffset, log.latestEpoch]).toEqual([4, 4, 4])
    expect(partition.apply(state({ leaderEpoch: 4, partitionEpoch: 9 }))).toBe(false)
  })
})

describe('a partition that stops leading', () => {
  it('answers whoever waits, and refuses from then on', async () => {
    const { partition } = leading()
    const all = accepted(partition, -1)
    const woken: number[] = []
    partition.onVisible('readUncommitted', (bytes) => woken.push(bytes))
    expect(partition.apply(state({ leader: 2, leaderEpoch: 4 }))).toBe(true)
    expect(await all.acknowledged).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(woken).toEqual([0])
    expect(partition.append(producedBatch(1), options(1)).error).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  it('does not move the high watermark for a write that returns in a later epoch', async () => {
    const { partition, log } = leading()
    const one = accepted(partition, 1)
    partition.apply(state({ leader: 2, leaderEpoch: 4 }))
    log.finishWrites()
    expect(await one.acknowledged).toBe(ErrorCode.NONE)
    expect(log.highWatermark).toBe(0)
  })

  it('goes offline when a write fails, and stays so whatever the metadata says', async () => {
    const { partition, log } = leading()
    const all = accepted(partition, -1)
    log.finishWrites(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(await all.acknowledged).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(partition.isOffline).toBe(true)
    partition.apply(state({ leaderEpoch: 5 }))
    expect(partition.append(producedBatch(1), options(1)).error).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  })

  it('answers waiting appends when its topic is deleted', async () => {
    const { partition } = leading()
    const all = accepted(partition, -1)
    expect(partition.remove()).toBe(true)
    expect(partition.remove()).toBe(false)
    expect(await all.acknowledged).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('deleting records', () => {
  it('moves the log start to the offset, or to the high watermark for -1', async () => {
    const { partition, log } = leading()
    accepted(partition, 1, 10)
    log.finishWrites()
    await Promise.resolve()
    expect(await partition.deleteRecordsBefore(4)).toEqual({ error: ErrorCode.NONE, lowWatermark: 4 })
    expect(await partition.deleteRecordsBefore(-1)).toEqual({ error: ErrorCode.NONE, lowWatermark: 10 })
  })

  it('refuses offsets above the high watermark or below zero, and compacted topics', async () => {
    const { partition } = leading()
    expect((await partition.deleteRecordsBefore(1)).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect((await partition.deleteRecordsBefore(-2)).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    const compacted = leading({ isDeleted: false, isCompacted: true })
    expect((await compacted.partition.deleteRecordsBefore(0)).error).toBe(ErrorCode.POLICY_VIOLATION)
  })
})
