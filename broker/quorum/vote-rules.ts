/**
 * Who gets a vote. At most one candidate per epoch does from each voter, and only one whose log holds at least what the
 * voter's holds: so two leaders of one epoch cannot be, and no leader lacks a committed record.
 *
 * A pre-vote promises nothing and is not stored; it is refused while this voter hears from a leader (KIP-996).
 */
import { ErrorCode } from '../wire/errors.ts'
import type { Turn } from './turn.ts'
import type { QuorumState, VoteRequest } from './types.ts'
import { becomeUnattached } from './transitions.ts'
import { sameReplica } from './voter-set.ts'

export function onVoteRequest(turn: Turn, token: number, request: VoteRequest): void {
  const refusal = refusalOf(turn, request)
  if (refusal !== ErrorCode.NONE) return answer(turn, token, refusal, false)

  if (request.epoch > turn.state.epoch) becomeUnattached(turn, { epoch: request.epoch, votedFor: null })

  const granted = mayGrant(turn.state, request, isUpToDate(turn, request))
  const isNewVote = granted && !request.preVote && turn.state.votedFor === null
  // Having voted, wait for the winner's word instead of running against it.
  if (isNewVote) becomeUnattached(turn, { epoch: request.epoch, votedFor: request.candidate })
  answer(turn, token, ErrorCode.NONE, granted)
}

function refusalOf(turn: Turn, request: VoteRequest): ErrorCode {
  const { config, epoch } = turn.state
  if (request.clusterId !== null && request.clusterId !== config.clusterId) return ErrorCode.INCONSISTENT_CLUSTER_ID
  if (!isPlausible(request)) return ErrorCode.INVALID_REQUEST
  if (request.epoch < epoch) return ErrorCode.FENCED_LEADER_EPOCH
  if (request.voter.id !== -1 && !sameReplica(request.voter, config.self)) return ErrorCode.INVALID_VOTER_KEY
  if (!turn.isVoter) return ErrorCode.INCONSISTENT_VOTER_SET
  return ErrorCode.NONE
}

function isPlausible({ epoch, lastEpoch, lastOffset, preVote }: VoteRequest): boolean {
  if (lastEpoch < 0 || lastOffset < 0) return false
  // A candidate has raised its epoch above all it has stored; one that only asks has not raised it yet.
  return preVote ? lastEpoch <= epoch : lastEpoch < epoch
}

function isUpToDate(turn: Turn, request: VoteRequest): boolean {
  const { lastEpoch, endOffset } = turn.log
  return request.lastEpoch > lastEpoch || (request.lastEpoch === lastEpoch && request.lastOffset >= endOffset)
}

function mayGrant(state: QuorumState, request: VoteRequest, isUpToDate: boolean): boolean {
  const { role, votedFor } = state
  if (request.preVote) {
    if (role.name === 'leader') return false
    if (role.name === 'follower' && role.hasFetched) return false
    return isUpToDate
  }
  if (votedFor !== null) return sameReplica(votedFor, request.candidate)
  if (role.name !== 'unattached' && role.name !== 'prospective') return false
  return state.leaderId === null && isUpToDate
}

function answer(turn: Turn, token: number, errorCode: ErrorCode, voteGranted: boolean): void {
  const { leaderId, epoch } = turn.state
  turn.emit({ type: 'reply', token, response: { api: 'vote', errorCode, leaderId, epoch, voteGranted } })
}
