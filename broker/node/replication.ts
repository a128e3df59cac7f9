/**
 * Replication of this broker's partitions: a fetcher for each broker that leads something followed here, the proposals of
 * in-sync sets for what is led here, and a regular look at followers that lag.
 */
import { INTERNAL_LISTENER } from '../api/context.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { Address, Env, Timer } from '../env/types.ts'
import type { ControllerCalls } from './controller-calls.ts'
import { IsrChanges } from './isr-changes.ts'
import type { Partition, ReplicationRules } from './partition.ts'
import { ReplicaFetcher } from './replica-fetcher.ts'
import type { ReplicationQuotas } from './replication-quotas.ts'

export interface ReplicationOptions {
  readonly nodeId: number
  readonly secret: string
  readonly lagTimeMaxMs: number
  readonly brokerEpoch: () => number
  readonly image: () => MetadataImage
  readonly calls: Pick<ControllerCalls, 'call'>
  readonly quotas: Pick<ReplicationQuotas, 'taken'>
}

/** What is asked of the keeper of the partitions. */
export interface ReplicatedPartitions {
  /** Takes over what the metadata says of the partition by now. */
  refresh(partition: Partition): void
  reviewFollowers(): void
}

export class Replication implements ReplicationRules {
  readonly lagTimeMaxMs: number
  readonly #env: Env
  readonly #options: ReplicationOptions
  readonly #isrChanges: IsrChanges
  readonly #fetchers = new Map<number, ReplicaFetcher>()
  readonly #fetcherOf = new Map<Partition, ReplicaFetcher>()
  #partitions: ReplicatedPartitions | null = null
  #review: Timer | null = null

  constructor(env: Env, options: ReplicationOptions) {
    this.#env = env
    this.#options = options
    this.lagTimeMaxMs = options.lagTimeMaxMs
    this.#isrChanges = new IsrChanges(env, options)
  }

  start(partitions: ReplicatedPartitions): void {
    this.#partitions = partitions
    this.#reviewLater()
  }

  readonly isEligible = (brokerId: number, brokerEpoch: number): boolean => {
    const image = this.#options.image()
    return image.isActive(brokerId) && image.broker(brokerId)?.brokerEpoch === brokerEpoch
  }

  readonly isAlive = (brokerId: number): boolean => {
    const image = this.#options.image()
    return image.isUnfenced(brokerId) && !image.isStorageOffline(brokerId)
  }

  onIsrChange(partition: Partition): void {
    this.#isrChanges.propose(partition)
  }

  /** The partition leads, follows another leader or epoch, or is gone. */
  replicaChanged(partition: Partition): void {
    const leader = partition.followed
    const before = this.#fetcherOf.get(partition)
    const fetcher = leader === null ? undefined : this.#fetcher(leader.leaderId)
    if (before !== undefined && before !== fetcher) this.#unfollow(partition, before)
    if (leader === null || fetcher === undefined) return
    this.#fetcherOf.set(partition, fetcher)
    fetcher.follow(partition, leader.leaderEpoch)
  }

  metadataChanged({ changedBrokers }: MetadataDelta): void {
    if (changedBrokers.size === 0) return
    for (const brokerId of changedBrokers) this.#fetchers.get(brokerId)?.leaderChanged()
    this.#partitions?.reviewFollowers()
  }

  close(): void {
    this.#review?.cancel()
    this.#isrChanges.close()
    for (const fetcher of this.#fetchers.values()) fetcher.close()
    this.#fetchers.clear()
    this.#fetcherOf.clear()
  }

  #fetcher(leaderId: number): ReplicaFetcher {
    const known = this.#fetchers.get(leaderId)
    if (known !== undefined) return known
    const { nodeId, brokerEpoch, secret } = this.#options
    const fetcher = new ReplicaFetcher(this.#env, {
      leaderId,
      nodeId,
      brokerEpoch,
      secret,
      leaderAddress: () => this.#addressOf(leaderId),
      throttleMs: (partition, bytes) => this.#options.quotas.taken(partition, bytes),
      onCut: (partition) => this.#partitions?.refresh(partition),
    })
    this.#fetchers.set(leaderId, fetcher)
    return fetcher
  }

  #unfollow(partition: Partition, fetcher: ReplicaFetcher): void {
    this.#fetcherOf.delete(partition)
    fetcher.unfollow(partition)
    if (fetcher.size > 0) return
    fetcher.close()
    for (const [leaderId, known] of this.#fetchers) if (known === fetcher) this.#fetchers.delete(leaderId)
  }

  #addressOf(brokerId: number): Address | null {
    const endpoint = this.#options.image().broker(brokerId)?.endpoints.get(INTERNAL_LISTENER)
    return endpoint === undefined ? null : { host: endpoint.host, port: endpoint.port }
  }

  /** Twice in the time that a follower may lag, as in Kafka. */
  #reviewLater(): void {
    this.#review = this.#env.timers.after(this.lagTimeMaxMs / 2, () => {
      this.#partitions?.reviewFollowers()
      this.#reviewLater()
    })
  }
}
