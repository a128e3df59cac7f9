/** Fetches a snapshot of the metadata log from the leader, part by part (FetchSnapshot, KIP-630). */
import { fetchSnapshot } from '../api/59-fetch-snapshot.schema.ts'
import { METADATA_PARTITION, METADATA_TOPIC } from '../quorum/metadata-topic.ts'
import type { ReplicaKey, SnapshotId } from '../quorum/types.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import type { ControllerChannels } from './controller-channels.ts'

const FETCH_SNAPSHOT_VERSION = 1
const PART_BYTES_MAX = 1024 * 1024
const PART_TIMEOUT_MS = 2_000
/** A snapshot said to be larger than this is not fetched: its size is the other side's word. */
const SNAPSHOT_BYTES_MAX = 4 * 1024 * 1024 * 1024

export interface SnapshotSource {
  readonly from: number
  readonly snapshot: SnapshotId
  readonly epoch: number
  readonly clusterId: string
  readonly replica: ReplicaKey
  readonly signal: AbortSignal
  /** Called after each part: the leader is alive. */
  readonly onPart: () => void
}

/** Throws when the leader refuses, changes, or falls silent: the next fetch of the log says what to do then. */
export async function* snapshotParts(channels: ControllerChannels, source: SnapshotSource): AsyncGenerator<Buffer> {
  let position = 0
  for (let sizeBytes = 1; position < sizeBytes;) {
    const answer = await requestPart(channels, source, position)
    if (answer.size > SNAPSHOT_BYTES_MAX) throw new Error(`the snapshot at ${source.snapshot.endOffset} is too large: ${answer.size} bytes`)
    if (answer.position !== position || answer.unalignedRecords === null || answer.unalignedRecords.length === 0) {
      throw new Error(`controller ${source.from} sent no part of the snapshot at ${position}`)
    }
    sizeBytes = answer.size
    position += answer.unalignedRecords.length
    source.onPart()
    yield answer.unalignedRecords
  }
}

async function requestPart(channels: ControllerChannels, source: SnapshotSource, position: number) {
  const { from, snapshot, epoch, clusterId, replica, signal } = source
  const partition = {
    partition: METADATA_PARTITION,
    currentLeaderEpoch: epoch,
    snapshotId: snapshot,
    position,
    replicaDirectoryId: replica.directoryId,
  }
  const request = {
    clusterId,
    replicaId: replica.id,
    maxBytes: PART_BYTES_MAX,
    topics: [{ name: METADATA_TOPIC, partitions: [partition] }],
  }
  const to = { id: from, purpose: 'fetch' } as const
  const response = await channels.request(to, fetchSnapshot, FETCH_SNAPSHOT_VERSION, request, { timeoutMs: PART_TIMEOUT_MS, signal })
  const answer = response.topics[0]?.partitions[0]
  const errorCode = response.errorCode || (answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
  if (answer === undefined || errorCode !== ErrorCode.NONE) {
    throw new Error(`controller ${from} does not send the snapshot at ${snapshot.endOffset}: ${errorName(errorCode)}`)
  }
  return answer
}
