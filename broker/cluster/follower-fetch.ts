/**
 * What a follower asks its leader for, and what it does with the answer (KIP-101, KIP-279, KIP-595). Pure.
 *
 * The follower names the offset it wants and the epoch of the record before it. Where the leader's log parts from that,
 * the leader names its own last epoch at or below and where that ended; the follower cuts its log to where both agree at
 * most, and asks again: every round drops an epoch, so it ends.
 */
import type { EpochEndOffset } from '../log/types.ts'
import { ErrorCode } from '../wire/errors.ts'

/** What of a log is needed here. */
export interface FollowerLog {
  readonly logStartOffset: number
  readonly logEndOffset: number
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset
  epochForOffset(offset: number): number
}

export interface FetchPosition {
  readonly fetchOffset: number
  /** -1 when the log holds no record. */
  readonly lastFetchedEpoch: number
}

export interface LeaderAnswer {
  readonly errorCode: number
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number }
}

export type FollowerStep =
  /** Append what came, take over high watermark and log start. */
  | { readonly kind: 'append' }
  /** Remove everything at and above `offset`. */
  | { readonly kind: 'truncate'; readonly offset: number }
  /** The leader has nothing left of what comes next: continue at its log start. */
  | { readonly kind: 'startOver' }
  /** Leader and follower know different epochs: one of them gets the news in a moment. */
  | { readonly kind: 'retrySoon' }
  /** Asking again at once would be pointless. */
  | { readonly kind: 'retryLater' }

/** Errors that mean that this broker or its leader is behind in the metadata. */
const staleMetadata: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.LEADER_NOT_AVAILABLE,
])

export function fetchPosition(log: FollowerLog): FetchPosition {
  const { logStartOffset, logEndOffset } = log
  const lastFetchedEpoch = logEndOffset > logStartOffset ? log.epochForOffset(logEndOffset - 1) : -1
  return { fetchOffset: logEndOffset, lastFetchedEpoch }
}

export function stepAfter({ errorCode, divergingEpoch }: LeaderAnswer, log: FollowerLog): FollowerStep {
  if (staleMetadata.has(errorCode)) return { kind: 'retrySoon' }
  if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return { kind: 'startOver' }
  if (errorCode !== ErrorCode.NONE) return { kind: 'retryLater' }
  if (divergingEpoch.endOffset < 0) return { kind: 'append' }
  return { kind: 'truncate', offset: truncationOffset(divergingEpoch, log) }
}

function truncationOffset({ epoch, endOffset }: LeaderAnswer['divergingEpoch'], log: FollowerLog): number {
  const own = log.endOffsetForEpoch(epoch)
  const agreedEnd = own.endOffset < 0 ? endOffset : Math.min(endOffset, own.endOffset)
  return Math.min(agreedEnd, log.logEndOffset)
}
