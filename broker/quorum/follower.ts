/**
 * A replica that knows its leader: it fetches, stores, and fetches again; the next fetch tells the leader what is stored.
 * Observers are followers that never run. Unattached replicas fetch too, from anyone, to learn who leads.
 */
import { ErrorCode } from '../wire/errors.ts'
import type { Turn } from './turn.ts'
import type { BeginQuorumEpochRequest, EndQuorumEpochRequest, EpochEndOffset, FetchResponse, Follower, QuorumEvent } from './types.ts'
import { run } from './election.ts'
import { becomeFollower, becomeUnattached, probeForLeader, sendFetch, startFetchTimer } from './transitions.ts'
import { sameReplica } from './voter-set.ts'

/** Between a fetch that failed and the next. */
export const FETCH_RETRY_MS = 20
/** A hint that the leader ended lets its followers run after at most this long, not all at once. */
const HINTED_ELECTION_JITTER_MS = 40
const SUCCESSION_STEP_MS = 100

export function onFetchResponse(turn: Turn, role: Follower, response: FetchResponse): void {
  if (response.errorCode !== ErrorCode.NONE) return retryFetchSoon(turn)
  startFetchTimer(turn)
  // Until the leader has found that our log is a beginning of its own, its high watermark says nothing about our records: one cut
  // may not be enough, and what lies below it may still be another leader's.
  const isPrefix = response.diverging === null && response.snapshot === null
  const leaderHighWatermark = isPrefix ? Math.max(role.leaderHighWatermark, response.highWatermark) : role.leaderHighWatermark
  const followed = { ...role, hasFetched: true, leaderHighWatermark }
  turn.update(followed)
  if (response.diverging !== null) {
    turn.emit({ type: 'truncate', toOffset: truncationOffset(turn, response.diverging) })
  } else if (response.snapshot !== null) {
    turn.emit({ type: 'fetchSnapshot', from: role.leaderId, snapshot: response.snapshot })
  } else if (response.records.length > 0) {
    turn.emit({ type: 'appendFetched', records: response.records })
  } else {
    onStored(turn, followed)
  }
}

/** The log is stored as far as it goes: take over the high watermark and ask for more. */
export function onStored(turn: Turn, role: Follower): void {
  turn.advanceHighWatermark(Math.min(role.leaderHighWatermark, turn.log.endOffset))
  sendFetch(turn, role.leaderId)
}

/** News of a snapshot being fetched; of no concern to one that follows someone else by now. */
export function onSnapshot(turn: Turn, event: Extract<QuorumEvent, { readonly type: `snapshot${string}` }>): void {
  const { role, highWatermark } = turn.state
  if (role.name !== 'follower' || role.leaderId !== event.from) return
  if (event.type === 'snapshotFailed') return onFetchFailed(turn)
  startFetchTimer(turn)
  if (event.type === 'snapshotPart') return
  // What we know to be committed by now is not to be had for less.
  if (event.snapshot.endOffset <= highWatermark) return sendFetch(turn, role.leaderId)
  turn.emit({ type: 'installSnapshot', snapshot: event.snapshot })
  turn.advanceHighWatermark(event.snapshot.endOffset)
}

/** Where our log and the leader's part. Throws rather than cut off a committed record. */
function truncationOffset(turn: Turn, diverging: EpochEndOffset): number {
  const local = turn.log.endOffsetForEpoch(diverging.epoch)
  const toOffset =
    local === null
      ? turn.log.startOffset
      : local.epoch === diverging.epoch
        ? Math.min(local.endOffset, diverging.endOffset)
        : local.endOffset
  if (toOffset < turn.state.highWatermark) {
    throw new Error(`the leader asks to cut the metadata log at ${toOffset}, below the high watermark ${turn.state.highWatermark}`)
  }
  return toOffset
}

/** No answer. A voter waits for its fetch timeout before it disturbs the quorum; an observer disturbs nobody by asking around. */
export function onFetchFailed(turn: Turn): void {
  if (!turn.isVoter) {
    const { epoch, votedFor } = turn.state
    turn.enter({ name: 'unattached', probes: turn.state.fetchSequence }, { epoch, leaderId: null, votedFor })
  }
  retryFetchSoon(turn)
}

export function retryFetchSoon(turn: Turn): void {
  turn.emit({ type: 'timer', timer: 'retryFetch', delayMs: FETCH_RETRY_MS, jitterMs: FETCH_RETRY_MS })
}

