/**
 * FetchSnapshot v0-1, between controllers and from brokers: a part of a snapshot of the metadata log, by position in its file.
 * Only the leader of the current epoch answers. SNAPSHOT_NOT_FOUND for a snapshot it has not (any more), POSITION_OUT_OF_RANGE
 * beyond the end of one it has. v1 names the sender's directory: a voter that fetches a snapshot is one that follows.
 */
import { METADATA_PARTITION, METADATA_TOPIC } from '../quorum/metadata-topic.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { fetchSnapshot } from './59-fetch-snapshot.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { defineApi } from './registry.ts'

type Partition = Decoded<typeof fetchSnapshot.request>['topics'][number]['partitions'][number]
type PartitionAnswer = Encodable<typeof fetchSnapshot.response>['topics'][number]['partitions'][number]

const PART_BYTES_MAX = 1024 * 1024

export const fetchSnapshotApi = defineApi(fetchSnapshot, {
  listeners: 'internal',
  async handle(request, context, { quorum, clusterId }: Pick<ControllerServices, 'quorum' | 'clusterId'>) {
    if (request.clusterId !== null && request.clusterId !== clusterId) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, topics: [] }
    }
    const [topic] = request.topics
    const [partition] = topic?.partitions ?? []
    if (
      request.topics.length !== 1 ||
      topic?.name !== METADATA_TOPIC ||
      topic.partitions.length !== 1 ||
      partition?.partition !== METADATA_PARTITION
    ) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.INVALID_REQUEST, topics: [] }
    }
    if (request.replicaId >= 0 && !speaksFor(context, request.replicaId)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
    }
    quorum.snapshotAsked({ id: request.replicaId, directoryId: partition.replicaDirectoryId }, partition.currentLeaderEpoch)
    const answer = await partOf(partition, Math.min(request.maxBytes, PART_BYTES_MAX), quorum)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics: [{ name: METADATA_TOPIC, partitions: [answer] }] }
  },
})

async function partOf(partition: Partition, maxBytes: number, quorum: ControllerServices['quorum']): Promise<PartitionAnswer> {
  const { snapshotId, position, currentLeaderEpoch } = partition
  const { role, epoch, leaderId } = quorum.state
  const refused = (errorCode: ErrorCode, size = 0): PartitionAnswer => ({
    index: METADATA_PARTITION,
    errorCode,
    snapshotId,
    currentLeader: { leaderId: leaderId ?? -1, leaderEpoch: epoch },
    size,
    position,
    unalignedRecords: Buffer.alloc(0),
  })
  if (currentLeaderEpoch < epoch) return refused(ErrorCode.FENCED_LEADER_EPOCH)
  if (currentLeaderEpoch > epoch) return refused(ErrorCode.UNKNOWN_LEADER_EPOCH)
  if (role.name !== 'leader') return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  if (position < 0) return refused(ErrorCode.POSITION_OUT_OF_RANGE)
  const part = await quorum.readSnapshot(snapshotId, { position, maxBytes })
  if (part === null) return refused(ErrorCode.SNAPSHOT_NOT_FOUND)
  if (position >= part.sizeBytes) return refused(ErrorCode.POSITION_OUT_OF_RANGE, part.sizeBytes)
  return { ...refused(ErrorCode.NONE, part.sizeBytes), unalignedRecords: part.bytes }
}
