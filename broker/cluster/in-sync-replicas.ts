/**
 * A leader's view of its partition's replicas during one leader epoch: who is in sync, how far each follower has come,
 * and which change of the in-sync set it has proposed to the controller (AlterPartition, KIP-497). Pure; owned by one
 * partition.
 *
 * | state    | event                                            | next     | and                                       |
 * |----------|--------------------------------------------------|----------|-------------------------------------------|
 * | settled  | a follower caught up, lags, or an unclean start  | proposed | both sets count for the high watermark    |
 * | proposed | the controller takes it, or metadata moved on    | settled  | the committed set is the controller's     |
 * | proposed | refused, and certainly not carried out           | settled  | the committed set stands                  |
 * | proposed | any other answer, or none                        | proposed | it may have been carried out; metadata tells |
 *
 * The high watermark counts every replica that could be elected: the members of the committed and of the proposed set.
 * It also waits for a follower that is about to join, or that follower would chase it for ever under load.
 */
import { type FollowerFetch, followerFetched, type FollowerProgress, isCaughtUp, unheardFollower } from './follower-progress.ts'
import { LeaderRecoveryState, type PartitionState } from './partition-state.ts'

export interface IsrChange {
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  readonly leaderRecoveryState: LeaderRecoveryState
}

/** What an accepted AlterPartition answers. */
export type IsrAnswer = Pick<PartitionState, 'isr' | 'leaderEpoch' | 'partitionEpoch' | 'leaderRecoveryState'>

export interface InSyncReplicasOptions {
  readonly nodeId: number
  readonly state: PartitionState
  /** The leader's log end when its epoch began: whoever is in sync has at least that. */
  readonly epochStartOffset: number
  readonly nowMs: number
  readonly lagTimeMaxMs: number
  /** Whether the controller would take this broker, of this epoch, into an in-sync set. */
  readonly isEligible: (brokerId: number, brokerEpoch: number) => boolean
}

export class InSyncReplicas {
  readonly #options: InSyncReplicasOptions
  readonly #followers = new Map<number, FollowerProgress>()
  #replicas: readonly number[] = []
  #committed: IsrAnswer
  #proposed: IsrChange | null = null

  constructor(options: InSyncReplicasOptions) {
    this.#options = options
    this.#committed = options.state
    this.#setReplicas(options.state)
  }

  /** As the controller has it. */
  get isr(): readonly number[] {
    return this.#committed.isr
  }

  get partitionEpoch(): number {
    return this.#committed.partitionEpoch
  }

  /** What is to be sent, or has been and is not settled. */
  get proposed(): IsrChange | null {
    return this.#proposed
  }

  /** The least members the in-sync set needs for acks=all: never more than there are replicas. */
  hasEnough(minInsyncReplicas: number): boolean {
    return this.#committed.isr.length >= Math.min(minInsyncReplicas, this.#replicas.length)
  }

  follower(replicaId: number): FollowerProgress | null {
    return this.#followers.get(replicaId) ?? null
  }

