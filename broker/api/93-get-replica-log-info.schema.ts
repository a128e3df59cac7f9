import { api, array, int16, int32, int64, string, uuid } from '../wire/schema.ts'

/** How far a replica's log reaches, for unclean recovery (KIP-966). */
export const getReplicaLogInfo = api({
  key: 93,
  name: 'GetReplicaLogInfo',
  versions: '0',
  advertised: 'never',
  flexible: '0+',
  request: {
    brokerId: int32(),
    topicPartitions: array({
      topicId: uuid(),
      partitions: array(int32()),
    }),
  },
  response: {
    brokerEpoch: int64(),
    topicPartitionLogInfoList: array({
      topicId: uuid(),
      partitionLogInfo: array({
        partition: int32(),
        lastWrittenLeaderEpoch: int32(),
        currentLeaderEpoch: int32(),
        logEndOffset: int64(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
      }),
    }),
  },
})
