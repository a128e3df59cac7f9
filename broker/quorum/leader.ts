/**
 * The leader of an epoch: answers fetches, learns from them what each voter has stored, and commits what a majority has.
 *
 * Invariant: the high watermark moves only past records of the leader's own epoch (Raft 5.4.2): that a majority stores an
 * older epoch's record does not yet keep a later leader from overwriting it.
 */
import { ErrorCode } from '../wire/errors.ts'
import type { Turn } from './turn.ts'
import type { EpochEndOffset, FetchRequest, FetchResponse, Leader, ReplicaKey, ReplicaProgress, SnapshotId } from './types.ts'
import { announceLeadership, becomeResigned, checkQuorumMs } from './transitions.ts'
import { majorityOf, sameReplica } from './voter-set.ts'

/** Observers remembered for DescribeQuorum; the longest silent ones are forgotten first. */
const OBSERVERS_MAX = 256
const OBSERVER_SESSION_MS = 300_000

export function onFetchRequest(turn: Turn, token: number, request: FetchRequest): void {
  const { config, epoch, role } = turn.state
  if (request.clusterId !== null && request.clusterId !== config.clusterId) return refuse(turn, token, ErrorCode.INCONSISTENT_CLUSTER_ID)
  if (request.epoch < epoch) return refuse(turn, token, ErrorCode.FENCED_LEADER_EPOCH)
  if (request.epoch > epoch) return refuse(turn, token, ErrorCode.UNKNOWN_LEADER_EPOCH)
  if (role.name !== 'leader') return refuse(turn, token, ErrorCode.NOT_LEADER_OR_FOLLOWER)

  const { snapshot, diverging } = compareLogs(turn, request)
  if (snapshot !== null || diverging !== null) {
    noteContact(turn, role, request.replica)
    return reply(turn, token, { snapshot, diverging })
  }
  // A fetch beyond our end would claim records nobody wrote; the comparison above has excluded it.
  noteProgress(turn, role, request)
  advance(turn)
  turn.emit({ type: 'serveFetch', token, request })
}

/** Where the fetcher's log leaves ours: it must cut its own, or restart from a snapshot. */
function compareLogs(
  turn: Turn,
  { fetchOffset, lastFetchedEpoch }: FetchRequest,
): { readonly snapshot: SnapshotId | null; readonly diverging: EpochEndOffset | null } {
  const { log } = turn
  if (fetchOffset === 0 && log.startOffset === 0) return { snapshot: null, diverging: null }
  if (fetchOffset < log.startOffset) {
    if (log.latestSnapshot === null) throw new Error('the metadata log was cut at its start without a snapshot')
    return { snapshot: log.latestSnapshot, diverging: null }
  }
  const end = log.endOffsetForEpoch(lastFetchedEpoch)
  if (end === null) return { snapshot: log.latestSnapshot, diverging: log.latestSnapshot === null ? { epoch: 0, endOffset: 0 } : null }
  const isPrefix = end.epoch === lastFetchedEpoch && fetchOffset <= end.endOffset
  return { snapshot: null, diverging: isPrefix ? null : end }
}

function noteProgress(turn: Turn, role: Leader, request: FetchRequest): void {
  const { replica, fetchOffset } = request
  const known = role.voters.get(replica.id)
  if (known !== undefined && sameReplica(known.key, replica)) {
    return turn.update({ ...role, voters: new Map(role.voters).set(replica.id, progressed(turn, known, request)) })
  }
  if (replica.id < 0) return
  const before = role.observers.get(replica.id) ?? {
    key: replica,
    endOffset: fetchOffset,
    lastFetchMs: -1,
    lastContactMs: -1,
    lastCaughtUpMs: -1,
    leaderEndOffsetAtLastFetch: -1,
  }
  const recent = [...role.observers].filter(([id, { lastFetchMs }]) => id !== replica.id && turn.nowMs - lastFetchMs < OBSERVER_SESSION_MS)
  const kept = recent.slice(-(OBSERVERS_MAX - 1))
  turn.update({ ...role, observers: new Map([...kept, [replica.id, progressed(turn, { ...before, key: replica }, request)]]) })
}