  /** Takes over metadata of the same leader epoch. Older than what is known changes nothing. */
  update(state: PartitionState): void {
    if (state.partitionEpoch < this.#committed.partitionEpoch) return
    if (state.partitionEpoch > this.#committed.partitionEpoch) this.#proposed = null
    this.#committed = state
    this.#setReplicas(state)
  }

  /** Notes a fetch. False when it is not that of a replica, or comes from an earlier life of one. */
  fetched(fetch: FollowerFetch, leaderEnd: number, nowMs: number): boolean {
    const before = this.#followers.get(fetch.replicaId)
    if (before === undefined || fetch.brokerEpoch < before.brokerEpoch) return false
    this.#followers.set(fetch.replicaId, followerFetched(before, fetch, { leaderEnd, nowMs }))
    return true
  }

  /** The offset up to which every replica that counts holds the log. */
  commonEnd(writtenEnd: number, leaderEnd: number, nowMs: number): number {
    let end = writtenEnd
    for (const [replicaId, follower] of this.#followers) {
      if (follower.endOffset < end && this.#counts(replicaId, follower, leaderEnd, nowMs)) end = follower.endOffset
    }
    return end
  }

  /** The offset below which no live replica has records any more, as far as they have said; -1 while one has not (KIP-107). */
  lowWatermark(ownLogStart: number, isAlive: (brokerId: number) => boolean): number {
    let start = ownLogStart
    for (const [replicaId, { logStartOffset }] of this.#followers) {
      if (logStartOffset < start && isAlive(replicaId)) start = logStartOffset
    }
    return start
  }

  // -------------------------------------------------------------------------------------------------------- proposals

  /** Proposes to take the follower in, if it holds all that is committed. Returns whether there is something to send. */
  proposeExpansion(replicaId: number, highWatermark: number): boolean {
    const follower = this.#followers.get(replicaId)
    if (this.#proposed !== null || follower === undefined || this.#committed.isr.includes(replicaId)) return false
    if (follower.endOffset < Math.max(highWatermark, this.#options.epochStartOffset)) return false
    if (follower.brokerEpoch === -1 || !this.#options.isEligible(replicaId, follower.brokerEpoch)) return false
    this.#propose([...this.#committed.isr, replicaId])
    return true
  }

  /** Proposes to go on without followers that lag. Returns whether there is something to send. */
  proposeShrink(leaderEnd: number, nowMs: number): boolean {
    if (this.#proposed !== null) return false
    const { nodeId, lagTimeMaxMs } = this.#options
    const kept = this.#committed.isr.filter((id) => {
      const follower = this.#followers.get(id)
      return id === nodeId || (follower !== undefined && isCaughtUp(follower, leaderEnd, nowMs, lagTimeMaxMs))
    })
    if (kept.length === this.#committed.isr.length) return false
    this.#propose(kept)
    return true
  }

  /**
   * An uncleanly elected leader has nothing to recover beyond its own log, which it has; the controller is told so.
   * Returns whether there is something to send.
   */
  proposeRecovered(): boolean {
    if (this.#proposed !== null || this.#committed.leaderRecoveryState === LeaderRecoveryState.RECOVERED) return false
    this.#propose(this.#committed.isr)
    return true
  }

  /** The controller carried `change` out, or found it so. Returns whether the committed set changed. */
  accepted(change: IsrChange, answer: IsrAnswer): boolean {
    if (this.#proposed === change) this.#proposed = null
    if (answer.leaderEpoch !== this.#committed.leaderEpoch || answer.partitionEpoch <= this.#committed.partitionEpoch) return false
    this.#committed = answer
    return true
  }

  /** The controller refused `change` and will not carry it out later. */
  refused(change: IsrChange): void {
    if (this.#proposed === change) this.#proposed = null
  }

  #propose(isr: readonly number[]): void {
    const members = isr.map((brokerId) => ({ brokerId, brokerEpoch: this.#followers.get(brokerId)?.brokerEpoch ?? -1 }))
    const { leaderEpoch, partitionEpoch } = this.#committed
    this.#proposed = { leaderEpoch, partitionEpoch, isr: members, leaderRecoveryState: LeaderRecoveryState.RECOVERED }
  }

  #counts(replicaId: number, follower: FollowerProgress, leaderEnd: number, nowMs: number): boolean {
    if (this.#committed.isr.includes(replicaId)) return true
    if (this.#proposed?.isr.some(({ brokerId }) => brokerId === replicaId)) return true
    const { lagTimeMaxMs, isEligible, epochStartOffset } = this.#options
    if (follower.brokerEpoch === -1 || follower.endOffset < epochStartOffset) return false
    return isCaughtUp(follower, leaderEnd, nowMs, lagTimeMaxMs) && isEligible(replicaId, follower.brokerEpoch)
  }

  #setReplicas({ replicas, isr }: PartitionState): void {
    const { nodeId, nowMs } = this.#options
    this.#replicas = replicas
    for (const id of this.#followers.keys()) if (!replicas.includes(id)) this.#followers.delete(id)
    for (const id of replicas) {
      if (id === nodeId || this.#followers.has(id)) continue
      this.#followers.set(id, unheardFollower(isr.includes(id) ? nowMs : -Infinity))
    }
  }
}
