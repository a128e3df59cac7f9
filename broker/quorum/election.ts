/** The two roles that count votes: prospective (would I win?) and candidate (elect me). */
import type { Candidate, Prospective, VoteResponse, VoteState } from './types.ts'
import type { Turn } from './turn.ts'
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomeProspective,
  becomeUnattached,
  hasMajority,
  isLost,
  isOutstanding,
  isSplit,
  startElectionBackoff,
} from './transitions.ts'

/** An answer to a vote request of this role and epoch. */
export function onVoteCounted(turn: Turn, role: Prospective | Candidate, from: number, response: VoteResponse): void {
  if (!isOutstanding(role.votes.get(from))) return
  count(turn, role, from, response.voteGranted ? 'granted' : 'refused')
}

/** No answer came. The voter is asked again, so only the first time tells anything. */
export function onVoteUnanswered(turn: Turn, role: Prospective | Candidate, from: number): void {
  if (role.votes.get(from) === 'pending') count(turn, role, from, 'silent')
}

function count(turn: Turn, role: Prospective | Candidate, from: number, vote: VoteState): void {
  turn.update({ ...role, votes: new Map<number, VoteState>(role.votes).set(from, vote) })
  decide(turn)
}

/** Wins or gives up as soon as the votes so far settle it; a lone voter wins before asking anyone. */
export function decide(turn: Turn): void {
  const { role } = turn.state
  if (role.name === 'prospective') {
    if (hasMajority(turn, role.votes, 'granted')) {
      becomeCandidate(turn, role.retries)
      decide(turn)
    } else if (isLost(turn, role.votes)) {
      giveUpPreVote(turn)
    }
  } else if (role.name === 'candidate') {
    if (hasMajority(turn, role.votes, 'granted')) {
      becomeLeader(
        turn,
        [...role.votes].filter(([, vote]) => vote === 'granted').map(([id]) => id),
      )
    } else if (isLost(turn, role.votes) || isSplit(role)) {
      // Others want someone else; wait a random while for them to succeed before running again.
      startElectionBackoff(turn, role.retries)
    }
  }
}

/** The pre-vote failed or took too long: go back to the leader we knew, or wait for one. */
function giveUpPreVote(turn: Turn): void {
  const { epoch, leaderId, votedFor } = turn.state
  if (leaderId !== null) becomeFollower(turn, { epoch, leaderId })
  else becomeUnattached(turn, { epoch, votedFor })
}

export function onElectionTimer(turn: Turn): void {
  const { role } = turn.state
  switch (role.name) {
    case 'unattached':
      return run(turn, 0)
    case 'prospective':
      return giveUpPreVote(turn)
    case 'candidate':
      return run(turn, role.retries + 1)
    case 'resigned':
      // This epoch is over for us; in the next one we may vote again.
      return becomeUnattached(turn, { epoch: turn.state.epoch + 1, votedFor: null })
    case 'follower':
    case 'leader':
      throw new Error(`a ${role.name} has no election timer`)
  }
}

export function run(turn: Turn, retries: number): void {
  becomeProspective(turn, retries)
  decide(turn)
}
