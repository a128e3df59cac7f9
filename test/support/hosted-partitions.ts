/** Partitions this broker leads, on logs in memory, for tests that call data handlers directly. */
import type { LeaderLookup, Partitions } from '../../broker/api/partitions.ts'
import type { MetadataImage } from '../../broker/cluster/image.ts'
import type { PartitionState } from '../../broker/cluster/partition-state.ts'
import type { Env } from '../../broker/env/types.ts'
import { Partition } from '../../broker/node/partition.ts'
import { ErrorCode } from '../../broker/wire/errors.ts'
import { imageOf, partitionState } from './images.ts'
import { type ManualTime, manualTime } from './manual-time.ts'
import { MemoryLog } from './memory-log.ts'
import { notedReplication } from './replication-rules.ts'

export const TOPIC_ID = 'b3JkZXJzLW9yZGVycy0wMA'

export interface HostedTopic {
  readonly time: ManualTime
  readonly image: MetadataImage
  readonly logs: readonly MemoryLog[]
  readonly hosted: readonly Partition[]
  readonly partitions: Pick<Partitions, 'leader'>
}

/** Topic "orders"; broker 1 hosts those partitions whose state names it as replica, and leads those that name it so. */
export function hostedTopic(states: readonly Partial<PartitionState>[], options: { readonly writesAtOnce?: boolean } = {}): HostedTopic {
  const time = manualTime()
  const env = { timers: time.timers, clock: { nowMs: () => time.nowMs(), monotonicMs: () => time.nowMs() } } as Env
  const topic = { name: 'orders', id: TOPIC_ID, partitions: states.map((state) => partitionState(state)) }
  const logs = states.map((_, partition) => new MemoryLog({ partition, writesAtOnce: options.writesAtOnce ?? true }))
  const common = { env, nodeId: 1, topic: 'orders', topicId: TOPIC_ID, replication: notedReplication() }
  const hosted = logs.map((log, partition) => new Partition({ ...common, partition, log }))
  topic.partitions.forEach((state, index) => hosted[index]!.apply(state))
  const leader = (name: string, index: number, currentLeaderEpoch = -1): LeaderLookup => {
    const partition = name === 'orders' ? hosted[index] : undefined
    if (partition === undefined) return { partition: null, error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < partition.leaderEpoch)
      return { partition: null, error: ErrorCode.FENCED_LEADER_EPOCH }
    return partition.isLeader ? { partition, error: ErrorCode.NONE } : { partition: null, error: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  }
  return { time, image: imageOf([{ id: 1 }, { id: 2 }], [topic]), logs, hosted, partitions: { leader } }
}
