/** Topics with partitions that ail, named on the overview: the worst first, bounded, with exact counts. */
import {
  affectedPartitionsMax,
  affectedTopicsMax,
  partitionAilments,
  type AffectedTopic,
  type PartitionAilment,
} from '../../contract/overview.ts'
import type { ClusterKnowledge, TopicKnowledge } from '../clusters/knowledge.ts'
import { ailmentOf } from '../sampling/partition-ailments.ts'

export function affectedTopics(knowledge: ClusterKnowledge): { readonly topics: readonly AffectedTopic[]; readonly total: number } {
  const affected = [...knowledge.topics.values()].filter((topic) => topic.offlineCount > 0 || topic.underReplicatedCount > 0)
  affected.sort((a, b) => compareWorst(a, b) || (a.name < b.name ? -1 : 1))
  return { topics: affected.slice(0, affectedTopicsMax).map(affectedTopic), total: affected.length }
}

function compareWorst(a: TopicKnowledge, b: TopicKnowledge): number {
  return (
    b.offlineCount - a.offlineCount ||
    b.belowMinIsrCount - a.belowMinIsrCount ||
    b.atMinIsrCount - a.atMinIsrCount ||
    b.underReplicatedCount - a.underReplicatedCount
  )
}

function affectedTopic(topic: TopicKnowledge): AffectedTopic {
  const counts: Record<PartitionAilment, number> = { offline: 0, 'below-min-isr': 0, 'at-min-isr': 0, 'under-replicated': 0 }
  const ailing = topic.partitions.flatMap((partition) => {
    const ailment = ailmentOf(partition, topic.minInSyncReplicas)
    if (ailment === null) return []
    counts[ailment] += 1
    return [{ partition: partition.partition, ailment, lastLeader: partition.leader ?? partition.isr[0] ?? partition.replicas[0] ?? null }]
  })
  ailing.sort((a, b) => partitionAilments.indexOf(a.ailment) - partitionAilments.indexOf(b.ailment) || a.partition - b.partition)
  return {
    topic: topic.name,
    ailment: ailing[0]?.ailment ?? 'under-replicated',
    counts,
    partitions: ailing.slice(0, affectedPartitionsMax),
    minInSyncReplicas: topic.minInSyncReplicas,
  }
}
