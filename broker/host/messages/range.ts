/** Which offsets of each partition a query covers. */
import type { KafkaClient, OffsetSpec } from '../../client/types.ts'
import { HostError, toHostError } from '../problem.ts'
import type { ResolvedQuery } from './engine-port.ts'

const rangeDeadlineMs = 10_000

export interface PartitionRange {
  readonly partition: number
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
  /** Why it cannot be read; the range is then empty. */
  readonly problem: string | null
}

/** Rejects with `TOPIC_NOT_FOUND` or `PARTITION_NOT_FOUND`; a partition that does not answer is one with a problem. */
export async function resolveRanges(client: KafkaClient, query: ResolvedQuery, signal: AbortSignal): Promise<readonly PartitionRange[]> {
  const { partitions, leaderless } = await partitionsOf(client, query.topic, query.partitions, signal)
  const [fromSpec, toSpec] = specsOf(query)
  const [starts, ends, from, to] = await Promise.all([
    offsets(client, query, partitions, 'earliest', signal),
    offsets(client, query, partitions, 'latest', signal),
    fromSpec === null ? null : offsets(client, query, partitions, fromSpec, signal),
    toSpec === null ? null : offsets(client, query, partitions, toSpec, signal),
  ])
  const ranges = partitions.map((partition, index): PartitionRange => {
    const start = starts[index]
    const end = ends[index]
    const failure = start?.failure ?? end?.failure ?? from?.[index]?.failure ?? to?.[index]?.failure
    if (failure !== undefined && failure !== null) return { partition, fromOffset: 0, toOffset: 0, problem: failure }
    const bounds = { start: start?.offset ?? 0, end: end?.offset ?? 0 }
    return { partition, ...boundsOf(query, bounds, from?.[index]?.offset ?? null, to?.[index]?.offset ?? null), problem: null }
  })
  const dead = leaderless.map((partition) => ({ partition, fromOffset: 0, toOffset: 0, problem: `Partition ${partition} has no leader.` }))
  return [...ranges, ...dead].sort((a, b) => a.partition - b.partition)
}

export async function partitionsOf(
  client: KafkaClient,
  topic: string,
  wished: readonly number[] | null,
  signal?: AbortSignal,
): Promise<{ partitions: readonly number[]; leaderless: readonly number[] }> {
  const metadata = await client.metadata({ topics: [topic], timeoutMs: rangeDeadlineMs, signal })
  const described = metadata.topics.get(topic)
  if (described === undefined) throw new HostError('TOPIC_NOT_FOUND', `There is no topic "${topic}".`, { subject: topic })
  if (described.error !== null) throw toHostError(described.error, topic)
  const known = new Map(described.partitions.map((partition) => [partition.partition, partition]))
  const partitions = [...new Set(wished ?? known.keys())].sort((a, b) => a - b)
  for (const partition of partitions) {
    if (known.has(partition)) continue
    const last = described.partitions.length - 1
    throw new HostError('PARTITION_NOT_FOUND', `${topic} has no partition ${partition}; its partitions are 0 to ${last}.`, {
      subject: topic,
    })
  }
  const hasLeader = (partition: number): boolean => known.get(partition)?.leader !== null
  return { partitions: partitions.filter(hasLeader), leaderless: partitions.filter((partition) => !hasLeader(partition)) }
}

/** The time lookups a query needs, for its beginning and its end in the log. */
function specsOf({ start, order }: ResolvedQuery): readonly [OffsetSpec | null, OffsetSpec | null] {
  if (start.at === 'range') return [{ timestampMs: start.fromMs }, { timestampMs: start.toMs }]
  if (start.at !== 'time') return [null, null]
  return order === 'oldest-first' ? [{ timestampMs: start.timestampMs }, null] : [null, { timestampMs: start.timestampMs + 1 }]
}

/** `from` and `to`: what the lookups found; `null` where no record is that late, which means the end. */
function boundsOf(
  { start, order }: ResolvedQuery,
  log: { start: number; end: number },
  from: number | null,
  to: number | null,
): { fromOffset: number; toOffset: number } {
  if (start.at === 'everything') return { fromOffset: log.start, toOffset: log.end }
  if (start.at === 'offset') {
    if (order === 'oldest-first') return { fromOffset: clamp(start.offset, log), toOffset: log.end }
    return { fromOffset: log.start, toOffset: clamp(start.offset + 1, log) }
  }
  const fromOffset = start.at === 'range' || order === 'oldest-first' ? (from ?? log.end) : log.start
  const toOffset = start.at === 'range' || order === 'newest-first' ? (to ?? log.end) : log.end
  return { fromOffset: clamp(fromOffset, log), toOffset: Math.max(clamp(fromOffset, log), clamp(toOffset, log)) }
}

function clamp(offset: number, log: { start: number; end: number }): number {
  return Math.min(Math.max(offset, log.start), log.end)
}

async function offsets(
  client: KafkaClient,
  query: ResolvedQuery,
  partitions: readonly number[],
  spec: OffsetSpec,
  signal: AbortSignal,
): Promise<readonly { offset: number | null; failure: string | null }[]> {
  const listed = await client.admin.listOffsets(
    partitions.map((partition) => ({ topic: query.topic, partition, spec })),
    { isolation: query.isolation === 'read-committed' ? 'read_committed' : 'read_uncommitted', timeoutMs: rangeDeadlineMs, signal },
  )
  return listed.map(({ offset, error }) => ({ offset, failure: error === null ? null : error.message }))
}
