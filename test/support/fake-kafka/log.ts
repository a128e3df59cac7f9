/** Reading the logs of the cluster in memory: what is fetched from an offset on, and which offset is at a place or time. */
import type { FetchedPartition, ListedOffset, OffsetQuery } from '../../../broker/client/types.ts'
import { kafkaFailure, unknownTopic, type FakeKafkaState } from './state.ts'

export function fetchOne(
  kafka: FakeKafkaState,
  wished: { topic: string; partition: number; fetchOffset: number; partitionBytesMax?: number },
  maxBytes = 50e6,
): FetchedPartition {
  const log = kafka.topics.get(wished.topic)?.partitions[wished.partition]
  const base = { topic: wished.topic, partition: wished.partition, fetchOffset: wished.fetchOffset }
  const rest = { abortedTransactions: null, divergingEpoch: null, preferredReadReplica: null }
  const empty = { ...base, ...rest, records: Buffer.alloc(0), highWatermark: log?.endOffset ?? -1, lastStableOffset: log?.endOffset ?? -1 }
  if (log === undefined) return { ...empty, logStartOffset: -1, error: unknownTopic(wished.topic) }
  if (wished.fetchOffset < log.logStartOffset || wished.fetchOffset > log.endOffset) {
    return { ...empty, logStartOffset: log.logStartOffset, error: kafkaFailure(1, 'The offset is out of range.') }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for (const batch of log.batches) {
    if (batch.baseOffset + batch.records.length <= wished.fetchOffset) continue
    if (chunks.length > 0 && bytes + batch.bytes.length > Math.min(wished.partitionBytesMax ?? 1e6, maxBytes)) break
    chunks.push(batch.bytes)
    bytes += batch.bytes.length
  }
  return { ...empty, logStartOffset: log.logStartOffset, error: null, records: Buffer.concat(chunks) }
}

export function listOne(kafka: FakeKafkaState, { topic, partition, spec }: OffsetQuery): ListedOffset {
  const log = kafka.topics.get(topic)?.partitions[partition]
  const answer = (offset: number | null, timestampMs: number | null): ListedOffset => ({
    topic,
    partition,
    spec,
    offset,
    timestampMs,
    leaderEpoch: 0,
    error: null,
  })
  if (log === undefined) return { ...answer(null, null), error: unknownTopic(topic) }
  if (spec === 'earliest') return answer(log.logStartOffset, -1)
  if (spec === 'latest') return answer(log.endOffset, -1)
  const all = log.batches.flatMap(({ baseOffset, records }) =>
    records.map(({ timestampMs }, at) => ({ offset: baseOffset + at, timestampMs })),
  )
  const inLog = all.filter(({ offset }) => offset >= log.logStartOffset)
  if (spec === 'max-timestamp') {
    const newest = inLog.reduce<(typeof inLog)[number] | null>(
      (best, record) => (best === null || record.timestampMs > best.timestampMs ? record : best),
      null,
    )
    return answer(newest?.offset ?? null, newest?.timestampMs ?? null)
  }
  const found = inLog.find(({ timestampMs }) => timestampMs >= spec.timestampMs)
  return answer(found?.offset ?? null, found?.timestampMs ?? null)
}
