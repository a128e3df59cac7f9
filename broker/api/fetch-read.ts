/**
 * Reads what one Fetch asks for, and waits for more when there is too little.
 *
 * A waiting fetch holds no records: it listens to its partitions, counts the bytes that become visible, and reads once
 * they suffice, a partition can no longer serve, the wait is over, or the connection is gone. One connection has one
 * fetch waiting at a time, so the listener's connection bound is the bound of this purgatory too.
 */
import type { FollowerFetch } from '../cluster/follower-progress.ts'
import type { AbortedTransaction, ReadRequest, ReadResult } from '../log/types.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { LeaderThrottle, Time } from './context.ts'
import type { FetchTarget, PartitionAnswer } from './fetch-sessions.ts'
import type { HostedPartition, Isolation } from './partitions.ts'

export type ResolvedTarget = ReadableTarget | FailedTarget

export interface ReadableTarget {
  readonly target: FetchTarget
  readonly topic: string
  readonly error: typeof ErrorCode.NONE
  readonly partition: HostedPartition
  /** In which the target was found to be led here; a later one must be asked for anew. */
  readonly leaderEpoch: number
}

export interface FailedTarget {
  readonly target: FetchTarget
  readonly topic: string
  readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE>
}

export interface FetchedPartition extends PartitionAnswer {
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null
  /** Null unless read_committed. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** There is more, which the follower is not to have yet. */
  readonly isHeldBack: boolean
  readonly records: readonly Buffer[]
}

export interface FetchLimits {
  readonly isolation: Isolation
  /** Who fetches, when it is a follower. */
  readonly follower: Pick<FollowerFetch, 'replicaId' | 'brokerEpoch'> | null
  readonly throttle: LeaderThrottle
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly time: Pick<Time, 'after'>
  /** Ends the wait when nobody will read the reply. */
  readonly signal: AbortSignal
}

/** One answer for each target, in their order. */
export async function fetchPartitions(targets: readonly ResolvedTarget[], limits: FetchLimits): Promise<readonly FetchedPartition[]> {
  const first = await readAll(targets, limits)
  const missingBytes = limits.minBytes - first.recordBytes
  if (missingBytes <= 0 || limits.maxWaitMs <= 0 || first.mustAnswer || targets.length === 0) return sent(targets, first, limits)
  await untilVisible(targets, first.visibleEnds, missingBytes, limits)
  return sent(targets, await readAll(targets, limits), limits)
}

function sent(targets: readonly ResolvedTarget[], { answers }: ReadPass, { follower, throttle }: FetchLimits): readonly FetchedPartition[] {
  if (follower === null) return answers
  for (const [index, { topic, target }] of targets.entries()) {
    const bytes = answers[index]!.recordBytes
    if (bytes > 0) throttle.sent({ topic, partition: target.partition }, follower.replicaId, bytes)
  }
  return answers
}

interface ReadPass {
  readonly answers: readonly FetchedPartition[]
  readonly recordBytes: number
  /** An error or a divergence: the fetcher must hear of it at once. */
  readonly mustAnswer: boolean
  /** How far each target could be read at the time; null where more of it is nothing to wake up for. */
  readonly visibleEnds: readonly (number | null)[]
}

async function readAll(targets: readonly ResolvedTarget[], limits: FetchLimits): Promise<ReadPass> {
  const answers: FetchedPartition[] = []
  const visibleEnds: (number | null)[] = []
  let recordBytes = 0
  let mustAnswer = false
  for (const resolved of targets) {
    if (resolved.error !== ErrorCode.NONE) {
      answers.push(failed(resolved.error))
      visibleEnds.push(null)
      mustAnswer = true
      continue
    }
    const visibleEnd = resolved.partition.visibleEnd(limits.isolation)
    const reading = readOne(resolved, limits, recordBytes)
    const answer = reading instanceof Promise ? await reading : reading
    answers.push(answer)
    visibleEnds.push(answer.isHeldBack ? null : visibleEnd)
    recordBytes += answer.recordBytes
    mustAnswer ||= answer.errorCode !== ErrorCode.NONE || answer.isDiverging
  }
  return { answers, recordBytes, mustAnswer, visibleEnds }
}

/** Answered at once where nothing has to be read from the disk: most partitions of most fetches have nothing new. */
function readOne(resolved: ReadableTarget, limits: FetchLimits, spentBytes: number): FetchedPartition | Promise<FetchedPartition> {
  const { target, partition } = resolved
  const refusal = refusalOf(resolved, limits)
  if (refusal !== null) return refusal
  const { log } = partition
  const upToOffset = partition.visibleEnd(limits.isolation)
  const maxBytes = Math.max(0, Math.min(target.partitionMaxBytes, limits.maxBytes - spentBytes))
  const isFirst = spentBytes === 0
  const isReadCommitted = limits.isolation === 'readCommitted'
  if (target.fetchOffset >= upToOffset || (maxBytes === 0 && !isFirst)) {
    return answered(partition, isReadCommitted ? { abortedTransactions: [] } : {})
  }
  if (limits.follower !== null && limits.throttle.isHeldBack(partition, limits.follower.replicaId))
    return answered(partition, { isHeldBack: true })
  const request = { fromOffset: target.fetchOffset, maxBytes, upToOffset, atLeastOneBatch: isFirst }
  const cached = log.readCached(request)
  return cached === null || isReadCommitted ? readFurther(resolved, request, cached, isReadCommitted) : readAnswer(partition, cached, null)
}

