import { api, bool, int16, int32, int64, string } from '../wire/schema.ts'

/** Commits or aborts a transaction. v3: flexible. v5 (transactions v2) returns the next epoch; capped at 4 while that is not served. */
export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: '0-5',
  advertised: '0-4',
  flexible: '3+',
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64({ versions: '5+', default: -1 }),
    producerEpoch: int16({ versions: '5+', default: -1 }),
  },
})
