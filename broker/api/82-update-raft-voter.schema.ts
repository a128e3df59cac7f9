import { api, array, int16, int32, string, struct, uint16, uuid } from '../wire/schema.ts'

/** A voter tells the leader its endpoints and versions. */
export const updateRaftVoter = api({
  key: 82,
  name: 'UpdateRaftVoter',
  versions: '0',
  advertised: 'never',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: true }),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
    kRaftVersionFeature: struct({
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    currentLeader: struct(
      {
        leaderId: int32({ default: -1 }),
        leaderEpoch: int32({ default: -1 }),
        host: string(),
        port: int32(),
      },
      { tag: 0 },
    ),
  },
})
