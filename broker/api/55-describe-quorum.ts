/**
 * DescribeQuorum v0-2, at the leader of the quorum: its epoch, its high watermark, and how far every voter and observer is.
 *
 * Times (v1+) are wall-clock milliseconds, -1 for never; the leader itself is always caught up. v2: directory ids, error texts,
 * and the voters' listeners.
 */
import { METADATA_PARTITION, METADATA_TOPIC } from '../quorum/metadata-topic.ts'
import type { Leader, QuorumState, ReplicaProgress } from '../quorum/types.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Encodable } from '../wire/schema.ts'
import { describeQuorum } from './55-describe-quorum.schema.ts'
import { INTERNAL_LISTENER } from './context.ts'
import { NotController, type ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

type Response = Encodable<typeof describeQuorum.response>
type Replica = Response['topics'][number]['partitions'][number]['currentVoters'][number]

export const describeQuorumApi = defineApi(describeQuorum, {
  listeners: 'everywhere',
  handle(request, context, { quorum, time }: Pick<ControllerServices, 'quorum' | 'time'>): Response {
    if (!context.authorize(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)) {
      return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Describing the cluster is not allowed.', topics: [] }
    }
    const { state } = quorum
    if (state.role.name !== 'leader') throw new NotController()
    const { role } = state
    const topics = request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => {
        const isKnown = topicName === METADATA_TOPIC && partitionIndex === METADATA_PARTITION
        return isKnown ? described(state, role, quorum.logEndOffset, time) : unknownPartition(partitionIndex)
      }),
    }))
    const nodes = quorum
      .voterAddresses()
      .map(({ id, host, port }) => ({ nodeId: id, listeners: [{ name: INTERNAL_LISTENER, host, port }] }))
    return { errorCode: ErrorCode.NONE, topics, nodes }
  },
})

function described(
  state: QuorumState,
  role: Leader,
  logEndOffset: number,
  time: ControllerServices['time'],
): Response['topics'][number]['partitions'][number] {
  const nowMs = time.nowMs()
  const wallMs = (monotonicMs: number): number => (monotonicMs < 0 ? -1 : Math.round(nowMs - (time.monotonicMs() - monotonicMs)))
  const replicaOf = ({ key, endOffset, lastFetchMs, lastCaughtUpMs }: ReplicaProgress): Replica => ({
    replicaId: key.id,
    replicaDirectoryId: key.directoryId,
    logEndOffset: endOffset,
    lastFetchTimestamp: wallMs(lastFetchMs),
    lastCaughtUpTimestamp: wallMs(lastCaughtUpMs),
  })
  const { self } = state.config
  const leader = {
    replicaId: self.id,
    replicaDirectoryId: self.directoryId,
    logEndOffset,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  }
  return {
    partitionIndex: METADATA_PARTITION,
    errorCode: ErrorCode.NONE,
    leaderId: self.id,
    leaderEpoch: state.epoch,
    highWatermark: state.highWatermark,
    currentVoters: [leader, ...[...role.voters.values()].map(replicaOf)],
    observers: [...role.observers.values()].map(replicaOf),
  }
}

function unknownPartition(partitionIndex: number): Response['topics'][number]['partitions'][number] {
  const errorMessage = `The quorum keeps partition ${METADATA_PARTITION} of ${METADATA_TOPIC} and no other.`
  return {
    partitionIndex,
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage,
    leaderId: -1,
    leaderEpoch: -1,
    highWatermark: -1,
    currentVoters: [],
    observers: [],
  }
}