function progressed(turn: Turn, before: ReplicaProgress, { fetchOffset }: FetchRequest): ReplicaProgress {
  const { nowMs, log } = turn
  let { lastCaughtUpMs } = before
  if (fetchOffset >= log.endOffset) lastCaughtUpMs = nowMs
  else if (before.leaderEndOffsetAtLastFetch >= 0 && fetchOffset >= before.leaderEndOffsetAtLastFetch) {
    lastCaughtUpMs = Math.max(lastCaughtUpMs, before.lastFetchMs)
  }
  return {
    key: before.key,
    endOffset: fetchOffset,
    lastFetchMs: nowMs,
    lastContactMs: nowMs,
    lastCaughtUpMs,
    leaderEndOffsetAtLastFetch: log.endOffset,
  }
}

/** A voter that takes long over a snapshot fetches no log meanwhile, and follows this leader all the same (KIP-853). */
export function onContact(turn: Turn, { epoch, replica }: { readonly epoch: number; readonly replica: ReplicaKey }): void {
  const { role } = turn.state
  if (role.name === 'leader' && epoch === turn.state.epoch) noteContact(turn, role, replica)
}

function noteContact(turn: Turn, role: Leader, replica: ReplicaKey): void {
  const known = role.voters.get(replica.id)
  if (known === undefined || !sameReplica(known.key, replica)) return
  turn.update({ ...role, voters: new Map(role.voters).set(replica.id, { ...known, lastContactMs: turn.nowMs }) })
}

/** Commits what a majority has stored, ourselves included as far as our own disk has it. */
export function advance(turn: Turn): void {
  const { role, voters } = turn.state
  if (role.name !== 'leader') return
  const stored = [turn.log.flushedOffset, ...[...role.voters.values()].map(({ endOffset }) => endOffset)].sort((one, other) => other - one)
  const byMajority = stored[majorityOf(voters) - 1]
  if (byMajority !== undefined && byMajority > role.epochStartOffset) turn.advanceHighWatermark(byMajority)
}

/** A leader cut off from a majority can commit nothing and must not keep clients waiting: it steps down. */
export function onCheckQuorumTimer(turn: Turn, role: Leader): void {
  const silentForMs = turn.nowMs - lastMajorityMs(turn, role)
  const allowedMs = checkQuorumMs(turn)
  if (silentForMs >= allowedMs) becomeResigned(turn, role)
  else turn.emit({ type: 'timer', timer: 'checkQuorum', delayMs: allowedMs - silentForMs, jitterMs: 0 })
}

/** The latest time by which a majority, this node included, had been in contact. */
function lastMajorityMs(turn: Turn, role: Leader): number {
  const contacts = [...role.voters.values()].map(({ lastContactMs }) => lastContactMs).sort((one, other) => other - one)
  const needed = majorityOf(turn.state.voters) - 1
  return Math.max(role.sinceMs, contacts[needed - 1] ?? -1)
}

export function onBeginEpochTimer(turn: Turn, role: Leader): void {
  const silentSinceMs = turn.nowMs - turn.state.config.fetchTimeoutMs / 2
  const silent = [...role.voters.values()].filter(({ lastContactMs }) => lastContactMs <= silentSinceMs).map(({ key }) => key)
  announceLeadership(turn, silent)
}

function refuse(turn: Turn, token: number, errorCode: ErrorCode): void {
  reply(turn, token, { errorCode })
}

function reply(turn: Turn, token: number, fields: Partial<FetchResponse>): void {
  const { leaderId, epoch, highWatermark } = turn.state
  const response: FetchResponse = {
    api: 'fetch',
    errorCode: ErrorCode.NONE,
    leaderId,
    epoch,
    highWatermark,
    logStartOffset: turn.log.startOffset,
    diverging: null,
    snapshot: null,
    records: Buffer.alloc(0),
    ...fields,
  }
  turn.emit({ type: 'reply', token, response })
}
