/**
 * OffsetCommit v2-10: stores how far a group has read.
 *
 * Outside of membership (generation -1, no member id) it is taken only while the group has no members. The answer is
 * given once the offsets are committed to `__consumer_offsets`. retentionTimeMs (v2-4) is ignored, as Kafka has done since
 * KIP-211. v10 names topics by id; an unknown one is UNKNOWN_TOPIC_ID.
 */
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { offsetCommit } from './08-offset-commit.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { mayUseGroup, nameTopic, partitionProblem } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const BY_ID_SINCE = 10

type Request = Decoded<typeof offsetCommit.request>
type Services = Pick<BrokerServices, 'groups' | 'image'>

export const offsetCommitApi = defineApi(offsetCommit, {
  listeners: 'everywhere',
  failure: (request, error) => answer(request, () => error),
  async handle(request, context, services: Services) {
    if (!mayUseGroup(context, AclOperation.READ, request.groupId)) return answer(request, () => ErrorCode.GROUP_AUTHORIZATION_FAILED)
    const checked = request.topics.map((topic) => checkTopic(topic, context, services))
    const outcome = await services.groups.commitOffsets(request.groupId, {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generationId: request.generationIdOrMemberEpoch,
      topics: checked.map(({ name, accepted }) => ({ topic: name, partitions: accepted })),
    })
    const outcomes = new Map(
      outcome.topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, errorCode }) => [`${topic}/${partition}`, errorCode] as const),
      ),
    )
    return answer(request, (index, partition) => {
      const { name, problems } = checked[index]!
      return problems.get(partition) ?? outcomes.get(`${name}/${partition}`) ?? ErrorCode.UNKNOWN_SERVER_ERROR
    })
  },
})

function checkTopic(topic: Request['topics'][number], context: RequestContext, services: Services) {
  const image = services.image()
  const byId = context.apiVersion >= BY_ID_SINCE
  const named = nameTopic(image, topic, byId)
  const allowed = named.name === '' || context.authorize(AclOperation.READ, ResourceType.TOPIC, named.name)
  const problems = new Map<number, ErrorCode>()
  for (const { partitionIndex } of topic.partitions) {
    const problem = allowed ? partitionProblem(image, named, partitionIndex, byId) : ErrorCode.TOPIC_AUTHORIZATION_FAILED
    if (problem !== ErrorCode.NONE) problems.set(partitionIndex, problem)
  }
  const accepted = topic.partitions
    .filter(({ partitionIndex }) => !problems.has(partitionIndex))
    .map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => ({
      partition: partitionIndex,
      offset: committedOffset,
      leaderEpoch: committedLeaderEpoch,
      metadata: committedMetadata,
    }))
  return { name: named.name, problems, accepted }
}

function answer(request: Request, errorOf: (topicIndex: number, partition: number) => ErrorCode) {
  return {
    topics: request.topics.map(({ name, topicId, partitions }, index) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: errorOf(index, partitionIndex) })),
    })),
  }
}
