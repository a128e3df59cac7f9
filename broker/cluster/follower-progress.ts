/**
 * What a leader knows of one follower, from its fetches of the present leader epoch alone. Immutable.
 *
 * A follower is caught up at a time when it then asked for the end of the leader's log, or for what was the end when it
 * asked the time before: one that fetches as fast as the leader appends counts as caught up although it never sees the end.
 */
export interface FollowerProgress {
  /** The follower holds everything below. 0 until it has fetched in this epoch. */
  readonly endOffset: number
  /** Where the follower's log starts; -1 until it has said. */
  readonly logStartOffset: number
  /** Of the broker that fetched (KIP-903); -1 until it has. */
  readonly brokerEpoch: number
  /** Monotonic; the latest time it is known to have had everything the leader had. */
  readonly caughtUpMs: number
  readonly fetchedMs: number
  readonly leaderEndWhenFetched: number
}

export interface FollowerFetch {
  readonly replicaId: number
  /** Epoch of the broker that fetches (KIP-903), -1 when its version of Fetch does not carry it. */
  readonly brokerEpoch: number
  readonly fetchOffset: number
  /** -1 when the follower does not say. */
  readonly logStartOffset: number
}

/** `caughtUpMs` is the start of the epoch for a member of the in-sync set, who is given the benefit of the doubt. */
export function unheardFollower(caughtUpMs: number): FollowerProgress {
  return { endOffset: 0, logStartOffset: -1, brokerEpoch: -1, caughtUpMs, fetchedMs: -Infinity, leaderEndWhenFetched: Infinity }
}

export function followerFetched(
  before: FollowerProgress,
  { fetchOffset, logStartOffset, brokerEpoch }: FollowerFetch,
  { leaderEnd, nowMs }: { readonly leaderEnd: number; readonly nowMs: number },
): FollowerProgress {
  let { caughtUpMs } = before
  if (fetchOffset >= leaderEnd) caughtUpMs = nowMs
  else if (fetchOffset >= before.leaderEndWhenFetched) caughtUpMs = Math.max(caughtUpMs, before.fetchedMs)
  return { endOffset: fetchOffset, logStartOffset, brokerEpoch, caughtUpMs, fetchedMs: nowMs, leaderEndWhenFetched: leaderEnd }
}

export function isCaughtUp(follower: FollowerProgress, leaderEnd: number, nowMs: number, lagTimeMaxMs: number): boolean {
  return follower.endOffset >= leaderEnd || nowMs - follower.caughtUpMs <= lagTimeMaxMs
}
