import { api, array, int16, int32, int64, records, string, struct, uuid } from '../wire/schema.ts'

/**
 * Appends record batches to partitions.
 *
 * v9: flexible. v10: the current leader and its endpoint come with a leader error (KIP-951). v12: transactions v2
 * (KIP-890). v13: topic ids.
 * Advertised from 0 because librdkafka before 2.11 else stops compressing (KAFKA-18659); capped at 11 while transactions
 * v2 are not served.
 */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: '3-13',
  advertised: '0-11',
  flexible: '9+',
  request: {
    transactionalId: string({ nullable: true, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ versions: '3-12' }),
      topicId: uuid({ versions: '13+' }),
      partitionData: array({
        index: int32(),
        records: records({ nullable: true }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string({ versions: '3-12' }),
      topicId: uuid({ versions: '13+' }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1 }),
        logStartOffset: int64({ versions: '5+', default: -1 }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: true, default: null }),
          },
          { versions: '8+' },
        ),
        errorMessage: string({ versions: '8+', nullable: true, default: null }),
        currentLeader: struct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { versions: '10+', tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32(),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      },
      { versions: '10+', tag: 0 },
    ),
  },
})
