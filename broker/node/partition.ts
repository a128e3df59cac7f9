/**
 * One replica on this broker: its log, its role, and who waits for it.
 *
 * | from               | event                                   | to       | and                                        |
 * |--------------------|-----------------------------------------|----------|--------------------------------------------|
 * | follower, leader   | the image names this broker, newer epoch| leader   | the epoch starts at the log end            |
 * | leader             | the image names this broker, same epoch | leader   | the in-sync set is taken over              |
 * | leader             | another or nobody leads, or resigned    | follower | waiting appends: NOT_LEADER_OR_FOLLOWER    |
 * | any                | the disk fails                          | offline  | waiting appends: KAFKA_STORAGE_ERROR       |
 * | any                | the topic or the replica goes           | removed  | waiting appends: UNKNOWN_TOPIC_OR_PARTITION|
 *
 * The leader's high watermark is the smallest offset up to which every in-sync replica holds the log: for itself what
 * the disk took, for a follower what it asked to fetch from. It never falls within an epoch. Only this object moves it.
 */
import type { AppendOutcome, AppendRefused, FailureCode, HostedPartition, Isolation, PartitionAppend } from '../api/partitions.ts'
import type { PartitionState } from '../cluster/partition-state.ts'
import type { Env } from '../env/types.ts'
import type { AppendResult, PartitionLog } from '../log/types.ts'
import { Compression } from '../wire/compression.ts'
import { ErrorCode } from '../wire/errors.ts'
import { BATCH_HEADER_BYTES, BatchAttribute } from '../wire/record-batch.ts'
import { PendingAppends } from './pending-appends.ts'
import { VisibilityListeners } from './visibility-listeners.ts'

type Role = 'follower' | 'leader' | 'offline' | 'removed'

export interface PartitionOptions {
  readonly env: Env
  readonly nodeId: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly log: PartitionLog
}

/** The byte of a batch that holds its codec. */
const LOW_ATTRIBUTES_AT = 22
const ACKNOWLEDGED = Promise.resolve<ErrorCode>(ErrorCode.NONE)

