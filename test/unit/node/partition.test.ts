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
import { notedReplication } from '../../support/replication-rules.ts'

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
  const replication = notedReplication()
  const partition = new Partition({ env, nodeId: SELF, topic: 'orders', topicId: 'T', partition: 0, log, replication })
  return { time, log, replication, partition }
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
    partition.followerFetched({ replicaId: 3, brokerEpoch: 7, fetchOffset: 2, logStartOffset: 0 })
    partition.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 1, logStartOffset: 0 })
    expect(partition.visibleEnd('readUncommitted')).toBe(1)
    expect(answered).toBe(false)
    partition.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 2, logStartOffset: 0 })
    expect(await all.acknowledged).toBe(ErrorCode.NONE)
    expect(partition.visibleEnd('readUncommitted')).toBe(2)
  })

  it('ignores a follower that claims more than the log holds', () => {
    const { partition } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    partition.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 100, logStartOffset: 0 })
    expect(partition.visibleEnd('readUncommitted')).toBe(0)
  })

  it('answers acks=-1 with a time-out when followers stay behind', async () => {
    const { partition, log, time } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    const all = accepted(partition, -1)
    log.finishWrites()
    time.advance(1000)
    expect(await all.acknowledged).toBe(ErrorCode.REQUEST_TIMED_OUT)
  })

  it('asks for no more in-sync replicas than it has replicas', async () => {
    const { partition, log } = leading({ minInsyncReplicas: 2 })
    const all = accepted(partition, -1)
    log.finishWrites()
    expect(await all.acknowledged).toBe(ErrorCode.NONE)
  })

  it('refuses acks=-1 below min.insync.replicas and takes acks=1', () => {
    const { partition } = leading({ minInsyncReplicas: 2 }, { replicas: [SELF, 2] })
    expect(partition.append(producedBatch(1), options(-1)).error).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(partition.append(producedBatch(1), options(1)).error).toBe(ErrorCode.NONE)
  })

  it('says so when the in-sync set shrank below min.insync.replicas after the append', async () => {
    const { partition, log } = leading({ minInsyncReplicas: 2 }, { replicas: [SELF, 2], isr: [SELF, 2] })
    const all = accepted(partition, -1)
    log.finishWrites()
    await Promise.resolve()
    partition.apply(state({ replicas: [SELF, 2], isr: [SELF], partitionEpoch: 1 }))
    expect(await all.acknowledged).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  })

  it('shows consumers nothing more while fewer than min.insync.replicas are in sync', async () => {
    const { partition, log } = leading({ minInsyncReplicas: 2 }, { replicas: [SELF, 2], isr: [SELF] })
    const one = accepted(partition, 1)
    log.finishWrites()
    expect(await one.acknowledged).toBe(ErrorCode.NONE)
    expect(partition.visibleEnd('readUncommitted')).toBe(0)
    partition.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 1, logStartOffset: 0 })
    partition.isrChanged(partition.isrChange!, state({ isr: [SELF, 2], partitionEpoch: 1 }))
    expect(partition.visibleEnd('readUncommitted')).toBe(1)
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
    partition.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 1, logStartOffset: 0 })
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

