/**
 * What changed in the controller quorum between two answers. Pure.
 *
 *   led   -> quiet: no leader is told
 *   quiet -> led:   one is told. In a newer epoch: an election
 *   quiet -> lost:  still none after `lostAfterMs`: told once, as of the moment it fell quiet
 *   lost  -> led:   the quorum returned
 *
 * An election leaves a quorum without a leader for a moment; that is no loss. A leader of an older epoch than the last one known comes from
 * somebody who has not heard, and is not believed.
 */
export const lostAfterMs = 3_000

export interface QuorumTracking {
  readonly leaderId: number | null
  readonly leaderEpoch: number
  /** Since when there is no leader; `null` while there is one. */
  readonly quietSinceMs: number | null
  readonly isLost: boolean
}

export type QuorumChange =
  | {
      readonly kind: 'controller-elected'
      readonly from: number | null
      readonly to: number
      readonly epoch: number
      readonly atMs: number
    }
  | { readonly kind: 'quorum-lost'; readonly from: number | null; readonly epoch: number; readonly atMs: number }
  | {
      readonly kind: 'quorum-returned'
      readonly from: number | null
      readonly to: number
      readonly epoch: number
      readonly quietMs: number
      readonly atMs: number
    }

export interface QuorumAnswer {
  readonly leaderId: number | null
  readonly leaderEpoch: number | null
}

/** `tracking: null`: nothing is known yet, so the answer is where it begins. */
export function followQuorum(
  tracking: QuorumTracking | null,
  answer: QuorumAnswer,
  atMs: number,
): { readonly tracking: QuorumTracking | null; readonly change: QuorumChange | null } {
  const { leaderId } = answer
  const epoch = answer.leaderEpoch ?? tracking?.leaderEpoch ?? -1
  if (tracking === null) {
    return { tracking: leaderId === null ? null : { leaderId, leaderEpoch: epoch, quietSinceMs: null, isLost: false }, change: null }
  }
  if (leaderId === null) return withoutLeader(tracking, atMs)
  if (epoch < tracking.leaderEpoch) return { tracking, change: null }
  const next = { leaderId, leaderEpoch: epoch, quietSinceMs: null, isLost: false }
  if (tracking.isLost) {
    const quietMs = Math.max(0, atMs - (tracking.quietSinceMs ?? atMs))
    return { tracking: next, change: { kind: 'quorum-returned', from: tracking.leaderId, to: leaderId, epoch, quietMs, atMs } }
  }
  const isElection = epoch > tracking.leaderEpoch || leaderId !== tracking.leaderId
  return {
    tracking: next,
    change: isElection ? { kind: 'controller-elected', from: tracking.leaderId, to: leaderId, epoch, atMs } : null,
  }
}

function withoutLeader(tracking: QuorumTracking, atMs: number): { tracking: QuorumTracking; change: QuorumChange | null } {
  const quietSinceMs = tracking.quietSinceMs ?? atMs
  if (tracking.isLost || atMs - quietSinceMs < lostAfterMs) return { tracking: { ...tracking, quietSinceMs }, change: null }
  return {
    tracking: { ...tracking, quietSinceMs, isLost: true },
    change: { kind: 'quorum-lost', from: tracking.leaderId, epoch: tracking.leaderEpoch, atMs: quietSinceMs },
  }
}
