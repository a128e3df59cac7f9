/**
 * The controller quorum: Raft as KRaft does it (KIP-595, KIP-853, KIP-996), as a function from state and event to state and
 * effects.
 *
 *   unattached  -> prospective : election timeout (voters)           | follower : a leader is named | unattached : newer epoch, or vote given
 *   follower    -> prospective : fetch timeout (voters), a resignation or an exit hint | unattached : newer epoch; any failed fetch (observers)
 *   prospective -> candidate   : a majority would vote for it        | follower, unattached : refused, too late, newer epoch, leader named
 *   candidate   -> leader      : a majority voted for it             | prospective : timeout or refused, after a back-off | follower, unattached : newer epoch
 *   leader      -> resigned    : no majority in contact, or a clean stop | follower, unattached : newer epoch
 *   resigned    -> unattached  : election timeout, in the next epoch | follower, unattached : newer epoch
 *
 * A lone voter goes from unattached to leader within one step. Observers know two roles, unattached and follower.
 *
 * Invariants: the epoch never falls; one vote per epoch; the high watermark never falls; whatever a step changes in epoch, vote
 * or leader is persisted before its other effects (`step` sees to that for all rules at once).
 */
import {
  adoptLeader,
  onBeginQuorumEpoch,
  onEndQuorumEpoch,
  onFetchFailed,
  onFetchResponse,
  onFetchTimer,
  onNodeEnded,
  onRetryFetchTimer,
  onSnapshot,
  onStored,
  retryFetchSoon,
} from './follower.ts'
import { decide, onElectionTimer, onVoteCounted, onVoteUnanswered, run } from './election.ts'
import { advance, onBeginEpochTimer, onCheckQuorumTimer, onFetchRequest, onContact } from './leader.ts'
import { becomeCandidate, becomeFollower, becomeResigned, becomeUnattached, sendVotes } from './transitions.ts'
import { Turn } from './turn.ts'
import type { ElectionState, LogFacts, QuorumConfig, QuorumEvent, QuorumState, QuorumStep, TimerName, VoterSet } from './types.ts'
import { onVoteRequest } from './vote-rules.ts'

const VOTE_RETRY_MS = 20
const START_STEP_MS = 150

/** The state of a replica that has read its files and not yet started. */
export function initialQuorumState(config: QuorumConfig, voters: VoterSet, election: ElectionState): QuorumState {
  return {
    config,
    voters,
    epoch: election.epoch,
    leaderId: election.leaderId,
    votedFor: election.votedFor,
    highWatermark: -1,
    fetchSequence: 0,
    role: { name: 'unattached', probes: 0 },
  }
}

export function step(state: QuorumState, event: QuorumEvent, log: LogFacts, nowMs: number): QuorumStep {
  const turn = new Turn(state, log, nowMs)
  handle(turn, event)
  return { state: turn.state, effects: withBookkeeping(state, turn) }
}

function handle(turn: Turn, event: QuorumEvent): void {
  switch (event.type) {
    case 'start':
      return onStart(turn)
    case 'timer':
      return onTimer(turn, event.timer)
    case 'request':
      return onRequest(turn, event)
    case 'response':
      return onResponse(turn, event)
    case 'flushed':
    case 'logChanged':
      if (turn.state.role.name === 'follower') return onStored(turn, turn.state.role)
      return advance(turn)
    case 'contact':
      return onContact(turn, event)
    case 'snapshotPart':
    case 'snapshotFetched':
    case 'snapshotFailed':
      return onSnapshot(turn, event)
    case 'nodeEnded':
      return onNodeEnded(turn, event.nodeId)
    case 'resign':
      if (turn.state.role.name === 'leader') becomeResigned(turn, turn.state.role)
      return
  }
}

