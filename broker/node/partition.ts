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
 * While a follower cuts its log its role stands still: metadata that comes meanwhile is applied when the log is whole.
 *
 * The leader's high watermark is the smallest offset up to which every replica that counts (cluster/in-sync-replicas.ts)
 * holds the log: for itself what the disk took, for a follower what it asked to fetch from. It stands still while fewer
 * than min.insync.replicas are in sync (KIP-966), and never falls within an epoch. Only this object moves it.
 */
import type {
  AppendOutcome,
  AppendRefused,
  DeletedRecords,
  FailureCode,
  HostedPartition,
  Isolation,
  PartitionAppend,
} from '../api/partitions.ts'
import type { FollowerFetch } from '../cluster/follower-progress.ts'
import { InSyncReplicas, type IsrAnswer, type IsrChange } from '../cluster/in-sync-replicas.ts'
import { NO_LEADER, type PartitionState } from '../cluster/partition-state.ts'
import type { Env } from '../env/types.ts'
import type { AppendResult, PartitionLog } from '../log/types.ts'
import { Compression } from '../wire/compression.ts'
import { ErrorCode } from '../wire/errors.ts'
import { BATCH_HEADER_BYTES, BatchAttribute } from '../wire/record-batch.ts'
import { PendingAppends } from './pending-appends.ts'
import { RecordDeletions } from './record-deletions.ts'
import { VisibilityListeners } from './visibility-listeners.ts'

type Role = 'follower' | 'leader' | 'offline' | 'removed'

export interface PartitionOptions {
  readonly env: Env
  readonly nodeId: number
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly log: PartitionLog
  readonly replication: ReplicationRules
}

/** What a partition needs of the cluster to keep its in-sync set. */
export interface ReplicationRules {
  /** replica.lag.time.max.ms */
  readonly lagTimeMaxMs: number
  /** Whether the controller would take this broker, of this epoch, into an in-sync set. */
  readonly isEligible: (brokerId: number, brokerEpoch: number) => boolean
  /** Whether that broker's replicas can be waited for: it is up, and so is its disk. */
  readonly isAlive: (brokerId: number) => boolean
  /** The partition has a new `isrChange` for the controller. */
  onIsrChange(partition: Partition): void
}

