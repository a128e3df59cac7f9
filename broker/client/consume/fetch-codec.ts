/** Fetch requests from positions, and partitions from Fetch replies, by topic name or by topic id as the version has it. */
import type { fetch } from '../../api/01-fetch.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import type { Decoded, Encodable } from '../../wire/schema.ts'
import { ClientError } from '../error.ts'
import type { FetchPosition, FetchRequest, FetchedPartition } from '../reader-types.ts'

type FetchReply = Decoded<typeof fetch.response>
type PartitionReply = FetchReply['responses'][number]['partitions'][number]
/** The id of a topic, `null` when unknown. */
export type TopicIds = (topic: string) => string | null

/** The last version that names topics; from 13 on requests carry topic ids only. */
export const LAST_FETCH_VERSION_BY_NAME = 12

const DEFAULT_MAX_BYTES = 50 * 1024 * 1024
const DEFAULT_PARTITION_BYTES_MAX = 1024 * 1024
/** Not in a session: every request is whole (KIP-227). */
const FINAL_SESSION_EPOCH = -1
const NOTHING = Buffer.alloc(0)

export function fetchBody(
  positions: readonly FetchPosition[],
  options: Omit<FetchRequest, 'partitions'>,
  topicIdOf: TopicIds,
): Encodable<typeof fetch.request> {
  const byTopic = new Map<string, FetchPosition[]>()
  for (const position of positions) {
    const list = byTopic.get(position.topic)
    if (list === undefined) byTopic.set(position.topic, [position])
    else list.push(position)
  }
  return {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    isolationLevel: options.isolation === 'read_committed' ? 1 : 0,
    sessionEpoch: FINAL_SESSION_EPOCH,
    topics: Array.from(byTopic, ([topic, list]) => ({
      topic,
      topicId: topicIdOf(topic) ?? ZERO_UUID,
      partitions: list.map((position) => ({
        partition: position.partition,
        currentLeaderEpoch: position.currentLeaderEpoch ?? -1,
        fetchOffset: position.fetchOffset,
        lastFetchedEpoch: position.lastFetchedEpoch ?? -1,
        partitionMaxBytes: position.partitionBytesMax ?? DEFAULT_PARTITION_BYTES_MAX,
      })),
    })),
    rackId: options.rackId ?? '',
  }
}

/** One result per position, in their order; a partition missing from the reply is an error of its own. */
export function fetchedPartitions(reply: FetchReply, positions: readonly FetchPosition[], topicIdOf: TopicIds): FetchedPartition[] {
  if (reply.errorCode !== ErrorCode.NONE) {
    const error = ClientError.ofBroker(reply.errorCode, 'The fetch was refused', { api: 'Fetch' })
    return positions.map((position) => failedPartition(position, error))
  }
  const replies = new Map<string, PartitionReply>()
  for (const topic of reply.responses) {
    const key = topic.topicId === ZERO_UUID ? topic.topic : topic.topicId
    for (const partition of topic.partitions) replies.set(`${key} ${partition.partitionIndex}`, partition)
  }
  return positions.map((position) => {
    const { topic, partition } = position
    const found = replies.get(`${topicIdOf(topic) ?? topic} ${partition}`) ?? replies.get(`${topic} ${partition}`)
    if (found !== undefined) return fetchedPartition(position, found)
    return failedPartition(
      position,
      new ClientError('MALFORMED_REPLY', `The reply to Fetch lacks partition ${topic}-${partition}.`, { api: 'Fetch' }),
    )
  })
}

export function failedPartition(position: FetchPosition, error: ClientError): FetchedPartition {
  return {
    topic: position.topic,
    partition: position.partition,
    fetchOffset: position.fetchOffset,
    error,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    records: NOTHING,
    divergingEpoch: null,
    preferredReadReplica: null,
  }
}

function fetchedPartition(position: FetchPosition, reply: PartitionReply): FetchedPartition {
  const { topic, partition, fetchOffset } = position
  const { errorCode, divergingEpoch } = reply
  return {
    topic,
    partition,
    fetchOffset,
    error:
      errorCode === ErrorCode.NONE
        ? null
        : ClientError.ofBroker(errorCode, `Partition ${topic}-${partition} cannot be read at offset ${fetchOffset}`, { api: 'Fetch' }),
    highWatermark: reply.highWatermark,
    lastStableOffset: reply.lastStableOffset,
    logStartOffset: reply.logStartOffset,
    abortedTransactions: reply.abortedTransactions,
    records: reply.records ?? NOTHING,
    divergingEpoch: divergingEpoch.epoch < 0 ? null : divergingEpoch,
    preferredReadReplica: reply.preferredReadReplica < 0 ? null : reply.preferredReadReplica,
  }
}

/** Whether a partition's error means that what is known of its leader or id is out of date. */
export function isStaleMetadata(kafkaError: number | null): boolean {
  return kafkaError !== null && staleMetadataErrors.has(kafkaError)
}

const staleMetadataErrors: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
])
