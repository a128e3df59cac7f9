/**
 * The requests about committed offsets, on the shard that holds the group: what is asked, checked, written, and answered for
 * each partition. The shard's groups change when the records are committed, never before (offsets.ts).
 */
import { ErrorCode } from '../wire/errors.ts'
import type {
  CommitReply,
  CommitRequest,
  DeleteOffsetsReply,
  FetchOffsetsReply,
  FetchOffsetsRequest,
  TopicPartitions,
} from './coordinator-port.ts'
import { offsetRecord } from './group-records.ts'
import { createGroup, type Group, type Now } from './group-types.ts'
import { checkCommit, checkOffsetDelete, getOffset, removeOffset, setOffset } from './offsets.ts'
import type { Shard } from './shard.ts'

export async function commitOffsets(
  shard: Shard,
  groupId: string,
  request: CommitRequest,
  now: Now,
  metadataMaxBytes: number,
): Promise<CommitReply> {
  const known = shard.get(groupId)
  if (known === undefined && request.generationId >= 0) return commitReply(request, () => ErrorCode.ILLEGAL_GENERATION)
  // A group comes to be with its first offset: one that was refused must not leave anything behind.
  const refusal = checkCommit(known ?? createGroup(groupId, now), request, now)
  if (refusal !== ErrorCode.NONE) return commitReply(request, () => refusal)

  const tooLarge = (metadata: string | null) => Buffer.byteLength(metadata ?? '') > metadataMaxBytes
  const accepted = request.topics.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ metadata }) => !tooLarge(metadata))
      .map(({ partition, offset, leaderEpoch, metadata }) => ({
        topic,
        partition,
        committed: { offset, leaderEpoch, metadata: metadata ?? '', commitTimestampMs: now.wallMs },
      })),
  )
  const records = accepted.map(({ topic, partition, committed }) => offsetRecord(groupId, topic, partition, committed))
  const answer = (outcome: ErrorCode) =>
    commitReply(request, (metadata) => (tooLarge(metadata) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : outcome))
  if (records.length === 0) return answer(ErrorCode.NONE)
  const { group } = shard.obtain(groupId)
  const outcome = await shard.append(groupId, records, () => {
    for (const { topic, partition, committed } of accepted) setOffset(group, topic, partition, committed)
  })
  return answer(outcome)
}

export function commitReply(request: CommitRequest, errorOf: (metadata: string | null) => ErrorCode): CommitReply {
  return {
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, metadata }) => ({ partition, errorCode: errorOf(metadata) })),
    })),
  }
}

export function fetchOffsets(group: Group | undefined, request: FetchOffsetsRequest): FetchOffsetsReply {
  const topics = request.topics ?? [...(group?.offsets ?? [])].map(([topic, partitions]) => ({ topic, partitions: [...partitions.keys()] }))
  return {
    errorCode: ErrorCode.NONE,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => {
        const committed = group && getOffset(group, topic, partition)
        return {
          partition,
          offset: committed?.offset ?? -1,
          leaderEpoch: committed?.leaderEpoch ?? -1,
          metadata: committed?.metadata ?? '',
          errorCode: ErrorCode.NONE,
        }
      }),
    })),
  }
}

export async function deleteOffsets(shard: Shard, groupId: string, topics: readonly TopicPartitions[]): Promise<DeleteOffsetsReply> {
  const group = shard.get(groupId)
  const { errorCode, subscribed } = checkOffsetDelete(group, topics)
  if (errorCode !== ErrorCode.NONE || group === undefined) return { errorCode, topics: [] }
  const removable = topics
    .filter(({ topic }) => !subscribed.has(topic))
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  const present = removable.filter(({ topic, partition }) => getOffset(group, topic, partition) !== undefined)
  const records = present.map(({ topic, partition }) => offsetRecord(groupId, topic, partition, null))
  const applied = () => {
    for (const { topic, partition } of present) removeOffset(group, topic, partition)
  }
  const outcome = records.length === 0 ? ErrorCode.NONE : await shard.append(groupId, records, applied)
  if (outcome !== ErrorCode.NONE) return { errorCode: outcome, topics: [] }
  return {
    errorCode: ErrorCode.NONE,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({
        partition,
        errorCode: subscribed.has(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE,
      })),
    })),
  }
}
