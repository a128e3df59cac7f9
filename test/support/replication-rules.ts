/** A cluster that takes every broker into an in-sync set, and notes what is proposed to it. */
import type { Partition, ReplicationRules } from '../../broker/node/partition.ts'

export interface NotedReplication extends ReplicationRules {
  readonly proposed: Partition[]
  /** Brokers the controller would not take. */
  readonly ineligible: Set<number>
  /** Brokers that are down. */
  readonly down: Set<number>
  replicaChanged(partition: Partition): void
}

export function notedReplication(): NotedReplication {
  const proposed: Partition[] = []
  const ineligible = new Set<number>()
  const down = new Set<number>()
  return {
    proposed,
    ineligible,
    down,
    lagTimeMaxMs: 30_000,
    isEligible: (brokerId) => !ineligible.has(brokerId),
    isAlive: (brokerId) => !down.has(brokerId),
    onIsrChange: (partition) => void proposed.push(partition),
    replicaChanged: () => undefined,
  }
}
