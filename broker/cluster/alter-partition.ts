/**
 * A leader proposes its in-sync set (AlterPartition, KIP-497). Compare-and-set on leader epoch and partition epoch: a proposal
 * made on old knowledge is refused with what makes the leader look again.
 */
import { ErrorCode } from '../wire/errors.ts'
import { applyRecords } from './apply-records.ts'
import { brokerError } from './broker-control.ts'
import type { Decision, DecisionInput } from './decision.ts'
import type { MetadataImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { changePartition, changeRules } from './partition-change.ts'
import { LeaderRecoveryState, type PartitionState } from './partition-state.ts'

export interface IsrProposal {
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly newIsr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly leaderRecoveryState: number
}

export interface AlterPartitionRequest {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly proposals: readonly IsrProposal[]
}

export type IsrAnswer =
  | { readonly errorCode: typeof ErrorCode.NONE; readonly state: PartitionState }
  | { readonly errorCode: ErrorCode; readonly state: null }

export interface AlterPartitionAnswer {
  readonly errorCode: ErrorCode
  /** In the order of the proposals; empty when the whole request is refused. */
  readonly partitions: readonly IsrAnswer[]
}

export function alterPartitions({ image, nextOffset }: DecisionInput, request: AlterPartitionRequest): Decision<AlterPartitionAnswer> {
  const errorCode = brokerError(image.broker(request.brokerId), request.brokerEpoch)
  if (errorCode !== ErrorCode.NONE) return { records: [], answer: { errorCode, partitions: [] } }
  const records: MetadataRecord[] = []
  const errors = request.proposals.map((proposal) => {
    const error = proposalError(image, request.brokerId, proposal)
    const before = image.topicById(proposal.topicId)?.partitions[proposal.partition]
    if (error === ErrorCode.NONE && before !== undefined) records.push(...changeOf(image, before, proposal))
    return error
  })
  const { image: after } = applyRecords(image, records, { offset: nextOffset + records.length - 1, epoch: image.epoch })
  const partitions = request.proposals.map(({ topicId, partition, leaderEpoch }, index): IsrAnswer => {
    const state = after.topicById(topicId)?.partitions[partition]
    const error = errors[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (error !== ErrorCode.NONE || state === undefined) return { errorCode: error, state: null }
    // Carried out, and so the proposer's leadership of this epoch has ended.
    if (state.leaderEpoch !== leaderEpoch) return { errorCode: ErrorCode.NEW_LEADER_ELECTED, state: null }
    return { errorCode: ErrorCode.NONE, state }
  })
  return { records, answer: { errorCode, partitions } }
}

/** A new in-sync set may be what a reassignment waited for; then the proposing leader may have to hand over, too. */
function changeOf(
  image: MetadataImage,
  before: PartitionState,
  { topicId, partition, newIsr, leaderRecoveryState }: IsrProposal,
): MetadataRecord[] {
  const isr = newIsr.map(({ brokerId }) => brokerId)
  const rules = changeRules(image, image.topicById(topicId)?.name ?? '')
  const change = changePartition(before, { isr, leaderRecoveryState: leaderRecoveryState as LeaderRecoveryState }, rules)
  return change === null ? [] : [partitionChangeRecord(topicId, partition, change)]
}

function proposalError(image: MetadataImage, brokerId: number, proposal: IsrProposal): ErrorCode {
  const topic = image.topicById(proposal.topicId)
  if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  const partition = topic.partitions[proposal.partition]
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  // The leader has seen more than we have: we must be a controller that was replaced.
  if (proposal.leaderEpoch > partition.leaderEpoch || proposal.partitionEpoch > partition.partitionEpoch) return ErrorCode.NOT_CONTROLLER
  if (proposal.leaderEpoch < partition.leaderEpoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (partition.leader !== brokerId) return ErrorCode.INVALID_REQUEST
  if (proposal.partitionEpoch < partition.partitionEpoch) return ErrorCode.INVALID_UPDATE_VERSION
  return membersError(image, partition, proposal)
}

function membersError(image: MetadataImage, partition: PartitionState, { newIsr, leaderRecoveryState }: IsrProposal): ErrorCode {
  const ids = newIsr.map(({ brokerId }) => brokerId)
  const isWellFormed =
    new Set(ids).size === ids.length && ids.includes(partition.leader) && ids.every((id) => partition.replicas.includes(id))
  if (!isWellFormed) return ErrorCode.INVALID_REQUEST
  if (leaderRecoveryState === LeaderRecoveryState.RECOVERING) {
    if (ids.length > 1 || partition.leaderRecoveryState === LeaderRecoveryState.RECOVERED) return ErrorCode.INVALID_REQUEST
  }
  const isEligible = newIsr.every(({ brokerId, brokerEpoch }) => {
    const broker = image.broker(brokerId)
    // -1: asked in a version that does not carry the members' epochs.
    return broker !== undefined && image.isActive(brokerId) && (brokerEpoch === -1 || brokerEpoch === broker.brokerEpoch)
  })
  return isEligible ? ErrorCode.NONE : ErrorCode.INELIGIBLE_REPLICA
}
