import type { AffectedTopic, OverviewCounts, PartitionAilment } from '../../broker/contract/overview.ts'
import { formatCount, plural } from './format.ts'
import type { Tone } from './tone.ts'

/** How partitions ail, in words: what it is called, and what it means for whoever reads and writes. */
export interface AilmentPhrase {
  label: string
  tone: Tone
  icon: string
  meaning: string
}

export const ailmentPhrases: Readonly<Record<PartitionAilment, AilmentPhrase>> = {
  offline: {
    label: 'offline',
    tone: 'bad',
    icon: 'i-lucide-octagon-x',
    meaning: 'No leader: nothing can be read or written.',
  },
  'below-min-isr': {
    label: 'below min.insync.replicas',
    tone: 'bad',
    icon: 'i-lucide-shield-x',
    meaning: 'Writes with acks=all are refused. Reads go on up to what was committed.',
  },
  'at-min-isr': {
    label: 'at min.insync.replicas',
    tone: 'warn',
    icon: 'i-lucide-shield-alert',
    meaning: 'Reads and writes go on. One more replica lost, and writes with acks=all are refused.',
  },
  'under-replicated': {
    label: 'under-replicated',
    tone: 'warn',
    icon: 'i-lucide-copy-minus',
    meaning: 'Reads and writes go on, with fewer copies than asked for.',
  },
}

export interface AilmentRow extends AilmentPhrase {
  ailment: PartitionAilment
  count: number
  /** `12 partitions offline`. */
  title: string
  /** Named topics with that many such partitions, those with the most first. */
  topics: { topic: string; count: number; partition: number | null }[]
  /** Topics ail in this way that are not named, or may: names are bounded. */
  hasMore: boolean
}

const NAMED_MAX = 4

/** One row per ailment there is, worst first; every partition is counted in one of them. */
export function ailmentRows(counts: OverviewCounts, topics: readonly AffectedTopic[], topicCount: number): AilmentRow[] {
  const numbers: Readonly<Record<PartitionAilment, number>> = {
    offline: counts.offline,
    'below-min-isr': counts.belowMinIsr,
    'at-min-isr': counts.atMinIsr,
    'under-replicated': counts.underReplicated - counts.belowMinIsr - counts.atMinIsr,
  }
  return (Object.keys(ailmentPhrases) as PartitionAilment[]).flatMap((ailment): AilmentRow[] => {
    const count = numbers[ailment]
    if (count <= 0) return []
    const ailing = topics.filter((topic) => topic.counts[ailment] > 0).sort((a, b) => b.counts[ailment] - a.counts[ailment])
    const phrase = ailmentPhrases[ailment]
    return [
      {
        ...phrase,
        ailment,
        count,
        title: `${plural(count, 'partition')} ${phrase.label}`,
        topics: ailing.slice(0, NAMED_MAX).map((topic) => ({
          topic: topic.topic,
          count: topic.counts[ailment],
          partition: topic.partitions.find((partition) => partition.ailment === ailment)?.partition ?? null,
        })),
        hasMore: ailing.length > NAMED_MAX || topicCount > topics.length,
      },
    ]
  })
}

/** `orders-3` for one partition, `orders (12)` for several. */
export function affectedText({ topic, count, partition }: AilmentRow['topics'][number]): { name: string; rest: string } {
  return count === 1 && partition !== null ? { name: topic, rest: `-${partition}` } : { name: topic, rest: ` (${formatCount(count)})` }
}
