import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import type { Codec, TestRecord } from './records.ts'

const SEND_RECORDS_MAX = 5_000

export function platformaticProducer(brokers: string, options: { idempotent?: boolean } = {}) {
  return new Producer({
    clientId: 'compat-platformatic',
    bootstrapBrokers: brokers.split(','),
    serializers: stringSerializers,
    retries: 50,
    ...options,
  })
}

export function platformaticConsumer(brokers: string, groupId: string) {
  return new Consumer({
    clientId: 'compat-platformatic',
    groupId,
    bootstrapBrokers: brokers.split(','),
    deserializers: stringDeserializers,
    retries: 20,
  })
}

export async function produceWithPlatformatic(brokers: string, topic: string, records: readonly TestRecord[], codec: Codec): Promise<void> {
  const producer = platformaticProducer(brokers)
  try {
    for (let from = 0; from < records.length; from += SEND_RECORDS_MAX) {
      const messages = records.slice(from, from + SEND_RECORDS_MAX).map(({ key, value }) => ({ topic, key, value }))
      await producer.send({ messages, compression: codec, acks: -1 })
    }
  } finally {
    await producer.close()
  }
}

export async function consumeWithPlatformatic(brokers: string, topic: string, expected: number): Promise<TestRecord[]> {
  const consumer = platformaticConsumer(brokers, `platformatic-${topic}-${process.pid}`)
  const records: TestRecord[] = []
  try {
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxWaitTime: 200 })
    for await (const { key, value } of stream) {
      records.push({ key, value })
      if (records.length >= expected) break
    }
  } finally {
    await consumer.close(true)
  }
  return records
}
