/**
 * The ends of the logs in which groups have committed. They are read after the commits: an end read before is short of what
 * was written and consumed meanwhile, and a busy group would look as if it had caught up.
 */
import type { GroupOffsets, OffsetQuery } from '../../client/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { slicesOf } from './loop.ts'

/** Short: for a broker that does not answer, the ends last known are taken. */
const endsDeadlineMs = 3_000
/** Partitions one ListOffsets call asks for. */
const partitionsPerCall = 2_000

/** High watermark of a partition; NaN where it is not known. */
export type Ends = (topic: string, partition: number) => number

/** Asks for each partition once, however many groups read it. */
export async function readCommittedEnds(session: ClusterSession, offsets: readonly GroupOffsets[]): Promise<Ends> {
  const { topics } = session.knowledge
  const ends = new Map<string, Map<number, number>>()
  for (const slice of slicesOf(queriesFor(session, offsets), partitionsPerCall)) {
    const listed = await session.client.admin
      .listOffsets(slice, { timeoutMs: endsDeadlineMs, signal: session.signal })
      // The offset sampler asks the same brokers and says that they do not answer.
      .catch(() => [])
    for (const { topic, partition, offset } of listed) {
      if (offset === null) continue
      const known = ends.get(topic)
      if (known === undefined) ends.set(topic, new Map([[partition, offset]]))
      else known.set(partition, offset)
    }
  }
  return (topic, partition) => ends.get(topic)?.get(partition) ?? topics.get(topic)?.highWatermarks[partition] ?? Number.NaN
}

function queriesFor({ knowledge }: ClusterSession, offsets: readonly GroupOffsets[]): readonly OffsetQuery[] {
  const wanted = new Map<string, Set<number>>()
  for (const { topic, partition, offset, error } of offsets.flatMap((group) => group.offsets)) {
    if (offset === null || error !== null) continue
    const partitions = wanted.get(topic)
    if (partitions === undefined) wanted.set(topic, new Set([partition]))
    else partitions.add(partition)
  }
  return [...wanted].flatMap(([topic, partitions]) =>
    (knowledge.topics.get(topic)?.partitions ?? [])
      .filter(({ partition, leader }) => leader !== null && partitions.has(partition))
      .map(({ partition }): OffsetQuery => ({ topic, partition, spec: 'latest' })),
  )
}
