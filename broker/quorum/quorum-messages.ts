/**
 * The quorum's requests and responses as Kafka's messages. Each message could name many partitions; the quorum has one, and a
 * message that names another, or several, is refused as malformed (`null`).
 */
import type { beginQuorumEpoch } from '../api/53-begin-quorum-epoch.schema.ts'
import type { endQuorumEpoch } from '../api/54-end-quorum-epoch.schema.ts'
import type { fetch } from '../api/01-fetch.schema.ts'
import type { vote } from '../api/52-vote.schema.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { METADATA_PARTITION, METADATA_TOPIC, METADATA_TOPIC_ID } from './metadata-topic.ts'
import {
  NO_NODE,
  UNKNOWN_DIRECTORY,
  type BeginQuorumEpochRequest,
  type BeginQuorumEpochResponse,
  type EndQuorumEpochRequest,
  type EndQuorumEpochResponse,
  type FetchRequest,
  type FetchResponse,
  type VoteRequest,
  type VoteResponse,
} from './types.ts'

/** Most bytes of metadata in one answer; a single larger batch still goes out whole. */
const FETCH_BYTES_MAX = 8 * 1024 * 1024

/** The versions nodes of one build speak with each other. */
export const QUORUM_VERSIONS = { vote: 2, beginQuorumEpoch: 1, endQuorumEpoch: 1, fetch: 18, fetchSnapshot: 1 } as const

const head = { partitionIndex: METADATA_PARTITION }

function named<Partition>(partition: Partition): readonly { readonly topicName: string; readonly partitions: readonly Partition[] }[] {
  return [{ topicName: METADATA_TOPIC, partitions: [partition] }]
}

function only<Partition extends { partitionIndex: number }>(
  topics: readonly { readonly topicName: string; readonly partitions: readonly Partition[] }[],
): Partition | null {
  const [topic, anotherTopic] = topics
  const [partition, anotherPartition] = topic?.partitions ?? []
  const isOurs = topic?.topicName === METADATA_TOPIC && partition?.partitionIndex === METADATA_PARTITION
  return isOurs && anotherTopic === undefined && anotherPartition === undefined ? partition : null
}

const orNull = (nodeId: number): number | null => (nodeId === NO_NODE ? null : nodeId)

// ---------------------------------------------------------------------------------------------------------------- vote

export function encodeVoteRequest(request: VoteRequest): Encodable<typeof vote.request> {
  const partition = {
    ...head,
    replicaEpoch: request.epoch,
    replicaId: request.candidate.id,
    replicaDirectoryId: request.candidate.directoryId,
    voterDirectoryId: request.voter.directoryId,
    lastOffsetEpoch: request.lastEpoch,
    lastOffset: request.lastOffset,
    preVote: request.preVote,
  }
  return { clusterId: request.clusterId, voterId: request.voter.id, topics: named(partition) }
}

export function decodeVoteRequest(body: Decoded<typeof vote.request>): VoteRequest | null {
  const partition = only(body.topics)
  if (partition === null) return null
  return {
    api: 'vote',
    clusterId: body.clusterId,
    voter: { id: body.voterId, directoryId: partition.voterDirectoryId },
    candidate: { id: partition.replicaId, directoryId: partition.replicaDirectoryId },
    epoch: partition.replicaEpoch,
    lastEpoch: partition.lastOffsetEpoch,
    lastOffset: partition.lastOffset,
    preVote: partition.preVote,
  }
}

export function encodeVoteResponse({ errorCode, leaderId, epoch, voteGranted }: VoteResponse): Encodable<typeof vote.response> {
  const partition = { ...head, errorCode, leaderId: leaderId ?? NO_NODE, leaderEpoch: epoch, voteGranted }
  return { errorCode: ErrorCode.NONE, topics: named(partition) }
}

export function decodeVoteResponse(body: Decoded<typeof vote.response>): VoteResponse | null {
  const partition = only(body.topics)
  if (partition === null) return null
  const { errorCode, leaderId, leaderEpoch, voteGranted } = partition
  return { api: 'vote', errorCode: body.errorCode || errorCode, leaderId: orNull(leaderId), epoch: leaderEpoch, voteGranted }
}

// ---------------------------------------------------------------------------------------------------- begin, end epoch

export function encodeBeginQuorumEpochRequest(request: BeginQuorumEpochRequest): Encodable<typeof beginQuorumEpoch.request> {
  const partition = { ...head, voterDirectoryId: request.voter.directoryId, leaderId: request.leaderId, leaderEpoch: request.epoch }
  return { clusterId: request.clusterId, voterId: request.voter.id, topics: named(partition), leaderEndpoints: [] }
}

export function decodeBeginQuorumEpochRequest(body: Decoded<typeof beginQuorumEpoch.request>): BeginQuorumEpochRequest | null {
  const partition = only(body.topics)
  if (partition === null) return null
  const voter = { id: body.voterId, directoryId: partition.voterDirectoryId }
  return { api: 'beginQuorumEpoch', clusterId: body.clusterId, voter, leaderId: partition.leaderId, epoch: partition.leaderEpoch }
}

export function encodeBeginQuorumEpochResponse(response: BeginQuorumEpochResponse): Encodable<typeof beginQuorumEpoch.response> {
  return encodeEpochResponse(response)
}

export function decodeBeginQuorumEpochResponse(body: Decoded<typeof beginQuorumEpoch.response>): BeginQuorumEpochResponse | null {
  const fields = decodeEpochResponse(body)
  return fields === null ? null : { api: 'beginQuorumEpoch', ...fields }
}

