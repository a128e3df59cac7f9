import type { Random } from '../../env/types.ts'
import type { Partitioner, ProducerRecord } from '../producer-types.ts'
import { partitionOfKey } from './murmur2.ts'

/**
 * Which partition a record goes to: the one it names, its key's, or, without a key, the same as the one before until a
 * batch of that partition is complete (sticky, KIP-480), so that batches are full and partitions take turns.
 */
export class PartitionChoice {
  readonly #random: Random
  readonly #partitioner: Partitioner | null
  readonly #sticky = new Map<string, number>()

  constructor(random: Random, partitioner: Partitioner | null) {
    this.#random = random
    this.#partitioner = partitioner
  }

  /** May return a partition that does not exist, where the record or the partitioner names one. */
  choose(record: ProducerRecord, key: Uint8Array | null, partitionCount: number): number {
    if (record.partition !== undefined) return record.partition
    const chosen = this.#partitioner?.(record, partitionCount) ?? null
    if (chosen !== null) return chosen
    if (key !== null && this.#partitioner === null) return partitionOfKey(key, partitionCount)
    const sticky = this.#sticky.get(record.topic)
    if (sticky !== undefined && sticky < partitionCount) return sticky
    const first = this.#random.below(partitionCount)
    this.#sticky.set(record.topic, first)
    return first
  }

  /** A batch is on its way: records without a key go to another partition from now on. */
  moveOn(topic: string, partition: number, partitionCount: number): void {
    if (this.#sticky.get(topic) !== partition || partitionCount < 2) return
    this.#sticky.set(topic, (partition + 1 + this.#random.below(partitionCount - 1)) % partitionCount)
  }
}
