/** How each role is entered. What happens within one is in the file of its name. */
import { majorityOf } from './voter-set.ts'
import type { Turn } from './turn.ts'
import type { Candidate, Leader, ReplicaKey, ReplicaProgress, VoteState } from './types.ts'

/** Base of the exponential back-off after a lost election. */
const ELECTION_BACKOFF_BASE_MS = 50
const BACKOFF_DOUBLINGS_MAX = 10
/** A leader with nothing new answers after this long, which is how its followers know it is alive. */
const FETCH_MAX_WAIT_MS = 500

export interface UnattachedOptions {
  readonly epoch: number
  readonly votedFor: ReplicaKey | null
}

export function becomeUnattached(turn: Turn, { epoch, votedFor }: UnattachedOptions): void {
  turn.enter({ name: 'unattached', probes: 0 }, { epoch, leaderId: null, votedFor })
  startElectionTimer(turn)
  probeForLeader(turn)
}

export function becomeFollower(turn: Turn, { epoch, leaderId }: { readonly epoch: number; readonly leaderId: number }): void {
  // The vote of this very epoch must not be forgotten: a leader once known excludes voting again only while it is remembered.
  const votedFor = epoch === turn.state.epoch ? turn.state.votedFor : null
  const role = { name: 'follower', leaderId, hasFetched: false, leaderHighWatermark: -1 } as const
  turn.enter(role, { epoch, leaderId, votedFor })
  startFetchTimer(turn)
  sendFetch(turn, leaderId)
}

export function becomeProspective(turn: Turn, retries: number): void {
  const { epoch, leaderId, votedFor } = turn.state
  turn.enter({ name: 'prospective', votes: ownVote(turn), retries }, { epoch, leaderId, votedFor })
  startElectionTimer(turn)
  sendVotes(turn, { preVote: true })
}

export function becomeCandidate(turn: Turn, retries: number): void {
  turn.enter(
    { name: 'candidate', votes: ownVote(turn), retries },
    { epoch: turn.state.epoch + 1, leaderId: null, votedFor: turn.state.config.self },
  )
  startElectionTimer(turn)
  sendVotes(turn, { preVote: false })
}

export function becomeLeader(turn: Turn, grantingVoters: readonly number[]): void {
  const { epoch, votedFor } = turn.state
  const role: Leader = {
    name: 'leader',
    epochStartOffset: turn.log.endOffset,
    voters: new Map(turn.otherVoters.map((key) => [key.id, noProgress(key)])),
    observers: new Map(),
    grantingVoters,
    sinceMs: turn.nowMs,
  }
  turn.enter(role, { epoch, leaderId: turn.selfId, votedFor })
  turn.emit({ type: 'appendLeaderChange', epoch, grantingVoters })
  if (turn.otherVoters.length === 0) return
  announceLeadership(turn, turn.otherVoters)
  turn.emit({ type: 'timer', timer: 'checkQuorum', delayMs: checkQuorumMs(turn), jitterMs: 0 })
}

/** Gives leadership up and tells the voters who should run first: those with the longest logs. */
export function becomeResigned(turn: Turn, leader: Leader): void {
  const successors = [...leader.voters.values()].sort((one, other) => other.endOffset - one.endOffset).map(({ key }) => key.id)
  const { epoch, votedFor, config } = turn.state
  turn.enter({ name: 'resigned', preferredSuccessors: successors }, { epoch, leaderId: turn.selfId, votedFor })
  startElectionTimer(turn)
  for (const voter of turn.otherVoters) {
    const request = {
      api: 'endQuorumEpoch',
      clusterId: config.clusterId,
      leaderId: turn.selfId,
      epoch,
      preferredCandidates: successors,
    } as const
    turn.emit({ type: 'send', to: voter.id, request })
  }
}

// ----------------------------------------------------------------------------------------------- what the roles ask for

export function sendVotes(turn: Turn, { preVote }: { readonly preVote: boolean }): void {
  const { role, config, epoch } = turn.state
  if (role.name !== 'prospective' && role.name !== 'candidate') return
  for (const voter of turn.otherVoters) {
    if (!isOutstanding(role.votes.get(voter.id))) continue
    const request = {
      api: 'vote',
      clusterId: config.clusterId,
      voter,
      candidate: config.self,
      epoch,
      lastEpoch: turn.log.lastEpoch,
      lastOffset: turn.log.endOffset,
      preVote,
    } as const
    turn.emit({ type: 'send', to: voter.id, request })
  }
}