export function encodeEndQuorumEpochRequest(request: EndQuorumEpochRequest): Encodable<typeof endQuorumEpoch.request> {
  const partition = {
    ...head,
    leaderId: request.leaderId,
    leaderEpoch: request.epoch,
    preferredSuccessors: [],
    preferredCandidates: request.preferredCandidates.map((candidateId) => ({ candidateId, candidateDirectoryId: UNKNOWN_DIRECTORY })),
  }
  return { clusterId: request.clusterId, topics: named(partition), leaderEndpoints: [] }
}

export function decodeEndQuorumEpochRequest(body: Decoded<typeof endQuorumEpoch.request>): EndQuorumEpochRequest | null {
  const partition = only(body.topics)
  if (partition === null) return null
  const candidates = partition.preferredCandidates.map(({ candidateId }) => candidateId)
  return {
    api: 'endQuorumEpoch',
    clusterId: body.clusterId,
    leaderId: partition.leaderId,
    epoch: partition.leaderEpoch,
    preferredCandidates: candidates.length > 0 ? candidates : partition.preferredSuccessors,
  }
}

export function encodeEndQuorumEpochResponse(response: EndQuorumEpochResponse): Encodable<typeof endQuorumEpoch.response> {
  return encodeEpochResponse(response)
}

export function decodeEndQuorumEpochResponse(body: Decoded<typeof endQuorumEpoch.response>): EndQuorumEpochResponse | null {
  const fields = decodeEpochResponse(body)
  return fields === null ? null : { api: 'endQuorumEpoch', ...fields }
}

function encodeEpochResponse({ errorCode, leaderId, epoch }: BeginQuorumEpochResponse | EndQuorumEpochResponse) {
  return { errorCode: ErrorCode.NONE, topics: named({ ...head, errorCode, leaderId: leaderId ?? NO_NODE, leaderEpoch: epoch }) }
}

function decodeEpochResponse(body: Decoded<typeof beginQuorumEpoch.response>) {
  const partition = only(body.topics)
  if (partition === null) return null
  return { errorCode: body.errorCode || partition.errorCode, leaderId: orNull(partition.leaderId), epoch: partition.leaderEpoch }
}

// --------------------------------------------------------------------------------------------------------------- fetch

export function encodeFetchRequest(request: FetchRequest): Encodable<typeof fetch.request> {
  const partition = {
    partition: METADATA_PARTITION,
    currentLeaderEpoch: request.epoch,
    fetchOffset: request.fetchOffset,
    lastFetchedEpoch: request.lastFetchedEpoch,
    partitionMaxBytes: FETCH_BYTES_MAX,
    replicaDirectoryId: request.replica.directoryId,
    highWatermark: request.highWatermark,
  }
  return {
    clusterId: request.clusterId,
    replicaState: { replicaId: request.replica.id },
    maxWaitMs: request.maxWaitMs,
    minBytes: 0,
    maxBytes: FETCH_BYTES_MAX,
    isolationLevel: 0,
    topics: [{ topicId: METADATA_TOPIC_ID, partitions: [partition] }],
  }
}

/** Null when the request is about anything but the metadata log. */
export function decodeFetchRequest(body: Decoded<typeof fetch.request>): FetchRequest | null {
  const [topic, anotherTopic] = body.topics
  const [partition, anotherPartition] = topic?.partitions ?? []
  const isOurs = topic?.topicId === METADATA_TOPIC_ID || topic?.topic === METADATA_TOPIC
  if (!isOurs || partition?.partition !== METADATA_PARTITION || anotherTopic !== undefined || anotherPartition !== undefined) return null
  return {
    api: 'fetch',
    clusterId: body.clusterId,
    replica: {
      id: body.replicaState.replicaId !== -1 ? body.replicaState.replicaId : body.replicaId,
      directoryId: partition.replicaDirectoryId,
    },
    epoch: partition.currentLeaderEpoch,
    fetchOffset: partition.fetchOffset,
    lastFetchedEpoch: partition.lastFetchedEpoch,
    highWatermark: partition.highWatermark,
    maxWaitMs: body.maxWaitMs,
    sequence: 0,
  }
}

export function encodeFetchResponse(response: FetchResponse): Encodable<typeof fetch.response> {
  const partition = {
    partitionIndex: METADATA_PARTITION,
    errorCode: response.errorCode,
    highWatermark: response.highWatermark,
    lastStableOffset: response.highWatermark,
    logStartOffset: response.logStartOffset,
    currentLeader: { leaderId: response.leaderId ?? NO_NODE, leaderEpoch: response.epoch },
    abortedTransactions: [],
    records: response.records,
    ...(response.diverging === null ? {} : { divergingEpoch: response.diverging }),
    ...(response.snapshot === null ? {} : { snapshotId: response.snapshot }),
  }
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    sessionId: 0,
    responses: [{ topic: METADATA_TOPIC, topicId: METADATA_TOPIC_ID, partitions: [partition] }],
  }
}

export function decodeFetchResponse(body: Decoded<typeof fetch.response>): FetchResponse | null {
  const partition = body.responses[0]?.partitions[0]
  if (partition === undefined) return null
  const { divergingEpoch, snapshotId, currentLeader } = partition
  return {
    api: 'fetch',
    errorCode: body.errorCode || partition.errorCode,
    leaderId: orNull(currentLeader.leaderId),
    epoch: currentLeader.leaderEpoch,
    highWatermark: partition.highWatermark,
    logStartOffset: partition.logStartOffset,
    diverging: divergingEpoch.endOffset === -1 ? null : divergingEpoch,
    snapshot: snapshotId.endOffset === -1 ? null : snapshotId,
    records: partition.records ?? Buffer.alloc(0),
  }
}
