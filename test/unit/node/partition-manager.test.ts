import { describe, expect, it } from 'vitest'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { MetadataImage } from '../../../broker/cluster/image.ts'
import {
  configRecord,
  type MetadataRecord,
  partitionChangeRecord,
  partitionRecord,
  removeTopicRecord,
  topicRecord,
} from '../../../broker/cluster/metadata-records.ts'
import type { PartitionState } from '../../../broker/cluster/partition-state.ts'
import type { Env } from '../../../broker/env/types.ts'
import { PartitionManager } from '../../../broker/node/partition-manager.ts'
import { TopicConfigs } from '../../../broker/node/topic-configs.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { partitionState } from '../../support/images.ts'
import { manualTime } from '../../support/manual-time.ts'
import { MemoryLogs } from '../../support/memory-logs.ts'
import { notedReplication } from '../../support/replication-rules.ts'

const OLD_ID = 'b2xkLW9sZC1vbGQtb2xkLQ'
const NEW_ID = 'bmV3LW5ldy1uZXctbmV3LQ'

/** Broker 1, whose metadata is written by hand. */
function broker() {
  const time = manualTime()
  const nowMs = (): number => time.nowMs()
  const logged: string[] = []
  const log = { write: (_level: string, message: string) => void logged.push(message) }
  const env = { timers: time.timers, clock: { nowMs, monotonicMs: nowMs }, log } as unknown as Env
  const logs = new MemoryLogs()
  const storageFailures: number[] = []
  let image = MetadataImage.empty('c')
  const manager = new PartitionManager({
    env,
    nodeId: 1,
    logs,
    configs: new TopicConfigs({ nodeId: 1, overrides: {}, log }),
    image: () => image,
    onStorageFailed: () => void storageFailures.push(time.nowMs()),
    replication: notedReplication(),
  })
  const changes: string[] = []
  manager.onLeadershipChange(({ topic, partition, isLeader, leaderEpoch }) =>
    changes.push(`${topic}-${partition} ${isLeader ? `leads ${leaderEpoch}` : 'follows'}`),
  )
  return {
    manager,
    logs,
    logged,
    storageFailures,
    changes,
    /** Appends to the metadata; resolves when the manager has followed. */
    write: async (...records: MetadataRecord[]): Promise<void> => {
      const applied = applyRecords(image, records, { offset: image.offset + records.length, epoch: 1 })
      image = applied.image
      manager.apply(applied.delta)
      await manager.settled()
    },
  }
}

const topic = (name: string, id: string, ...states: Partial<PartitionState>[]): MetadataRecord[] => [
  topicRecord(name, id),
  ...states.map((state, index) => partitionRecord(id, index, partitionState(state))),
]

const errorOf = (manager: PartitionManager, name: string, index: number, epoch?: number) => manager.leader(name, index, epoch).error

