/**
 * OffsetFetch v1-10: what groups have committed.
 *
 * Null topics (v2+) ask for everything. No commit is offset -1 and no error. v1-7 ask for one group, v8+ for several. v1
 * has no top-level error, so it stands on every partition. v10 names topics by id.
 */
import type { FetchOffsetsReply } from '../coordinator/coordinator-port.ts'
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { offsetFetch } from './09-offset-fetch.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { mayUseGroup, nameTopic, type NamedTopic } from './group-handlers.ts'
import { defineApi } from './registry.ts'

const SEVERAL_GROUPS_SINCE = 8
const BY_ID_SINCE = 10
const TOP_LEVEL_ERROR_SINCE = 2

type Request = Decoded<typeof offsetFetch.request>
type Services = Pick<BrokerServices, 'groups' | 'image'>

interface Asked {
  readonly groupId: string
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly topics: readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] | null
}

export const offsetFetchApi = defineApi(offsetFetch, {
  listeners: 'everywhere',
  failure: (request, error) => failed(request, error),
  handle(request, context, services: Services) {
    if (context.apiVersion >= SEVERAL_GROUPS_SINCE) {
      return { groups: request.groups.map((group) => fetchGroup(group, request.requireStable, context, services)) }
    }
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: '' })) ?? null
    const { errorCode, topics: answered } = fetchGroup(
      { groupId: request.groupId, memberId: null, memberEpoch: -1, topics },
      request.requireStable,
      context,
      services,
    )
    if (errorCode !== ErrorCode.NONE) return failed(request, errorCode, context.apiVersion < TOP_LEVEL_ERROR_SINCE)
    return { errorCode, topics: answered }
  },
})

function fetchGroup(asked: Asked, requireStable: boolean, context: RequestContext, services: Services) {
  const { groupId } = asked
  if (!mayUseGroup(context, AclOperation.DESCRIBE, groupId)) return { groupId, errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED, topics: [] }
  const image = services.image()
  const byId = context.apiVersion >= BY_ID_SINCE
  const named = asked.topics?.map((topic) => ({ ...nameTopic(image, topic, byId), partitions: topic.partitionIndexes })) ?? null
  const mayRead = (topic: NamedTopic) => context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, topic.name)
  const problemOf = (topic: NamedTopic) => {
    if (topic.name === '') return ErrorCode.UNKNOWN_TOPIC_ID
    return mayRead(topic) ? ErrorCode.NONE : ErrorCode.TOPIC_AUTHORIZATION_FAILED
  }
  const readable =
    named?.filter((topic) => problemOf(topic) === ErrorCode.NONE).map(({ name, partitions }) => ({ topic: name, partitions })) ?? null
  const { memberId, memberEpoch } = asked
  const reply = services.groups.fetchOffsets(groupId, { topics: readable, memberId, memberEpoch, requireStable })
  if (reply.errorCode !== ErrorCode.NONE) return { groupId, errorCode: reply.errorCode, topics: [] }
  const refused = (named ?? [])
    .filter((topic) => problemOf(topic) !== ErrorCode.NONE)
    .map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map((partition) => noOffset(partition, problemOf(topic))),
    }))
  const answered = reply.topics
    .map((topic) => ({ topic, named: nameTopic(image, { name: topic.topic, topicId: '' }, false) }))
    // Asked for everything, a client only hears of topics it may see.
    .filter((each) => named !== null || mayRead(each.named))
    .map((each) => ({ ...each.named, partitions: each.topic.partitions.map(committed) }))
  return { groupId, errorCode: ErrorCode.NONE, topics: [...answered, ...refused] }
}

function committed({ partition, offset, leaderEpoch, metadata, errorCode }: FetchOffsetsReply['topics'][number]['partitions'][number]) {
  return { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode }
}

function noOffset(partition: number, errorCode: ErrorCode) {
  return { partitionIndex: partition, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}

function failed(request: Request, errorCode: ErrorCode, onPartitions = false) {
  return {
    errorCode,
    topics: onPartitions
      ? (request.topics ?? []).map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partition) => noOffset(partition, errorCode)),
        }))
      : [],
    groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
  }
}
