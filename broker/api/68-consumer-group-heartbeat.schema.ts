import { api, array, int16, int32, string, struct, uuid } from '../wire/schema.ts'

const topicPartition = {
  topicId: uuid(),
  partitions: array(int32()),
}

/**
 * Joins, keeps alive and leaves a consumer group of KIP-848: epoch 0 joins, -1 leaves, -2 leaves for a while (static).
 * v1: regular expression.
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: '0-1',
  advertised: '0-1',
  flexible: '0+',
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
    subscribedTopicRegex: string({ versions: '1+', nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array(topicPartition, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct(
      {
        topicPartitions: array(topicPartition),
      },
      { nullable: true, default: null },
    ),
  },
})