function onStart(turn: Turn): void {
  const { epoch, leaderId, votedFor, voters } = turn.state
  if (turn.isVoter && voters.length === 1) {
    becomeCandidate(turn, 0)
    return decide(turn)
  }
  const led = leaderId === turn.selfId
  if (leaderId !== null && !led) {
    becomeFollower(turn, { epoch, leaderId })
    if (turn.isVoter) turn.emit({ type: 'timer', timer: 'fetch', ...patienceAtStart(turn) })
    return
  }
  // Having led before a restart is no leadership: the vote for ourselves stays, the claim goes.
  becomeUnattached(turn, { epoch, votedFor })
  // Nobody need wait for a time-out when the others are likely to wait for us: the one who led last, or, in a quorum that
  // never had a leader, the first voter named at format time. The pre-vote keeps this from disturbing a quorum that works.
  const isFirstStart = epoch === 0 && turn.log.endOffset === 0 && voters[0]?.id === turn.selfId
  if (!turn.isVoter) return
  if (led || isFirstStart) run(turn, 0)
  else turn.emit({ type: 'timer', timer: 'election', ...patienceAtStart(turn) })
}

/** How long a voter that has just started waits to hear of a leader, before it asks for votes: one after another, soon. */
function patienceAtStart(turn: Turn): { readonly delayMs: number; readonly jitterMs: number } {
  const rank = turn.state.voters.findIndex(({ id }) => id === turn.selfId)
  return { delayMs: (rank + 1) * START_STEP_MS, jitterMs: START_STEP_MS }
}

function onTimer(turn: Turn, timer: TimerName): void {
  const { role } = turn.state
  switch (timer) {
    case 'election':
      return onElectionTimer(turn)
    case 'fetch':
      return onFetchTimer(turn)
    case 'retryFetch':
      return onRetryFetchTimer(turn)
    case 'retryVote':
      return sendVotes(turn, { preVote: role.name === 'prospective' })
    case 'checkQuorum':
      if (role.name === 'leader') onCheckQuorumTimer(turn, role)
      return
    case 'beginEpoch':
      if (role.name === 'leader') onBeginEpochTimer(turn, role)
      return
  }
}

function onRequest(turn: Turn, { token, request }: Extract<QuorumEvent, { type: 'request' }>): void {
  switch (request.api) {
    case 'vote':
      return onVoteRequest(turn, token, request)
    case 'beginQuorumEpoch':
      return onBeginQuorumEpoch(turn, token, request)
    case 'endQuorumEpoch':
      return onEndQuorumEpoch(turn, token, request)
    case 'fetch':
      return onFetchRequest(turn, token, request)
  }
}

function onResponse(turn: Turn, { from, request, response }: Extract<QuorumEvent, { type: 'response' }>): void {
  const before = turn.state
  if (response !== null) {
    adoptLeader(turn, response, from)
    // A change of role has sent whatever comes next; the answer was to the former one.
    if (turn.state.role.name !== before.role.name || turn.state.epoch !== before.epoch) return
  }
  const { role } = turn.state
  switch (request.api) {
    case 'vote': {
      const isCurrent = (role.name === 'candidate' && !request.preVote) || (role.name === 'prospective' && request.preVote)
      if (!isCurrent || request.epoch !== turn.state.epoch) return
      if (response?.api === 'vote') return onVoteCounted(turn, role, from, response)
      turn.emit({ type: 'timer', timer: 'retryVote', delayMs: VOTE_RETRY_MS, jitterMs: VOTE_RETRY_MS })
      return onVoteUnanswered(turn, role, from)
    }
    case 'fetch':
      if (request.sequence !== turn.state.fetchSequence) return
      if (role.name === 'follower') {
        return response?.api === 'fetch' ? onFetchResponse(turn, role, response) : onFetchFailed(turn)
      }
      if (role.name === 'unattached') retryFetchSoon(turn)
      return
    case 'beginQuorumEpoch':
    case 'endQuorumEpoch':
      return
  }
}

/** What must hold after every step, whichever rule it was. */
function withBookkeeping(before: QuorumState, turn: Turn): QuorumStep['effects'] {
  const after = turn.state
  const electionChanged = before.epoch !== after.epoch || before.leaderId !== after.leaderId || before.votedFor !== after.votedFor
  const roleChanged = electionChanged || before.role.name !== after.role.name
  const { epoch, leaderId, votedFor } = after
  return [
    ...(electionChanged ? [{ type: 'persist', election: { epoch, leaderId, votedFor } } as const] : []),
    ...turn.effects,
    ...(roleChanged ? [{ type: 'roleChanged' } as const] : []),
  ]
}
