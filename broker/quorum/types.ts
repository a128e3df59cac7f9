/**
 * The vocabulary of the controller quorum: what happens to a replica of the metadata log (events), what it asks its driver
 * to do (effects), and what it knows (its state). The rules are in quorum-machine.ts and one file per role.
 *
 * Contract with the driver:
 * - events are stepped one at a time; the effects of one step are carried out in order before the next event is stepped;
 * - `persist` is on stable storage before any effect behind it is carried out, so a vote is never answered and then forgotten;
 * - `send` and `reply` do not wait; an answer, a failure or a time-out comes back as a `response` event;
 * - a `timer` replaces the one of its name; a fired timer that was replaced or cleared meanwhile yields no event.
 */

/** A replica: its node id and the id of the log directory it keeps the metadata log in. */
export interface ReplicaKey {
  readonly id: number
  readonly directoryId: string
}

export type VoterSet = readonly ReplicaKey[]

/** Directory id of a replica that did not say; matches any. */
export const UNKNOWN_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'
export const NO_NODE = -1

export interface QuorumConfig {
  readonly self: ReplicaKey
  readonly clusterId: string
  readonly electionTimeoutMs: number
  readonly fetchTimeoutMs: number
  readonly electionBackoffMaxMs: number
}

/** Kafka's defaults. */
export const QUORUM_TIMEOUTS = { electionTimeoutMs: 1000, fetchTimeoutMs: 2000, electionBackoffMaxMs: 1000 } as const

/** What survives a restart; see election-state.ts for the file. */
export interface ElectionState {
  readonly epoch: number
  readonly leaderId: number | null
  readonly votedFor: ReplicaKey | null
}

export interface EpochEndOffset {
  readonly epoch: number
  readonly endOffset: number
}

/** Facts about the local metadata log at the moment of a step. Reading them has no effect. */
export interface LogFacts {
  /** Offset the next record gets. */
  readonly endOffset: number
  readonly startOffset: number
  /** Records below it are on stable storage. */
  readonly flushedOffset: number
  /** Epoch of the last batch, 0 for an empty log. */
  readonly lastEpoch: number
  /** End of the largest epoch not above `epoch`; null when the log holds none such. */
  endOffsetForEpoch(epoch: number): EpochEndOffset | null
  /** The newest snapshot, if any. */
  readonly latestSnapshot: SnapshotId | null
}

export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

// --------------------------------------------------------------------------------------------------------------- roles

export interface Unattached {
  readonly name: 'unattached'
  /** Voters asked so far who leads; they are asked in turn. */
  readonly probes: number
}

export interface Follower {
  readonly name: 'follower'
  readonly leaderId: number
  /** Whether the leader of this epoch ever answered a fetch: then it is alive for us, and no pre-vote is granted. */
  readonly hasFetched: boolean
  /** As the leader last said of a log that ours was a beginning of; ours follows once the records below it are stored. */
  readonly leaderHighWatermark: number
}

/** `silent`: the last request got no answer; the voter is asked again. */
export type VoteState = 'pending' | 'silent' | 'granted' | 'refused'

/** Asking whether an election would succeed, before disturbing anyone with a new epoch (KIP-996). */
export interface Prospective {
  readonly name: 'prospective'
  readonly votes: ReadonlyMap<number, VoteState>
  /** Elections lost in a row, for the back-off. */
  readonly retries: number
}

export interface Candidate {
  readonly name: 'candidate'
  readonly votes: ReadonlyMap<number, VoteState>
  readonly retries: number
}

export interface ReplicaProgress {
  readonly key: ReplicaKey
  /** Every record below it is on the replica's stable storage: its last fetch offset. */
  readonly endOffset: number
  /** -1 for never. */
  readonly lastFetchMs: number
  /** Of any request of this epoch that found a leader here: a fetch of the log, also one it was refused, or of a snapshot. */
  readonly lastContactMs: number
  readonly lastCaughtUpMs: number
  /** The leader's end offset at the replica's last fetch: reaching it later proves it was caught up then. */
  readonly leaderEndOffsetAtLastFetch: number
}

export interface Leader {
  readonly name: 'leader'
  /** Offset of the LeaderChange record this leadership began with. */
  readonly epochStartOffset: number
  /** The other voters. */
  readonly voters: ReadonlyMap<number, ReplicaProgress>
  readonly observers: ReadonlyMap<number, ReplicaProgress>
  readonly grantingVoters: readonly number[]
  /** Monotonic time. A leader that no majority has been in contact with for long enough, counted from here, steps down. */
  readonly sinceMs: number
}

/** Was leader, gave it up; votes for nobody in this epoch. */
export interface Resigned {
  readonly name: 'resigned'
  readonly preferredSuccessors: readonly number[]
}

export type Role = Unattached | Follower | Prospective | Candidate | Leader | Resigned
export type RoleName = Role['name']

export interface QuorumState {
  readonly config: QuorumConfig
  readonly voters: VoterSet
  readonly epoch: number
  /** Of this epoch, if known; kept while prospective, so that a failed pre-vote can go back to following. */
  readonly leaderId: number | null
  readonly votedFor: ReplicaKey | null
  /** Never falls. -1 until known. */
  readonly highWatermark: number
  /** Of the newest fetch sent. */
  readonly fetchSequence: number
  readonly role: Role
}

// -------------------------------------------------------------------------------------------------------------- events

export interface VoteRequest {
  readonly api: 'vote'
  readonly clusterId: string | null
  /** The voter it is meant for. */
  readonly voter: ReplicaKey
  readonly candidate: ReplicaKey
  readonly epoch: number
  readonly lastEpoch: number
  readonly lastOffset: number
  readonly preVote: boolean
}