async function readFurther(
  { target, partition }: ReadableTarget,
  request: ReadRequest,
  cached: ReadResult | null,
  isReadCommitted: boolean,
): Promise<FetchedPartition> {
  const { log } = partition
  const result = cached ?? (await log.read(request))
  if (result.errorCode !== ErrorCode.NONE || !isReadCommitted) return readAnswer(partition, result, null)
  return readAnswer(partition, result, await log.abortedTransactions(target.fetchOffset, result.nextOffset))
}

function readAnswer(
  partition: HostedPartition,
  { errorCode, records, bytes }: ReadResult,
  abortedTransactions: readonly AbortedTransaction[] | null,
): FetchedPartition {
  if (errorCode !== ErrorCode.NONE) return failed(errorCode)
  return answered(partition, { records, recordBytes: bytes, abortedTransactions })
}

/** What there is to say instead of reading. A follower's progress counts once its log is known to agree with this one. */
function refusalOf({ target, partition, leaderEpoch }: ReadableTarget, { follower }: FetchLimits): FetchedPartition | null {
  if (partition.isOffline) return failed(ErrorCode.KAFKA_STORAGE_ERROR)
  if (!partition.isLeader || partition.leaderEpoch !== leaderEpoch) return failed(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  const { log } = partition
  const diverging = divergence(target, partition)
  if (diverging === 'unknown' || target.fetchOffset < log.logStartOffset) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
  if (diverging !== null) return answered(partition, { divergingEpoch: diverging })
  if (target.fetchOffset > log.logEndOffset) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
  if (follower === null) return null
  const { fetchOffset, logStartOffset } = target
  const error = partition.followerFetched({ ...follower, fetchOffset, logStartOffset })
  return error === ErrorCode.NONE ? null : failed(error)
}

/** KIP-595's check of the fetcher's last epoch: where the leader's log parts from it, or null when it does not. */
function divergence(target: FetchTarget, { log }: HostedPartition): { epoch: number; endOffset: number } | 'unknown' | null {
  if (target.lastFetchedEpoch < 0) return null
  const { leaderEpoch, endOffset } = log.endOffsetForEpoch(target.lastFetchedEpoch)
  if (leaderEpoch < 0 || endOffset < 0) return 'unknown'
  return leaderEpoch < target.lastFetchedEpoch || endOffset < target.fetchOffset ? { epoch: leaderEpoch, endOffset } : null
}

function failed(errorCode: ErrorCode): FetchedPartition {
  return { ...nothing, errorCode, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }
}

function answered({ log }: HostedPartition, found: Partial<FetchedPartition>): FetchedPartition {
  const { highWatermark, lastStableOffset, logStartOffset } = log
  const isDiverging = found.divergingEpoch !== undefined && found.divergingEpoch !== null
  return { ...nothing, errorCode: ErrorCode.NONE, highWatermark, lastStableOffset, logStartOffset, ...found, isDiverging }
}

const nothing = {
  recordBytes: 0,
  isDiverging: false,
  isHeldBack: false,
  divergingEpoch: null,
  abortedTransactions: null,
  records: [],
} as const

/** Resolves when reading again is worth it. */
function untilVisible(
  targets: readonly ResolvedTarget[],
  seenEnds: readonly (number | null)[],
  missingBytes: number,
  limits: FetchLimits,
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = []
    let stillMissing = missingBytes
    const finish = (): void => {
      for (const stop of stops.splice(0)) stop()
      resolve()
    }
    const onVisible = (bytes: number): void => {
      stillMissing -= bytes
      if (bytes === 0 || stillMissing <= 0) finish()
    }
    const timer = limits.time.after(limits.maxWaitMs, finish)
    stops.push(() => timer.cancel())
    limits.signal.addEventListener('abort', finish, { once: true })
    stops.push(() => limits.signal.removeEventListener('abort', finish))
    let movedMeanwhile = limits.signal.aborted
    for (const [index, resolved] of targets.entries()) {
      if (resolved.error !== ErrorCode.NONE) continue
      const { partition, leaderEpoch } = resolved
      const seenEnd = seenEnds[index] ?? null
      stops.push(partition.onVisible(limits.isolation, (bytes) => (bytes === 0 || seenEnd !== null ? onVisible(bytes) : undefined)))
      movedMeanwhile ||= !partition.isLeader || partition.leaderEpoch !== leaderEpoch
      movedMeanwhile ||= seenEnd !== null && partition.visibleEnd(limits.isolation) !== seenEnd
    }
    // What happened between the read and the listening was not heard.
    if (movedMeanwhile) finish()
  })
}