describe('the in-sync set', () => {
  const caughtUp = { replicaId: 2, brokerEpoch: 7, fetchOffset: 0, logStartOffset: 0 }

  it('is proposed to grow when a follower has caught up, once', () => {
    const { partition, replication } = leading({}, { replicas: [SELF, 2], isr: [SELF] })
    partition.followerFetched(caughtUp)
    partition.followerFetched(caughtUp)
    expect(replication.proposed).toEqual([partition])
    const isr = [
      { brokerId: SELF, brokerEpoch: -1 },
      { brokerId: 2, brokerEpoch: 7 },
    ]
    expect(partition.isrChange).toMatchObject({ leaderEpoch: 3, partitionEpoch: 0, isr })
  })

  it('counts a follower that may join from the moment it is proposed until it is refused', () => {
    const { partition, log } = leading({}, { replicas: [SELF, 2], isr: [SELF] })
    partition.followerFetched(caughtUp)
    accepted(partition, 1)
    log.finishWrites()
    partition.reviewFollowers()
    expect(log.highWatermark).toBe(0)
  })

  it('is proposed to shrink when a follower has been behind for too long', () => {
    const { partition, log, time, replication } = leading({}, { replicas: [SELF, 2, 3], isr: [SELF, 2, 3] })
    accepted(partition, 1)
    log.finishWrites()
    time.advance(20_000)
    partition.followerFetched({ replicaId: 3, brokerEpoch: 7, fetchOffset: 1, logStartOffset: 0 })
    partition.reviewFollowers()
    expect(replication.proposed).toEqual([])
    time.advance(10_001)
    partition.reviewFollowers()
    expect(replication.proposed).toEqual([partition])
    expect(partition.isrChange!.isr.map(({ brokerId }) => brokerId)).toEqual([SELF, 3])
    expect(log.highWatermark).toBe(0)
    partition.isrChanged(partition.isrChange!, state({ isr: [SELF, 3], partitionEpoch: 1 }))
    expect(log.highWatermark).toBe(1)
  })

  it('stays as metadata says that is newer than an answer that comes late', () => {
    const { partition } = leading({}, { replicas: [SELF, 2], isr: [SELF] })
    partition.followerFetched(caughtUp)
    const change = partition.isrChange!
    partition.apply(state({ replicas: [SELF, 2], isr: [SELF], partitionEpoch: 5 }))
    expect(partition.isrChange).toBeNull()
    partition.isrChanged(change, state({ isr: [SELF, 2], partitionEpoch: 4 }))
    partition.followerFetched(caughtUp)
    expect(partition.isrChange).toMatchObject({ partitionEpoch: 5 })
  })

  it('does not take metadata over that is older than an answer', () => {
    const { partition } = leading({ minInsyncReplicas: 2 }, { replicas: [SELF, 2], isr: [SELF] })
    partition.followerFetched(caughtUp)
    partition.isrChanged(partition.isrChange!, state({ isr: [SELF, 2], partitionEpoch: 2 }))
    partition.apply(state({ replicas: [SELF, 2], isr: [SELF], partitionEpoch: 1 }))
    expect(partition.append(producedBatch(1), options(-1)).error).toBe(ErrorCode.NONE)
  })

  it('is told to the controller when the leader was elected uncleanly', () => {
    const { partition, replication } = leading({}, { replicas: [SELF, 2], leaderRecoveryState: LeaderRecoveryState.RECOVERING })
    expect(replication.proposed).toEqual([partition])
    expect(partition.isrChange).toMatchObject({ leaderRecoveryState: LeaderRecoveryState.RECOVERED })
  })

  it.each([
    ['a broker that is no replica', { replicaId: 9, brokerEpoch: 7, fetchOffset: 0, logStartOffset: 0 }],
    ['an earlier life of a replica', { replicaId: 2, brokerEpoch: 6, fetchOffset: 0, logStartOffset: 0 }],
  ])('does not count %s', (_, fetch) => {
    const { partition } = leading({}, { replicas: [SELF, 2], isr: [SELF, 2] })
    partition.followerFetched(caughtUp)
    expect(partition.followerFetched(fetch)).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
  })
})

