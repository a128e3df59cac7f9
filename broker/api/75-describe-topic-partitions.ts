/**
 * DescribeTopicPartitions v0 (KIP-966): topics in order of their names, their partitions with eligible leader replicas, in pages.
 *
 * No topics named: all that may be described. A page ends after `responsePartitionLimit` partitions (never more than 2,000), and
 * its cursor names the partition that the next one begins with; a topic that was deleted meanwhile is passed over. INVALID_REQUEST
 * for a cursor with a negative partition.
 */
import type { MetadataImage, TopicImage } from '../cluster/image.ts'
import type { PartitionState } from '../cluster/partition-state.ts'
import { AclOperation, authorizedOperations, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { describeTopicPartitions } from './75-describe-topic-partitions.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { defineApi } from './registry.ts'
import { isInternalTopic, ZERO_UUID } from './topics.ts'

type Request = Decoded<typeof describeTopicPartitions.request>
type Response = Encodable<typeof describeTopicPartitions.response>
type TopicAnswer = Response['topics'][number]

/** Kafka's max.request.partition.size.limit. */
const PARTITIONS_PER_PAGE_MAX = 2_000

export const describeTopicPartitionsApi = defineApi(describeTopicPartitions, {
  listeners: 'clients',
  failure: (request, errorCode) => failed(request, errorCode),
  handle(request, context, services: Pick<BrokerServices, 'image'>) {
    const { cursor } = request
    if (cursor !== null && cursor.partitionIndex < 0) return failed(request, ErrorCode.INVALID_REQUEST)
    return page(services.image(), context, request)
  },
})

function failed(request: Request, errorCode: ErrorCode): Response {
  return { throttleTimeMs: 0, topics: request.topics.map(({ name }) => failedTopic(name, errorCode)), nextCursor: null }
}

function page(image: MetadataImage, context: RequestContext, request: Request): Response {
  const { cursor } = request
  const limit = Math.max(1, Math.min(request.responsePartitionLimit, PARTITIONS_PER_PAGE_MAX))
  const topics: TopicAnswer[] = []
  let left = limit
  for (const name of namesFrom(image, context, request)) {
    const topic = image.topic(name)
    const isRefused = !context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, name)
    if (isRefused || topic === undefined) {
      topics.push(failedTopic(name, isRefused ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (left === 0) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: from } }
    const partitions = topic.partitions.slice(from, from + left)
    topics.push(describedTopic(image, context, topic, { from, partitions }))
    left -= partitions.length
    const next = from + partitions.length
    if (next < topic.partitions.length) return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { throttleTimeMs: 0, topics, nextCursor: null }
}

/** Sorted, each once, from the cursor's topic on. What one may not describe shows only when asked for by name. */
function namesFrom(image: MetadataImage, context: RequestContext, { topics, cursor }: Request): readonly string[] {
  const all = [...image.topics()].map(({ name }) => name)
  const asked =
    topics.length > 0
      ? [...new Set(topics.map(({ name }) => name))]
      : all.filter((name) => context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, name))
  return asked.filter((name) => cursor === null || name >= cursor.topicName).sort()
}

function describedTopic(
  image: MetadataImage,
  context: RequestContext,
  topic: TopicImage,
  { from, partitions }: { readonly from: number; readonly partitions: readonly PartitionState[] },
): TopicAnswer {
  const isReachable = (id: number): boolean => image.isUnfenced(id) && image.broker(id)!.endpoints.has(context.listener)
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: partitions.map((partition, index) => ({
      errorCode: ErrorCode.NONE,
      partitionIndex: from + index,
      leaderId: isReachable(partition.leader) ? partition.leader : -1,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
      lastKnownElr: partition.lastKnownElr,
      offlineReplicas: partition.replicas.filter((id) => !isReachable(id) || image.isStorageOffline(id)),
    })),
    topicAuthorizedOperations: authorizedOperations(ResourceType.TOPIC, (operation) =>
      context.authorize(operation, ResourceType.TOPIC, topic.name),
    ),
  }
}

function failedTopic(name: string, errorCode: ErrorCode): TopicAnswer {
  return { errorCode, name, topicId: ZERO_UUID, isInternal: isInternalTopic(name), partitions: [] }
}
