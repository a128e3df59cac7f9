import { api, array, bool, int16, int32, int64, string, uuid } from '../wire/schema.ts'

/**
 * Offsets a group has stored. v2: null topics ask for all. v6: flexible. v8: several groups at once. v9: member epochs.
 * v10: topic ids.
 */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: '1-10',
  advertised: '1-10',
  flexible: '6+',
  request: {
    groupId: string({ versions: '1-7' }),
    topics: array(
      {
        name: string(),
        partitionIndexes: array(int32()),
      },
      { versions: '1-7', nullable: '2-7' },
    ),
    groups: array(
      {
        groupId: string(),
        memberId: string({ versions: '9+', nullable: true, default: null }),
        memberEpoch: int32({ versions: '9+', default: -1 }),
        topics: array(
          {
            name: string({ versions: '8-9' }),
            topicId: uuid({ versions: '10+' }),
            partitionIndexes: array(int32()),
          },
          { nullable: true },
        ),
      },
      { versions: '8+' },
    ),
    requireStable: bool({ versions: '7+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '3+' }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ versions: '5-7', default: -1 }),
          metadata: string({ nullable: true }),
          errorCode: int16(),
        }),
      },
      { versions: '1-7' },
    ),
    errorCode: int16({ versions: '2-7' }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string({ versions: '8-9' }),
          topicId: uuid({ versions: '10+' }),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: true }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16(),
      },
      { versions: '8+' },
    ),
  },
})