describe('the partition manager', () => {
  it('opens what is assigned to it, and leads what it is to lead', async () => {
    const { manager, logs, write, changes } = broker()
    await manager.load()
    await write(...topic('orders', NEW_ID, {}, { leader: 2, replicas: [2, 1] }, { leader: 2, replicas: [2] }))
    expect(logs.events).toEqual(['create orders-0', 'create orders-1'])
    expect([0, 1, 2, 3].map((index) => errorOf(manager, 'orders', index))).toEqual([
      ErrorCode.NONE,
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(changes).toEqual(['orders-0 leads 0'])
  })

  it('takes history for history: nothing is opened before it is told to load', async () => {
    const { manager, logs, write } = broker()
    logs.leave('orders', 0, NEW_ID)
    await write(...topic('orders', OLD_ID, {}))
    await write(removeTopicRecord(OLD_ID), ...topic('orders', NEW_ID, {}))
    expect(logs.events).toEqual([])
    await manager.load()
    expect(logs.events).toEqual([])
    expect(errorOf(manager, 'orders', 0)).toBe(ErrorCode.NONE)
  })

  it('drops the log of a topic that was made anew while it was away', async () => {
    const { manager, logs, write } = broker()
    logs.leave('orders', 0, OLD_ID)
    await write(...topic('orders', NEW_ID, {}))
    await manager.load()
    expect(logs.events).toEqual(['delete orders-0', 'create orders-0'])
  })

  it('sets logs aside that the cluster does not know', async () => {
    const { manager, logs, write } = broker()
    logs.leave('gone', 3, OLD_ID)
    logs.leave('__cluster_metadata', 0, OLD_ID)
    await write(...topic('orders', NEW_ID, {}))
    await manager.load()
    expect(logs.events).toEqual(['create orders-0', 'set aside gone-3'])
  })

  it('applies what came while the log was being opened', async () => {
    const { manager, logs, write } = broker()
    await manager.load()
    const { promise, resolve } = Promise.withResolvers<void>()
    logs.openable = promise
    const created = write(...topic('orders', NEW_ID, {}))
    const moved = write(partitionChangeRecord(NEW_ID, 0, { leader: 1 }))
    expect(errorOf(manager, 'orders', 0)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    resolve()
    await Promise.all([created, moved])
    expect(manager.leader('orders', 0).partition!.leaderEpoch).toBe(1)
  })

  it('deletes the log when the topic goes, also one that is still being opened', async () => {
    const { manager, logs, write, changes } = broker()
    await manager.load()
    await write(...topic('orders', NEW_ID, {}))
    await write(removeTopicRecord(NEW_ID))
    expect(logs.events).toEqual(['create orders-0', 'delete orders-0'])
    expect(changes).toEqual(['orders-0 leads 0', 'orders-0 follows'])
    const { promise, resolve } = Promise.withResolvers<void>()
    logs.openable = promise
    const both = Promise.all([write(...topic('brief', OLD_ID, {})), write(removeTopicRecord(OLD_ID))])
    resolve()
    await both
    expect(logs.get('brief', 0)).toBeNull()
    expect([...manager.hosted()]).toEqual([])
  })

  it('gives a topic made anew a new log, after the old one is gone', async () => {
    const { manager, logs, write } = broker()
    await manager.load()
    await write(...topic('orders', OLD_ID, {}))
    await write(removeTopicRecord(OLD_ID), ...topic('orders', NEW_ID, {}))
    expect(logs.events).toEqual(['create orders-0', 'delete orders-0', 'create orders-0'])
    expect(manager.leader('orders', 0).partition!.topicId).toBe(NEW_ID)
  })

  it('gives up a replica that is assigned to others', async () => {
    const { manager, logs, write } = broker()
    await manager.load()
    await write(...topic('orders', NEW_ID, {}))
    await write(partitionChangeRecord(NEW_ID, 0, { replicas: [2], isr: [2], leader: 2 }))
    expect(logs.events).toEqual(['create orders-0', 'delete orders-0'])
    expect(errorOf(manager, 'orders', 0)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })

  it('checks the epoch a client knows', async () => {
    const { manager, write } = broker()
    await manager.load()
    await write(...topic('orders', NEW_ID, { leaderEpoch: 5 }))
    expect([-1, 4, 5, 6].map((epoch) => errorOf(manager, 'orders', 0, epoch))).toEqual([
      ErrorCode.NONE,
      ErrorCode.FENCED_LEADER_EPOCH,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    ])
  })

  it('configures logs when they open and when settings change', async () => {
    const { manager, logs, write } = broker()
    await manager.load()
    await write(...topic('orders', NEW_ID, {}), configRecord(2, 'orders', 'retention.ms', '1000'))
    expect(logs.get('orders', 0)!.config.retentionMs).toBe(1000)
    await write(configRecord(2, 'orders', 'retention.ms', '2000'))
    expect(logs.get('orders', 0)!.config.retentionMs).toBe(2000)
    await write(configRecord(2, 'orders', 'retention.ms', null), configRecord(4, '', 'log.retention.ms', '3000'))
    expect(logs.get('orders', 0)!.config.retentionMs).toBe(3000)
  })

  it('configures the logs an earlier run left', async () => {
    const { manager, logs, write } = broker()
    logs.leave('orders', 0, NEW_ID)
    await write(...topic('orders', NEW_ID, {}), configRecord(2, 'orders', 'retention.ms', '1000'))
    await manager.load()
    expect(logs.get('orders', 0)!.config.retentionMs).toBe(1000)
  })

  it('answers KAFKA_STORAGE_ERROR for a log that cannot be opened, and for one whose disk fails', async () => {
    const { manager, logs, write, logged, storageFailures } = broker()
    await manager.load()
    expect(manager.isLogDirectoryOffline).toBe(false)
    logs.broken.add('orders-0')
    await write(...topic('orders', NEW_ID, {}, {}))
    expect(errorOf(manager, 'orders', 0)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(errorOf(manager, 'orders', 1)).toBe(ErrorCode.NONE)
    manager.logFailed(logs.get('orders', 1)!, 'EIO')
    expect(errorOf(manager, 'orders', 1)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(logged).toEqual([
      'a log cannot be opened',
      'the disk failed: this broker gives up what it leads until it is started again',
      'a partition is offline: its disk failed',
    ])
    expect(storageFailures).toHaveLength(1)
    expect(manager.isLogDirectoryOffline).toBe(true)
  })
})