export function sendFetch(turn: Turn, to: number, maxWaitMs: number = FETCH_MAX_WAIT_MS): void {
  const { config, epoch, highWatermark } = turn.state
  const sequence = turn.state.fetchSequence + 1
  turn.state = { ...turn.state, fetchSequence: sequence }
  const request = {
    api: 'fetch',
    clusterId: config.clusterId,
    replica: config.self,
    epoch,
    fetchOffset: turn.log.endOffset,
    lastFetchedEpoch: turn.log.lastEpoch,
    highWatermark,
    maxWaitMs,
    sequence,
  } as const
  turn.emit({ type: 'send', to, request })
}

/** Who leads? Any voter can say, at once; the next one is asked each time. */
export function probeForLeader(turn: Turn): void {
  const { role } = turn.state
  if (role.name !== 'unattached') return
  const others = turn.otherVoters
  const asked = others[role.probes % Math.max(others.length, 1)]
  if (asked === undefined) return
  turn.update({ ...role, probes: role.probes + 1 })
  sendFetch(turn, asked.id, 0)
}

/** Tells those voters who leads now, and keeps telling those that do not fetch. */
export function announceLeadership(turn: Turn, voters: readonly ReplicaKey[]): void {
  const { config, epoch } = turn.state
  for (const voter of voters) {
    const request = { api: 'beginQuorumEpoch', clusterId: config.clusterId, voter, leaderId: turn.selfId, epoch } as const
    turn.emit({ type: 'send', to: voter.id, request })
  }
  turn.emit({ type: 'timer', timer: 'beginEpoch', delayMs: config.fetchTimeoutMs / 2, jitterMs: 0 })
}

export function startElectionTimer(turn: Turn): void {
  if (!turn.isVoter) return
  const { electionTimeoutMs } = turn.state.config
  turn.emit({ type: 'timer', timer: 'election', delayMs: electionTimeoutMs, jitterMs: electionTimeoutMs })
}

export function startFetchTimer(turn: Turn): void {
  turn.emit({ type: 'timer', timer: 'fetch', delayMs: turn.state.config.fetchTimeoutMs, jitterMs: 0 })
}

export function startElectionBackoff(turn: Turn, retries: number): void {
  const jitterMs = Math.min(
    ELECTION_BACKOFF_BASE_MS * 2 ** Math.min(retries, BACKOFF_DOUBLINGS_MAX),
    turn.state.config.electionBackoffMaxMs,
  )
  turn.emit({ type: 'timer', timer: 'election', delayMs: 0, jitterMs })
}

export function checkQuorumMs(turn: Turn): number {
  return turn.state.config.fetchTimeoutMs * 1.5
}

export function hasMajority(turn: Turn, votes: ReadonlyMap<number, VoteState>, of: VoteState): boolean {
  return [...votes.values()].filter((vote) => vote === of).length >= majorityOf(turn.state.voters)
}

/** Enough refusals that no majority can come any more. */
export function isLost(turn: Turn, votes: ReadonlyMap<number, VoteState>): boolean {
  const refused = [...votes.values()].filter((vote) => vote === 'refused').length
  return turn.state.voters.length - refused < majorityOf(turn.state.voters)
}

/** It may still be granted. */
export function isOutstanding(vote: VoteState | undefined): boolean {
  return vote === 'pending' || vote === 'silent'
}

/** Somebody alive wants another, and of the rest nobody answers: waiting for them may be waiting for the dead. */
export function isSplit({ votes }: Candidate): boolean {
  const others = [...votes.values()]
  return others.includes('refused') && !others.includes('pending')
}

function ownVote(turn: Turn): ReadonlyMap<number, VoteState> {
  return new Map(turn.state.voters.map(({ id }) => [id, id === turn.selfId ? 'granted' : 'pending'] as const))
}

function noProgress(key: ReplicaKey): ReplicaProgress {
  return { key, endOffset: 0, lastFetchMs: -1, lastContactMs: -1, lastCaughtUpMs: -1, leaderEndOffsetAtLastFetch: -1 }
}
