/**
 * OffsetForLeaderEpoch v2-4: where an epoch ended in the leader's log, so that a consumer or a follower can tell whether
 * its own log parted from it. The answer is the end of the largest epoch not above the one asked for, or -1/-1.
 */
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch.schema.ts'
import type { BrokerServices } from './context.ts'
import { defineApi } from './registry.ts'

type Asked = Decoded<typeof offsetForLeaderEpoch.request>['topics'][number]['partitions'][number]
type Answer = Encodable<typeof offsetForLeaderEpoch.response>['topics'][number]['partitions'][number]
type Services = Pick<BrokerServices, 'partitions'>

export const offsetForLeaderEpochApi = defineApi(offsetForLeaderEpoch, {
  listeners: 'everywhere',
  failure: (request, errorCode) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode, partition })),
    })),
  }),
  handle(request, context, services: Services) {
    const topics = request.topics.map(({ topic, partitions }) => {
      const isAllowed = context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
      return { topic, partitions: partitions.map((asked) => answer(topic, asked, isAllowed, services)) }
    })
    return { throttleTimeMs: 0, topics }
  },
})

function answer(topic: string, asked: Asked, isAllowed: boolean, services: Services): Answer {
  if (!isAllowed) return { partition: asked.partition, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
  const { partition, error } = services.partitions.leader(topic, asked.partition, asked.currentLeaderEpoch)
  if (partition === null) return { partition: asked.partition, errorCode: error }
  const { leaderEpoch, endOffset } = partition.log.endOffsetForEpoch(asked.leaderEpoch)
  return { partition: asked.partition, errorCode: ErrorCode.NONE, leaderEpoch, endOffset }
}