export interface BeginQuorumEpochRequest {
  readonly api: 'beginQuorumEpoch'
  readonly clusterId: string | null
  readonly voter: ReplicaKey
  readonly leaderId: number
  readonly epoch: number
}

export interface EndQuorumEpochRequest {
  readonly api: 'endQuorumEpoch'
  readonly clusterId: string | null
  readonly leaderId: number
  readonly epoch: number
  /** Best first. */
  readonly preferredCandidates: readonly number[]
}

export interface FetchRequest {
  readonly api: 'fetch'
  readonly clusterId: string | null
  readonly replica: ReplicaKey
  readonly epoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  /** The follower's own; the leader answers at once when it knows a higher one. */
  readonly highWatermark: number
  /** How long the answer may wait for something new. */
  readonly maxWaitMs: number
  /** Not sent: only the answer to the newest fetch counts, so that nothing is appended twice. */
  readonly sequence: number
}

export type QuorumRequest = VoteRequest | BeginQuorumEpochRequest | EndQuorumEpochRequest | FetchRequest

interface ResponseHead {
  readonly errorCode: number
  /** What the answering replica knows. */
  readonly leaderId: number | null
  readonly epoch: number
}

export interface VoteResponse extends ResponseHead {
  readonly api: 'vote'
  readonly voteGranted: boolean
}
export interface BeginQuorumEpochResponse extends ResponseHead {
  readonly api: 'beginQuorumEpoch'
}
export interface EndQuorumEpochResponse extends ResponseHead {
  readonly api: 'endQuorumEpoch'
}
export interface FetchResponse extends ResponseHead {
  readonly api: 'fetch'
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly diverging: EpochEndOffset | null
  readonly snapshot: SnapshotId | null
  /** Whole record batches, back to back. */
  readonly records: Buffer
}

export type QuorumResponse = VoteResponse | BeginQuorumEpochResponse | EndQuorumEpochResponse | FetchResponse

export type TimerName = 'election' | 'fetch' | 'checkQuorum' | 'beginEpoch' | 'retryFetch' | 'retryVote'

export type QuorumEvent =
  | { readonly type: 'start' }
  | { readonly type: 'timer'; readonly timer: TimerName }
  /** `token` comes back in the `reply` or `serveFetch` effect. */
  | { readonly type: 'request'; readonly token: number; readonly request: QuorumRequest }
  /** `response` is null when none came: refused, cut, or late. */
  | { readonly type: 'response'; readonly from: number; readonly request: QuorumRequest; readonly response: QuorumResponse | null }
  /** The local log is on stable storage up to `endOffset`, as leader after an append or as follower after a fetch. */
  | { readonly type: 'flushed'; readonly endOffset: number }
  /** The local log was cut or replaced as a `truncate` or `installSnapshot` effect asked. */
  | { readonly type: 'logChanged' }
  /** As leader of its epoch this node was asked for part of a snapshot: who asks is alive. */
  | { readonly type: 'contact'; readonly epoch: number; readonly replica: ReplicaKey }
  /** Part of the snapshot being fetched has come: its sender is alive. */
  | { readonly type: 'snapshotPart'; readonly from: number }
  /** The snapshot is here, stored and whole, and not yet in use. */
  | { readonly type: 'snapshotFetched'; readonly from: number; readonly snapshot: SnapshotId }
  | { readonly type: 'snapshotFailed'; readonly from: number }
  /** Someone saw that node's process end. It only makes waiting shorter: whatever it says, safety does not rest on it. */
  | { readonly type: 'nodeEnded'; readonly nodeId: number }
  /** Give up leadership, if held: a clean stop. */
  | { readonly type: 'resign' }

// ------------------------------------------------------------------------------------------------------------- effects

export type QuorumEffect =
  | { readonly type: 'persist'; readonly election: ElectionState }
  | { readonly type: 'send'; readonly to: number; readonly request: QuorumRequest }
  | { readonly type: 'reply'; readonly token: number; readonly response: QuorumResponse }
  /** The fetch is valid: answer with what lies at `fromOffset`, now or when there is something or the wait is over. */
  | { readonly type: 'serveFetch'; readonly token: number; readonly request: FetchRequest }
  /** Fires once, after `delayMs` plus a random part of `jitterMs`. */
  | { readonly type: 'timer'; readonly timer: TimerName; readonly delayMs: number; readonly jitterMs: number }
  | { readonly type: 'clearTimers' }
  /** As a new leader: append the LeaderChange record that opens the epoch. */
  | { readonly type: 'appendLeaderChange'; readonly epoch: number; readonly grantingVoters: readonly number[] }
  /** As a follower: append what the leader sent, flush it, then report `flushed`. */
  | { readonly type: 'appendFetched'; readonly records: Buffer }
  /** Cut the log there, then report `logChanged`. */
  | { readonly type: 'truncate'; readonly toOffset: number }
  /** Fetch that snapshot from the leader, in place of any other being fetched, and report how that goes; meanwhile all else goes on. */
  | { readonly type: 'fetchSnapshot'; readonly from: number; readonly snapshot: SnapshotId }
  /** Replace the log and the state made from it by a snapshot that was fetched, then report `logChanged`. */
  | { readonly type: 'installSnapshot'; readonly snapshot: SnapshotId }
  | { readonly type: 'highWatermark'; readonly offset: number }
  /** The role, the epoch or the known leader changed. */
  | { readonly type: 'roleChanged' }

export interface QuorumStep {
  readonly state: QuorumState
  readonly effects: readonly QuorumEffect[]
}