export function onRetryFetchTimer(turn: Turn): void {
  const { role } = turn.state
  if (role.name === 'follower') sendFetch(turn, role.leaderId)
  else if (role.name === 'unattached') probeForLeader(turn)
}

/** The leader has not answered for the fetch timeout: a voter runs, an observer looks for another. */
export function onFetchTimer(turn: Turn): void {
  if (turn.isVoter) return run(turn, 0)
  const { epoch, votedFor } = turn.state
  becomeUnattached(turn, { epoch, votedFor })
}

/** That node's process is said to have ended. If it leads us, stop counting on it; being wrong costs one election. */
export function onNodeEnded(turn: Turn, nodeId: number): void {
  const { role } = turn.state
  if (role.name === 'follower' && role.leaderId === nodeId) loseFaith(turn, role, { delayMs: 0, jitterMs: HINTED_ELECTION_JITTER_MS })
}

export function onBeginQuorumEpoch(turn: Turn, token: number, request: BeginQuorumEpochRequest): void {
  const error = voterRequestError(turn, request)
  if (error === ErrorCode.NONE) {
    if (!sameReplica(request.voter, turn.state.config.self) && request.voter.id !== -1) {
      return answer(turn, token, 'beginQuorumEpoch', ErrorCode.INVALID_VOTER_KEY)
    }
    adoptLeader(turn, request, request.leaderId)
  }
  answer(turn, token, 'beginQuorumEpoch', error)
}

export function onEndQuorumEpoch(turn: Turn, token: number, request: EndQuorumEpochRequest): void {
  const error = voterRequestError(turn, request)
  if (error === ErrorCode.NONE) {
    adoptLeader(turn, request, request.leaderId)
    const { role } = turn.state
    const rank = request.preferredCandidates.indexOf(turn.selfId)
    if (role.name === 'follower' && turn.isVoter && rank !== -1) {
      loseFaith(turn, role, { delayMs: rank * SUCCESSION_STEP_MS, jitterMs: rank === 0 ? 0 : SUCCESSION_STEP_MS })
    }
  }
  answer(turn, token, 'endQuorumEpoch', error)
}

/** Follows whom a message from node `from` names, unless that is already so, or is older than what we know. */
export function adoptLeader(turn: Turn, named: { readonly epoch: number; readonly leaderId: number | null }, from: number): void {
  const { epoch, leaderId } = named
  const { state } = turn
  if (epoch < state.epoch) return
  const isNewEpoch = epoch > state.epoch
  if (leaderId === null || leaderId === turn.selfId) {
    // Someone may remember us leading an epoch from before we restarted; we do not lead it any more.
    if (isNewEpoch) becomeUnattached(turn, { epoch, votedFor: null })
    return
  }
  const { role } = state
  if (!isNewEpoch) {
    if (role.name === 'leader' || role.name === 'resigned') {
      throw new Error(`node ${leaderId} claims to lead epoch ${epoch}, which this node was elected for`)
    }
    if (role.name === 'follower') {
      if (role.leaderId !== leaderId) throw new Error(`epoch ${epoch} has two leaders, ${role.leaderId} and ${leaderId}`)
      return
    }
    // A pre-vote is under way because that leader fell silent: hearing its name from others proves nothing new.
    if (role.name === 'prospective' && state.leaderId === leaderId && from !== leaderId) return
  }
  becomeFollower(turn, { epoch, leaderId })
}

function loseFaith(turn: Turn, role: Follower, wait: { readonly delayMs: number; readonly jitterMs: number }): void {
  turn.update({ ...role, hasFetched: false })
  turn.emit({ type: 'timer', timer: 'fetch', ...wait })
}

function voterRequestError(turn: Turn, request: { readonly clusterId: string | null; readonly epoch: number }): ErrorCode {
  const { config, epoch } = turn.state
  if (request.clusterId !== null && request.clusterId !== config.clusterId) return ErrorCode.INCONSISTENT_CLUSTER_ID
  return request.epoch < epoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.NONE
}

function answer(turn: Turn, token: number, api: 'beginQuorumEpoch' | 'endQuorumEpoch', errorCode: ErrorCode): void {
  const { leaderId, epoch } = turn.state
  turn.emit({ type: 'reply', token, response: { api, errorCode, leaderId, epoch } })
}
