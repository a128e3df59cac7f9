import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import SnappyCodec from 'kafkajs-snappy'
import * as lz4js from 'lz4js'
import { Collector, type Codec, type TestRecord } from './records.ts'

/**
 * kafkajs, with codecs plugged in the way its documentation shows. None of them is the library the broker uses, except
 * zstd, where both sides rest on the reference implementation.
 */
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

interface Encoder {
  readonly buffer: Buffer
}

CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async (encoder: Encoder) => Buffer.from(lz4js.compress(encoder.buffer)),
  decompress: async (buffer: Buffer) => Buffer.from(lz4js.decompress(buffer)),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async (encoder: Encoder) => zstdCompressSync(encoder.buffer, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
})

const TYPES: Record<Codec, number> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

const SEND_RECORDS_MAX = 5_000

export function kafkaJs(brokers: string) {
  return new Kafka({ clientId: 'compat-kafkajs', brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 20 } })
}

export async function produceWithKafkaJs(brokers: string, topic: string, records: readonly TestRecord[], codec: Codec): Promise<void> {
  const producer = kafkaJs(brokers).producer()
  await producer.connect()
  try {
    for (let from = 0; from < records.length; from += SEND_RECORDS_MAX) {
      const messages = records.slice(from, from + SEND_RECORDS_MAX).map(({ key, value }) => ({ key, value }))
      await producer.send({ topic, compression: TYPES[codec], acks: -1, messages })
    }
  } finally {
    await producer.disconnect()
  }
}

export async function consumeWithKafkaJs(brokers: string, topic: string, expected: number): Promise<TestRecord[]> {
  const consumer = kafkaJs(brokers).consumer({ groupId: `kafkajs-${topic}-${process.pid}`, maxWaitTimeInMs: 200 })
  const collector = new Collector(expected)
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value } of batch.messages) collector.add({ key: String(key), value: String(value) })
      },
    })
    await collector.reached
  } finally {
    await consumer.disconnect()
  }
  return collector.records
}
