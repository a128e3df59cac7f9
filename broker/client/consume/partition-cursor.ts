import type { TopicPartition } from '../basic-types.ts'
import type { StartPosition } from '../reader-types.ts'

/**
 * Where a reader stands in one partition.
 *
 *   unresolved -> resolving  its leader is asked what offset the start position is
 *   resolving  -> idle       the start position has become an offset; back to unresolved when that failed
 *   idle -> fetching -> idle a fetch goes out, its chunk has come and been taken
 *   any  -> done             `upTo` is reached, or the partition was left after an error
 *   any  -> unresolved       sought; what is in flight is then thrown away, told by `generation`
 *
 * Owned by the reader.
 */
export interface PartitionCursor extends TopicPartition {
  from: StartPosition
  upTo: number | 'end' | null
  /** `null` while unresolved. */
  offset: number | null
  /** Of the record before `offset`: whoever leads in an earlier one does not lead any more. -1 where unknown. */
  offsetEpoch: number
  /** Whose epochs these are: a topic made anew counts its own. `null` where unknown. */
  topicId: string | null
  /** In which the leader that is asked was said to lead; -1 where unknown. */
  leaderEpoch: number
  state: 'unresolved' | 'resolving' | 'idle' | 'fetching' | 'done'
  isPaused: boolean
  generation: number
  highWatermark: number
  failureCount: number
  /** Monotonic; not fetched before. */
  retryAtMs: number
}

export function openCursor(partition: TopicPartition, from: StartPosition, upTo: number | 'end' | null): PartitionCursor {
  return {
    topic: partition.topic,
    partition: partition.partition,
    from,
    upTo,
    offset: null,
    offsetEpoch: -1,
    topicId: null,
    leaderEpoch: -1,
    state: 'unresolved',
    isPaused: false,
    generation: 0,
    highWatermark: -1,
    failureCount: 0,
    retryAtMs: 0,
  }
}

export function cursorKey({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