export class Partition implements HostedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly log: PartitionLog
  readonly #nodeId: number
  readonly #pending: PendingAppends
  readonly #consumers = new VisibilityListeners()
  readonly #replicas = new VisibilityListeners()
  /** Where each follower's log ends, as its fetches tell; of this epoch only. */
  readonly #followerEnds = new Map<number, number>()
  #role: Role = 'follower'
  #leaderEpoch = -1
  #leaderEpochStartOffset = 0
  #inSync: readonly number[] = []

  constructor({ env, nodeId, topic, topicId, partition, log }: PartitionOptions) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.log = log
    this.#nodeId = nodeId
    this.#pending = new PendingAppends(env.timers, () => env.clock.monotonicMs())
  }

  get isLeader(): boolean {
    return this.#role === 'leader'
  }
  get isOffline(): boolean {
    return this.#role === 'offline'
  }
  get leaderEpoch(): number {
    return this.#leaderEpoch
  }
  get leaderEpochStartOffset(): number {
    return this.#leaderEpochStartOffset
  }

  // ------------------------------------------------------------------------------------------------------------- roles

  /** Takes over what the metadata says. Returns whether this replica's leadership changed: won, lost, or a newer epoch. */
  apply(state: PartitionState): boolean {
    if (this.#role === 'offline' || this.#role === 'removed') return false
    const isNewerEpoch = state.leaderEpoch > this.#leaderEpoch
    const wasLeader = this.isLeader
    this.#leaderEpoch = state.leaderEpoch
    this.#inSync = state.isr
    if (state.leader !== this.#nodeId) {
      this.#role = 'follower'
      if (wasLeader) this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      return wasLeader
    }
    this.#role = 'leader'
    if (isNewerEpoch) {
      if (wasLeader) this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      this.#followerEnds.clear()
      this.log.assignEpochStart(state.leaderEpoch)
      this.#leaderEpochStartOffset = this.log.logEndOffset
    }
    this.#advanceHighWatermark()
    return isNewerEpoch || !wasLeader
  }

  /** The disk under the log failed: nothing is served from it until the process starts again. */
  fail(): void {
    if (this.#role === 'removed') return
    this.#role = 'offline'
    this.#release(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  /** The replica is leaving this broker. Returns whether it had not left before. */
  remove(): boolean {
    if (this.#role === 'removed') return false
    this.#role = 'removed'
    this.#release(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return true
  }

  /** This broker is ending: others lead from now on. */
  resign(): void {
    if (this.#role !== 'leader') return
    this.#role = 'follower'
    this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  }

  #release(error: FailureCode): void {
    this.#pending.fail(error)
    this.#consumers.ended()
    this.#replicas.ended()
  }

  // ------------------------------------------------------------------------------------------------------------- reads

  visibleEnd(isolation: Isolation): number {
    if (isolation === 'replica') return this.log.writtenEndOffset
    return isolation === 'readCommitted' ? this.log.lastStableOffset : this.log.highWatermark
  }

  onVisible(isolation: Isolation, listener: (bytes: number) => void): () => void {
    return (isolation === 'replica' ? this.#replicas : this.#consumers).add(listener)
  }

  // ----------------------------------------------------------------------------------------------------------- appends

  append(records: Buffer, options: PartitionAppend): AppendOutcome {
    const refusal = this.#refusal(records, options)
    if (refusal !== null) return refusal
    const batchBytes = records.length
    const result = this.log.append(records, { leaderEpoch: this.#leaderEpoch, origin: options.origin })
    if (result.errorCode !== ErrorCode.NONE) return refused(result.errorCode, result)
    const { baseOffset, logAppendTimeMs, logStartOffset } = result
    return {
      error: ErrorCode.NONE,
      baseOffset,
      logAppendTimeMs,
      logStartOffset,
      acknowledged: this.#acknowledged(result, batchBytes, options),
    }
  }

  #refusal(records: Buffer, { acks, zstdAllowed }: PartitionAppend): AppendRefused | null {
    if (this.#role === 'offline') return refused(ErrorCode.KAFKA_STORAGE_ERROR)
    if (this.#role !== 'leader') return refused(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (acks === -1 && !this.#hasEnoughReplicas()) return refused(ErrorCode.NOT_ENOUGH_REPLICAS)
    if (!zstdAllowed && isZstd(records)) return refused(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    return null
  }

  #acknowledged(result: AppendResult, batchBytes: number, { acks, timeoutMs }: PartitionAppend): Promise<ErrorCode> {
    const epoch = this.#leaderEpoch
    const endOffset = result.lastOffset + 1
    const isCommitted = endOffset <= this.log.highWatermark
    const bytes = result.isDuplicate ? 0 : batchBytes
    let acknowledged: Promise<ErrorCode> = acks === 1 ? result.written : ACKNOWLEDGED
    if (acks === -1 && !isCommitted) acknowledged = this.#pending.wait(endOffset, bytes, timeoutMs)
    else if (!result.isDuplicate) this.#pending.note(endOffset, bytes)
    if (!result.isDuplicate) void result.written.then((error) => this.#onWritten(error, epoch, bytes))
    return acknowledged
  }

  #onWritten(error: ErrorCode, epoch: number, bytes: number): void {
    if (error !== ErrorCode.NONE) return this.fail()
    if (this.#role !== 'leader' || this.#leaderEpoch !== epoch) return
    this.#replicas.visible(bytes)
    this.#advanceHighWatermark()
  }

  followerFetched(replicaId: number, fetchOffset: number): void {
    if (this.#role !== 'leader' || fetchOffset > this.log.logEndOffset) return
    this.#followerEnds.set(replicaId, fetchOffset)
    this.#advanceHighWatermark()
  }

  #advanceHighWatermark(): void {
    let offset = this.log.writtenEndOffset
    for (const replica of this.#inSync) {
      if (replica !== this.#nodeId) offset = Math.min(offset, this.#followerEnds.get(replica) ?? 0)
    }
    if (offset <= this.log.highWatermark) return
    this.log.setHighWatermark(offset)
    const error = this.#hasEnoughReplicas() ? ErrorCode.NONE : ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND
    const bytes = this.#pending.reached(offset, error)
    this.#consumers.visible(Math.max(1, bytes))
  }

  #hasEnoughReplicas(): boolean {
    return this.#inSync.length >= this.log.config.minInsyncReplicas
  }

  // --------------------------------------------------------------------------------------------------- delete records

  async deleteRecordsBefore(offset: number): Promise<{ readonly error: ErrorCode; readonly lowWatermark: number }> {
    const { highWatermark, config } = this.log
    if (!config.isDeleted) return { error: ErrorCode.POLICY_VIOLATION, lowWatermark: -1 }
    const target = offset === -1 ? highWatermark : offset
    if (target < 0 || target > highWatermark) return { error: ErrorCode.OFFSET_OUT_OF_RANGE, lowWatermark: -1 }
    const error = this.log.deleteRecordsBefore(target)
    return { error, lowWatermark: error === ErrorCode.NONE ? this.log.logStartOffset : -1 }
  }
}

/** What is no batch at all is the log's to refuse. */
function isZstd(records: Buffer): boolean {
  if (records.length < BATCH_HEADER_BYTES) return false
  return (records.readUInt8(LOW_ATTRIBUTES_AT) & BatchAttribute.COMPRESSION_MASK) === Compression.ZSTD
}

function refused(error: FailureCode, result: AppendResult | null = null): AppendRefused {
  return {
    error,
    message: result?.errorMessage ?? null,
    recordErrors: result?.recordErrors ?? [],
    logStartOffset: result?.logStartOffset ?? -1,
  }
}
