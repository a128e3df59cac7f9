/** Writing to the cluster in memory, and reading from it as the only member of a group. */
import type { ClientError } from '../../../broker/client/error.ts'
import type { GroupConsumer, Producer, ProducerRecord, RecordAcknowledgement } from '../../../broker/client/types.ts'
import { unknownTopic, type FakeKafkaState } from './state.ts'

export function producerOf(kafka: FakeKafkaState): Producer {
  let sentRecordCount = 0
  const send = async (record: ProducerRecord): Promise<RecordAcknowledgement> => {
    kafka.call('send')
    const topic = kafka.topics.get(record.topic)
    if (topic === undefined) throw unknownTopic(record.topic)
    const partition = record.partition ?? sentRecordCount % topic.partitions.length
    const timestampMs = record.timestampMs ?? Date.now()
    const offset = kafka.append(record.topic, partition, [
      { timestampMs, key: record.key ?? null, value: record.value, headers: record.headers },
    ])
    sentRecordCount += 1
    return { topic: record.topic, partition, offset, timestampMs }
  }
  return {
    send,
    sendAll: (records) =>
      Promise.all(
        records.map((record) =>
          send(record).then(
            (acknowledgement) => ({ acknowledgement, error: null }),
            (error: ClientError) => ({ acknowledgement: null, error }),
          ),
        ),
      ),
    flush: async () => undefined,
    close: async () => undefined,
    stats: () => ({ bufferedBytes: 0, bufferedRecordCount: 0, sentRecordCount, failedRecordCount: 0, retriedBatchCount: 0 }),
  }
}

/** Reads every partition from its start; there is no other member. */
export function consumerOf(kafka: FakeKafkaState, topics: readonly string[]): GroupConsumer {
  const positions = new Map<string, number>()
  const paused = new Set<string>()
  const places = () => topics.flatMap((topic) => (kafka.topics.get(topic)?.partitions ?? []).map((_, partition) => ({ topic, partition })))
  const keyOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}-${partition}`
  return {
    async poll() {
      await new Promise((resolve) => setImmediate(resolve))
      return places().flatMap((place) => {
        const log = kafka.partition(place.topic, place.partition)
        const position = positions.get(keyOf(place)) ?? log.logStartOffset
        if (paused.has(keyOf(place)) || position >= log.endOffset) return []
        const records = log.batches
          .flatMap(({ baseOffset, records: inBatch }) => inBatch.map((record, at) => ({ ...record, offset: baseOffset + at })))
          .filter(({ offset }) => offset >= position)
          .slice(0, 50)
          .map(({ offset, timestampMs, key, value }) => ({
            offset,
            timestampMs,
            key: key === null ? null : Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
            headers: [],
          }))
        const nextOffset = position + records.length
        positions.set(keyOf(place), nextOffset)
        return [{ ...place, records, nextOffset, highWatermark: log.endOffset }]
      })
    },
    commit: async () => undefined,
    assignment: places,
    seek: (place, offset) => void positions.set(keyOf(place), offset),
    pause: (list) => list.forEach((place) => paused.add(keyOf(place))),
    resume: (list) => list.forEach((place) => paused.delete(keyOf(place))),
    state: 'stable',
    memberId: 'member',
    generationId: 1,
    close: async () => undefined,
  }
}
