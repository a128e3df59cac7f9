import { afterAll, beforeAll, describe, test } from 'vitest'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { consumeWithKafkaJs, kafkaJs, produceWithKafkaJs } from './support/kafkajs.ts'
import { consumeWithKcat, produceWithKcat } from './support/kcat.ts'
import { consumeWithPlatformatic, produceWithPlatformatic } from './support/platformatic.ts'
import { CODECS, expectSame, keyedRecords, type TestRecord } from './support/records.ts'

/** Every client writes with every codec, and every client reads what each of them wrote. */
const RECORD_COUNT = 100_000
const KEY_COUNT = 1_000
const PARTITION_COUNT = 3

const producers = { kcat: produceWithKcat, kafkajs: produceWithKafkaJs, platformatic: produceWithPlatformatic }
const consumers: Record<string, (brokers: string, topic: string, expected: number) => Promise<TestRecord[]>> = {
  kcat: consumeWithKcat,
  kafkajs: consumeWithKafkaJs,
  platformatic: consumeWithPlatformatic,
}

let weir: WeirProcess
beforeAll(async () => {
  weir = await startWeir()
})
afterAll(async () => {
  await weir?.stop()
})

for (const [producerName, produce] of Object.entries(producers)) {
  describe(`${RECORD_COUNT} keyed records from ${producerName}`, () => {
    for (const codec of CODECS) {
      test(`with ${codec} are read by every client, each key in order`, async () => {
        const topic = `${producerName}-${codec}`
        const written = keyedRecords(RECORD_COUNT, KEY_COUNT)
        const admin = kafkaJs(weir.bootstrapServers).admin()
        await admin.connect()
        await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITION_COUNT }] })
        await admin.disconnect()
        await produce(weir.bootstrapServers, topic, written, codec)
        for (const consume of Object.values(consumers)) expectSame(await consume(weir.bootstrapServers, topic, written.length), written)
      })
    }
  })
}
