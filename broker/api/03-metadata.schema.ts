import { AUTHORIZED_OPERATIONS_OMITTED, api, array, bool, int16, int32, string, uuid } from '../wire/schema.ts'

/**
 * Brokers, topics, partitions and leaders.
 *
 * v0: an empty list asks for every topic; v1: null does, and empty asks for none. v9: flexible. v10: topic ids. v12:
 * lookup by id. v13: a top-level error.
 */
export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: '0-13',
  advertised: '0-13',
  flexible: '9+',
  request: {
    topics: array(
      {
        topicId: uuid({ versions: '10+' }),
        name: string({ nullable: '10+' }),
      },
      { nullable: '1+' },
    ),
    allowAutoTopicCreation: bool({ versions: '4+', default: true }),
    includeClusterAuthorizedOperations: bool({ versions: '8-10' }),
    includeTopicAuthorizedOperations: bool({ versions: '8+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+' }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ versions: '1+', nullable: true, default: null }),
    }),
    clusterId: string({ versions: '2+', nullable: true, default: null }),
    controllerId: int32({ versions: '1+', default: -1 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: '12+' }),
      topicId: uuid({ versions: '10+' }),
      isInternal: bool({ versions: '1+' }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ versions: '7+', default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { versions: '5+' }),
      }),
      topicAuthorizedOperations: int32({ versions: '8+', default: AUTHORIZED_OPERATIONS_OMITTED }),
    }),
    clusterAuthorizedOperations: int32({ versions: '8-10', default: AUTHORIZED_OPERATIONS_OMITTED }),
    errorCode: int16({ versions: '13+' }),
  },
})
