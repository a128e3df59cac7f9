/** The partitions of a topic across the brokers, from what is known. */
import type { PartitionMetadata } from '../../client/types.ts'
import type { ReplicaPage, ReplicaRow, ReplicaState } from '../../contract/brokers.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { ailmentOf } from '../sampling/partition-ailments.ts'
import { topicOf } from './topic-lanes.ts'

/** Throws `TOPIC_NOT_FOUND`. */
export function replicaPage(
  session: ClusterSession,
  name: string,
  window: { readonly from: number; readonly count: number },
  nowMs: number,
): ReplicaPage {
  const topic = topicOf(session, name)
  const alive = new Set(session.knowledge.brokers.map(({ nodeId }) => nodeId))
  const brokerIds = new Set(topic.partitions.flatMap(({ replicas }) => replicas))
  const rows = topic.partitions.slice(window.from, window.from + window.count)
  return {
    asOfMs: session.knowledge.metadataAsOfMs ?? nowMs,
    topic: name,
    brokerIds: [...brokerIds].sort((a, b) => a - b),
    rows: rows.map((partition) => replicaRow(partition, topic.minInSyncReplicas, alive)),
    from: window.from,
    total: topic.partitions.length,
    minInSyncReplicas: topic.minInSyncReplicas,
  }
}

function replicaRow(partition: PartitionMetadata, minInSyncReplicas: number | null, alive: ReadonlySet<number>): ReplicaRow {
  return {
    partition: partition.partition,
    leader: partition.leader,
    leaderEpoch: partition.leaderEpoch < 0 ? null : partition.leaderEpoch,
    replicas: partition.replicas.map((brokerId) => ({ brokerId, state: replicaState(partition, brokerId, alive) })),
    ailment: ailmentOf(partition, minInSyncReplicas),
  }
}

/** Whoever is not alive is offline, also while it is still counted in the in-sync set: the last one stays there. */
function replicaState(partition: PartitionMetadata, brokerId: number, alive: ReadonlySet<number>): ReplicaState {
  if (!alive.has(brokerId) || partition.offlineReplicas.includes(brokerId)) return 'offline'
  if (partition.leader === brokerId) return 'leader'
  return partition.isr.includes(brokerId) ? 'in-sync' : 'catching-up'
}
