import { api, array, int16, int32, int64, records, string, struct, uint16, uuid } from '../wire/schema.ts'

const snapshotId = {
  endOffset: int64(),
  epoch: int32(),
}

/** Reads a snapshot of the metadata log in pieces. v1: directory id. */
export const fetchSnapshot = api({
  key: 59,
  name: 'FetchSnapshot',
  versions: '0-1',
  advertised: 'never',
  flexible: '0+',
  request: {
    clusterId: string({ nullable: true, tag: 0, default: null }),
    replicaId: int32({ default: -1 }),
    maxBytes: int32({ default: 0x7fffffff }),
    topics: array({
      name: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32(),
        snapshotId: struct(snapshotId),
        position: int64(),
        replicaDirectoryId: uuid({ versions: '1+', tag: 0 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array({
      name: string(),
      partitions: array({
        index: int32(),
        errorCode: int16(),
        snapshotId: struct(snapshotId),
        currentLeader: struct(
          {
            leaderId: int32(),
            leaderEpoch: int32(),
          },
          { tag: 0 },
        ),
        size: int64(),
        position: int64(),
        unalignedRecords: records(),
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
