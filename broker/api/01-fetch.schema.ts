import { INT64_MAX, api, array, int16, int32, int64, int8, records, string, struct, uuid } from '../wire/schema.ts'

/**
 * Reads record batches, for consumers as for followers.
 *
 * v4: isolation level. v7: sessions (KIP-227). v9: leader epoch fencing. v11: rack. v12: flexible, divergence by epoch
 * (KIP-595). v13: topic ids.
 * v15: the replica and its epoch move into a tag (KIP-903). v17: log directories. v18: the follower's high watermark.
 */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: '4-18',
  advertised: '4-18',
  flexible: '12+',
  request: {
    clusterId: string({ versions: '12+', nullable: true, tag: 0, default: null }),
    replicaId: int32({ versions: '4-14', default: -1 }),
    replicaState: struct(
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1 }),
      },
      { versions: '15+', tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    isolationLevel: int8(),
    sessionId: int32({ versions: '7+' }),
    sessionEpoch: int32({ versions: '7+', default: -1 }),
    topics: array({
      topic: string({ versions: '4-12' }),
      topicId: uuid({ versions: '13+' }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ versions: '9+', default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ versions: '12+', default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ versions: '17+', tag: 0 }),
        highWatermark: int64({ versions: '18+', tag: 1, default: INT64_MAX }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ versions: '7-12' }),
        topicId: uuid({ versions: '13+' }),
        partitions: array(int32()),
      },
      { versions: '7+' },
    ),
    rackId: string({ versions: '11+' }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ versions: '7+' }),
    sessionId: int32({ versions: '7+' }),
    responses: array({
      topic: string({ versions: '4-12' }),
      topicId: uuid({ versions: '13+' }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1 }),
        divergingEpoch: struct(
          {
            epoch: int32({ default: -1 }),
            endOffset: int64({ default: -1 }),
          },
          { versions: '12+', tag: 0 },
        ),
        currentLeader: struct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { versions: '12+', tag: 1 },
        ),
        snapshotId: struct(
          {
            endOffset: int64({ default: -1 }),
            epoch: int32({ default: -1 }),
          },
          { versions: '12+', tag: 2 },
        ),
        abortedTransactions: array(
          {
            producerId: int64(),
            firstOffset: int64(),
          },
          { nullable: true },
        ),
        preferredReadReplica: int32({ versions: '11+', default: -1 }),
        records: records({ nullable: true }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      },
      { versions: '16+', tag: 0 },
    ),
  },
})