/** Whom a follower fetches from, and in which epoch. */
export interface FollowedLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
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
  readonly #monotonicMs: () => number
  readonly #replication: ReplicationRules
  readonly #pending: PendingAppends
  readonly #deletions: RecordDeletions
  readonly #consumers = new VisibilityListeners()
  readonly #replicas = new VisibilityListeners()
  #role: Role = 'follower'
  #leaderId = NO_LEADER
  #leaderEpoch = -1
  #partitionEpoch = -1
  #leaderEpochStartOffset = 0
  /** Null unless this replica leads. */
  #inSync: InSyncReplicas | null = null
  #isCutting = false

  constructor({ env, nodeId, topic, topicId, partition, log, replication }: PartitionOptions) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.log = log
    this.#nodeId = nodeId
    this.#monotonicMs = () => env.clock.monotonicMs()
    this.#replication = replication
    this.#pending = new PendingAppends(env.timers, this.#monotonicMs)
    this.#deletions = new RecordDeletions({
      log,
      timers: env.timers,
      lowWatermark: () => this.#lowWatermark(),
      onMoved: () => this.#replicas.visible(0),
    })
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
  /** Null unless this replica follows a leader and its log is whole. */
  get followed(): FollowedLeader | null {
    if (this.#role !== 'follower' || this.#leaderId === NO_LEADER || this.#isCutting) return null
    return { leaderId: this.#leaderId, leaderEpoch: this.#leaderEpoch }
  }

  // ------------------------------------------------------------------------------------------------------------- roles

  /** Takes over what the metadata says. Returns whether this replica's leadership changed: won, lost, or a newer epoch. */
  apply(state: PartitionState): boolean {
    if (this.#role === 'offline' || this.#role === 'removed' || this.#isCutting) return false
    // The answer to a change of the in-sync set may have told more already.
    if (state.partitionEpoch < this.#partitionEpoch) return false
    const isNewerEpoch = state.leaderEpoch > this.#leaderEpoch
    const wasLeader = this.isLeader
    this.#leaderId = state.leader
    this.#leaderEpoch = state.leaderEpoch
    this.#partitionEpoch = state.partitionEpoch
    if (state.leader !== this.#nodeId) {
      this.#role = 'follower'
      this.#inSync = null
      if (wasLeader) this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
      return wasLeader
    }
    if (isNewerEpoch || this.#inSync === null) this.#lead(state, wasLeader)
    else this.#inSync.update(state)
    this.#inSyncChanged()
    return isNewerEpoch || !wasLeader
  }

  #lead(state: PartitionState, wasLeader: boolean): void {
    if (wasLeader) this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    this.#role = 'leader'
    this.log.assignEpochStart(state.leaderEpoch)
    this.#leaderEpochStartOffset = this.log.logEndOffset
    const { lagTimeMaxMs, isEligible } = this.#replication
    const { leaderEpochStartOffset: epochStartOffset } = this
    const nowMs = this.#monotonicMs()
    this.#inSync = new InSyncReplicas({ nodeId: this.#nodeId, state, epochStartOffset, nowMs, lagTimeMaxMs, isEligible })
    if (this.#inSync.proposeRecovered()) this.#replication.onIsrChange(this)
  }

  /** The disk under the log failed: nothing is served from it until the process starts again. */
  fail(): void {
    if (this.#role === 'removed') return
    this.#role = 'offline'
    this.#inSync = null
    this.#release(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  /** The replica is leaving this broker. Returns whether it had not left before. */
  remove(): boolean {
    if (this.#role === 'removed') return false
    this.#role = 'removed'
    this.#inSync = null
    this.#release(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    return true
  }

  /** This broker is ending: others lead from now on. */
  resign(): void {
    this.#leaderId = NO_LEADER
    if (this.#role !== 'leader') return
    this.#role = 'follower'
    this.#inSync = null
    this.#release(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  }

  #release(error: FailureCode): void {
    this.#pending.fail(error)
    this.#deletions.fail(error)
    this.#consumers.ended()
    this.#replicas.ended()
  }

  /** Runs `cut`, which removes records of a follower; until it ends nobody fetches for it and its role stands still. */
  async whileCutting(cut: () => Promise<ErrorCode>): Promise<ErrorCode> {
    this.#isCutting = true
    try {
      return await cut()
    } finally {
      this.#isCutting = false
    }
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

  // ------------------------------------------------------------------------------------------------------- replication

  /** The change of the in-sync set to be sent to the controller, or sent and not settled. */
  get isrChange(): IsrChange | null {
    return this.#inSync?.proposed ?? null
  }

  followerFetched(fetch: FollowerFetch): ErrorCode {
    const { log } = this
    if (this.#inSync === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER
    if (fetch.fetchOffset > log.logEndOffset) return ErrorCode.OFFSET_OUT_OF_RANGE
    // Not a replica as far as is known here: its metadata is ahead of ours, or it is a leftover of an earlier life.
    if (!this.#inSync.fetched(fetch, log.logEndOffset, this.#monotonicMs())) return ErrorCode.UNKNOWN_LEADER_EPOCH
    this.#deletions.review()
    this.#advanceHighWatermark()
    if (this.#inSync.proposeExpansion(fetch.replicaId, log.highWatermark)) this.#replication.onIsrChange(this)
    return ErrorCode.NONE
  }

  /** For every so often, and for when brokers came or went: what depends on time and on who lives is looked at again. */
  reviewFollowers(): void {
    if (this.#inSync === null) return
    if (this.#inSync.proposeShrink(this.log.logEndOffset, this.#monotonicMs())) this.#replication.onIsrChange(this)
    this.#deletions.review()
    this.#advanceHighWatermark()
  }

  /** The controller carried `change` out. */
  isrChanged(change: IsrChange, answer: IsrAnswer): void {
    if (this.#inSync === null || !this.#inSync.accepted(change, answer)) return
    this.#partitionEpoch = answer.partitionEpoch
    this.#inSyncChanged()
  }

  /** The controller refused `change` for good. */
  isrChangeRefused(change: IsrChange): void {
    this.#inSync?.refused(change)
    this.#advanceHighWatermark()
  }

  #inSyncChanged(): void {
    this.#advanceHighWatermark()
    if (!this.#hasEnoughReplicas()) this.#pending.refuse(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  }

  #advanceHighWatermark(): void {
    const { log } = this
    if (this.#inSync === null || !this.#hasEnoughReplicas()) return
    const offset = this.#inSync.commonEnd(log.writtenEndOffset, log.logEndOffset, this.#monotonicMs())
    if (offset <= log.highWatermark) return
    log.setHighWatermark(offset)
    const bytes = this.#pending.reached(offset)
    this.#consumers.visible(Math.max(1, bytes))
  }

  #hasEnoughReplicas(): boolean {
    return this.#inSync?.hasEnough(this.log.config.minInsyncReplicas) ?? false
  }

  // --------------------------------------------------------------------------------------------------- delete records

  deleteRecordsBefore(offset: number, timeoutMs: number): Promise<DeletedRecords> {
    return this.#deletions.before(offset, timeoutMs)
  }

  #lowWatermark(): number {
    return this.#inSync?.lowWatermark(this.log.logStartOffset, this.#replication.isAlive) ?? -1
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
