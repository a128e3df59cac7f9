import { AUTHORIZED_OPERATIONS_OMITTED, api, array, bool, int16, int32, string, struct, uuid } from '../wire/schema.ts'

const cursor = {
  topicName: string(),
  partitionIndex: int32(),
}

/** Topics and partitions in pages, with eligible leader replicas (KIP-966). */
export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: '0',
  advertised: '0',
  flexible: '0+',
  request: {
    topics: array({
      name: string(),
    }),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(cursor, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: true }),
      topicId: uuid(),
      isInternal: bool(),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: array(int32(), { nullable: true, default: null }),
        lastKnownElr: array(int32(), { nullable: true, default: null }),
        offlineReplicas: array(int32()),
      }),
      topicAuthorizedOperations: int32({ default: AUTHORIZED_OPERATIONS_OMITTED }),
    }),
    nextCursor: struct(cursor, { nullable: true, default: null }),
  },
})
