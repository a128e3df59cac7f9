import { api, array, bool, int16, int32, int64, string, uint16, uuid } from '../wire/schema.ts'

/** A candidate asks a voter for its vote. v1: directory ids (KIP-853). v2: pre-vote (KIP-996). */
export const vote = api({
  key: 52,
  name: 'Vote',
  versions: '0-2',
  advertised: 'never',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: true, default: null }),
    voterId: int32({ versions: '1+', default: -1 }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        replicaEpoch: int32(),
        replicaId: int32(),
        replicaDirectoryId: uuid({ versions: '1+' }),
        voterDirectoryId: uuid({ versions: '1+' }),
        lastOffsetEpoch: int32(),
        lastOffset: int64(),
        preVote: bool({ versions: '2+' }),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        voteGranted: bool(),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: uint16(),
      },
      { versions: '1+', tag: 0 },
    ),
  },
})