describe('a partition that follows', () => {
  it('tells whom it follows, and in which epoch', () => {
    const { partition } = replica()
    expect(partition.followed).toBeNull()
    partition.apply(state({ leader: 2, replicas: [SELF, 2] }))
    expect(partition.followed).toEqual({ leaderId: 2, leaderEpoch: 3 })
    partition.apply(state({ leader: -1, replicas: [SELF, 2], leaderEpoch: 4, partitionEpoch: 1 }))
    expect(partition.followed).toBeNull()
  })

  it('stays as it is while its log is being cut', async () => {
    const { partition } = replica()
    partition.apply(state({ leader: 2, replicas: [SELF, 2] }))
    const cut = Promise.withResolvers<ErrorCode>()
    const cutting = partition.whileCutting(() => cut.promise)
    expect(partition.followed).toBeNull()
    expect(partition.apply(state({ leaderEpoch: 4, partitionEpoch: 1 }))).toBe(false)
    expect(partition.isLeader).toBe(false)
    cut.resolve(ErrorCode.NONE)
    await cutting
    expect(partition.apply(state({ leaderEpoch: 4, partitionEpoch: 1 }))).toBe(true)
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
    expect(await partition.deleteRecordsBefore(4, 1_000)).toEqual({ error: ErrorCode.NONE, lowWatermark: 4 })
    expect(await partition.deleteRecordsBefore(-1, 1_000)).toEqual({ error: ErrorCode.NONE, lowWatermark: 10 })
  })

  /** Ten records on brokers 1 to 3; resolves to what a deletion of the first four is answered, null while it is not. */
  async function deleting() {
    const made = leading({}, { replicas: [SELF, 2, 3], isr: [SELF, 2, 3] })
    const { partition, log } = made
    const fetched = (replicaId: number, logStartOffset: number) =>
      partition.followerFetched({ replicaId, brokerEpoch: 7, fetchOffset: 10, logStartOffset })
    accepted(partition, 1, 10)
    log.finishWrites()
    await Promise.resolve()
    for (const id of [2, 3]) fetched(id, 0)
    let answer: unknown = null
    let toldFollowers = 0
    partition.onVisible('replica', (bytes) => void (bytes === 0 && toldFollowers++))
    void partition.deleteRecordsBefore(4, 1_000).then((deleted) => (answer = deleted))
    const answered = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return answer
    }
    return { ...made, fetched, answered, toldFollowers: () => toldFollowers }
  }

  it('is answered when every follower has moved its log start too, of which they are told at once', async () => {
    const { log, fetched, answered, toldFollowers } = await deleting()
    expect([log.logStartOffset, toldFollowers()]).toEqual([4, 1])
    fetched(2, 4)
    expect(await answered()).toBeNull()
    fetched(3, 4)
    expect(await answered()).toEqual({ error: ErrorCode.NONE, lowWatermark: 4 })
  })

  it('does not wait for a broker that is down, also when it went down meanwhile', async () => {
    const { partition, replication, fetched, answered } = await deleting()
    fetched(2, 4)
    replication.down.add(3)
    partition.reviewFollowers()
    expect(await answered()).toEqual({ error: ErrorCode.NONE, lowWatermark: 4 })
  })

  it('times out when a live broker does not follow, and keeps what it did', async () => {
    const { log, time, answered } = await deleting()
    time.advance(999)
    expect(await answered()).toBeNull()
    time.advance(1)
    expect(await answered()).toEqual({ error: ErrorCode.REQUEST_TIMED_OUT, lowWatermark: -1 })
    expect(log.logStartOffset).toBe(4)
  })

  it('is refused when leadership is lost while it waits', async () => {
    const { partition, answered } = await deleting()
    partition.apply(state({ leader: 2, replicas: [SELF, 2, 3], isr: [SELF, 2, 3], leaderEpoch: 4, partitionEpoch: 1 }))
    expect(await answered()).toEqual({ error: ErrorCode.NOT_LEADER_OR_FOLLOWER, lowWatermark: -1 })
  })

  it('refuses offsets above the high watermark or below zero, and compacted topics', async () => {
    const { partition } = leading()
    expect((await partition.deleteRecordsBefore(1, 1_000)).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect((await partition.deleteRecordsBefore(-2, 1_000)).error).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    const compacted = leading({ isDeleted: false, isCompacted: true })
    expect((await compacted.partition.deleteRecordsBefore(0, 1_000)).error).toBe(ErrorCode.POLICY_VIOLATION)
  })
})
