/** Keys and values of the `__transaction_state` log, each prefixed by its int16 version. A null value is a tombstone. */
import { array, int16, int32, int64, int8, message, string } from '../wire/schema.ts'

export const transactionLogKey = message({
  name: 'TransactionLogKey',
  versions: '0',
  flexible: 'none',
  fields: {
    transactionalId: string(),
  },
})

export const transactionLogValue = message({
  name: 'TransactionLogValue',
  versions: '0-1',
  flexible: '1+',
  fields: {
    producerId: int64(),
    previousProducerId: int64({ tag: 0, default: -1 }),
    nextProducerId: int64({ tag: 1, default: -1 }),
    producerEpoch: int16(),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array(
      {
        topic: string(),
        partitionIds: array(int32()),
      },
      { nullable: true },
    ),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ tag: 2 }),
  },
})
