import type { TopicRow } from '../../broker/contract/topics.ts'
import type { Tone } from './tone.ts'

/** The worst that can be said of a topic's partitions. */
export function topicHealth(row: Pick<TopicRow, 'offlineCount' | 'underReplicatedCount' | 'belowMinIsrCount'>): {
  tone: Tone
  label: string
} {
  if (row.offlineCount > 0) return { tone: 'bad', label: `${row.offlineCount} offline` }
  if (row.belowMinIsrCount > 0) return { tone: 'bad', label: `${row.belowMinIsrCount} below min ISR` }
  if (row.underReplicatedCount > 0) return { tone: 'warn', label: `${row.underReplicatedCount} under-replicated` }
  return { tone: 'ok', label: 'healthy' }
}
