/** How a partition ails, from its metadata and its topic's min.insync.replicas. Pure. */
import type { PartitionMetadata } from '../../client/types.ts'
import type { PartitionAilment } from '../../contract/overview.ts'

/**
 * `null`: nothing ails it. min.insync.replicas counts no further than there are replicas (KIP-966), and says nothing while it is not known.
 */
export function ailmentOf(
  { leader, isr, replicas }: Pick<PartitionMetadata, 'leader' | 'isr' | 'replicas'>,
  minInSyncReplicas: number | null,
): PartitionAilment | null {
  if (leader === null) return 'offline'
  if (isr.length >= replicas.length) return null
  if (minInSyncReplicas === null) return 'under-replicated'
  const needed = Math.min(minInSyncReplicas, replicas.length)
  return isr.length < needed ? 'below-min-isr' : isr.length === needed ? 'at-min-isr' : 'under-replicated'
}
