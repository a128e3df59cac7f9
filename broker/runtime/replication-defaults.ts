/**
 * How much a cluster of so many brokers replicates unless told otherwise: three replicas where there are three brokers,
 * and then acks=all means two of them, so that any one may die and neither records nor service are lost.
 */
const REPLICAS_MAX = 3

export function replicationDefaults(brokerCount: number): Readonly<Record<string, string>> {
  const replicationFactor = Math.min(REPLICAS_MAX, brokerCount)
  return {
    'default.replication.factor': String(replicationFactor),
    'offsets.topic.replication.factor': String(replicationFactor),
    'min.insync.replicas': String(replicationFactor === REPLICAS_MAX ? 2 : 1),
  }
}
