/**
 * What this broker may send to followers, and take as one, of the replicas that are to be copied slowly (KIP-73,
 * cluster/replication-throttle.ts). Lists and rates are read from the metadata each time, so a change of them counts at once.
 *
 * Only what is being moved or was lost is held back: a replica in sync must keep up, or writes would wait for it.
 */
import type { LeaderThrottle, TopicPartition } from '../api/context.ts'
import { ConfigResourceType, type MetadataImage } from '../cluster/image.ts'
import {
  isThrottled,
  ReplicationThrottle,
  throttledRateSetting,
  throttledReplicasSetting,
  type ThrottledSide,
} from '../cluster/replication-throttle.ts'

export interface ReplicationQuotasOptions {
  readonly nodeId: number
  readonly image: () => MetadataImage
  readonly monotonicMs: () => number
  /** Bytes a second, where the metadata sets none. */
  readonly rates: Readonly<Record<ThrottledSide, number>>
}

export class ReplicationQuotas implements LeaderThrottle {
  readonly #options: ReplicationQuotasOptions
  readonly #throttles: Readonly<Record<ThrottledSide, ReplicationThrottle>> = {
    leader: new ReplicationThrottle(),
    follower: new ReplicationThrottle(),
  }

  constructor(options: ReplicationQuotasOptions) {
    this.#options = options
  }

  isHeldBack(partition: TopicPartition, followerId: number): boolean {
    if (!this.#isThrottled('leader', partition, followerId)) return false
    return this.#throttles.leader.pauseMs(this.#rate('leader'), this.#options.monotonicMs()) > 0
  }

  sent(partition: TopicPartition, followerId: number, bytes: number): void {
    if (this.#isThrottled('leader', partition, followerId)) this.#note('leader', bytes)
  }

  /** Notes what came for a replica here; for how long nothing more of it is to be asked for. */
  taken(partition: TopicPartition, bytes: number): number {
    if (!this.#isThrottled('follower', partition, this.#options.nodeId)) return 0
    if (bytes > 0) this.#note('follower', bytes)
    return this.#throttles.follower.pauseMs(this.#rate('follower'), this.#options.monotonicMs())
  }

  #note(side: ThrottledSide, bytes: number): void {
    this.#throttles[side].note(bytes, this.#rate(side), this.#options.monotonicMs())
  }

  /** Either list names this broker: the one the replica is copied from, or the one it is copied to. */
  #isThrottled(side: ThrottledSide, { topic, partition }: TopicPartition, followerId: number): boolean {
    const { image: imageOf, nodeId } = this.#options
    const image = imageOf()
    if (image.partition(topic, partition)?.isr.includes(followerId) ?? true) return false
    const list = image.configOf(ConfigResourceType.TOPIC, topic).get(throttledReplicasSetting(side))
    return list !== undefined && isThrottled(list, partition, nodeId)
  }

  #rate(side: ThrottledSide): number {
    const { image: imageOf, nodeId, rates } = this.#options
    const image = imageOf()
    const name = throttledRateSetting(side)
    const set =
      image.configOf(ConfigResourceType.BROKER, String(nodeId)).get(name) ?? image.configOf(ConfigResourceType.BROKER, '').get(name)
    return set === undefined ? rates[side] : Number(set)
  }
}
