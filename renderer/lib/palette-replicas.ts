/** What the palette offers about leaders and replicas. */
export type ReplicaIntent =
  | { kind: 'elect-leaders'; topic: string | null }
  | { kind: 'reassign'; topic: string }
  | { kind: 'empty-broker'; brokerId: number }

interface ReplicaEntry {
  id: string
  label: string
  hint: string
  icon: string
  intent: ReplicaIntent
  also: string
}

export function replicaEntries(context: {
  clusterId: string | null
  isReadOnly: boolean
  topics: readonly string[]
  brokerIds: readonly number[]
}): ReplicaEntry[] {
  if (context.clusterId === null || context.isReadOnly || context.brokerIds.length === 0) return []
  const entries: ReplicaEntry[] = [electEntry(null)]
  const topic = context.topics[0]
  if (topic !== undefined) {
    entries.push(electEntry(topic), {
      id: `reassign:${topic}`,
      label: `Reassign ${topic} to other brokers`,
      hint: 'previewed first',
      icon: 'i-lucide-arrow-right-left',
      intent: { kind: 'reassign', topic },
      also: 'move replicas partitions replication factor',
    })
  }
  if (context.brokerIds.length < 2) return entries
  const emptying = context.brokerIds.map((brokerId): ReplicaEntry => ({
    id: `empty:${brokerId}`,
    label: `Move everything off broker ${brokerId}`,
    hint: 'previewed first',
    icon: 'i-lucide-arrow-right-from-line',
    intent: { kind: 'empty-broker', brokerId },
    also: 'empty drain decommission reassign',
  }))
  return [...entries, ...emptying]
}

function electEntry(topic: string | null): ReplicaEntry {
  return {
    id: `elect:${topic ?? ''}`,
    label: topic === null ? 'Rebalance leaders of the cluster' : `Elect preferred leaders of ${topic}`,
    hint: 'preferred replicas lead again',
    icon: 'i-lucide-crown',
    intent: { kind: 'elect-leaders', topic },
    also: topic === null ? 'elect preferred leaders election' : 'rebalance leader election',
  }
}
