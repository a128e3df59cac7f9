import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, test } from 'vitest'
import { until } from '../support/until.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { kafkaJs } from './support/kafkajs.ts'
import { consumeWithKcat } from './support/kcat.ts'
import { platformaticProducer } from './support/platformatic.ts'
import { expectSame, keyedRecords, type TestRecord } from './support/records.ts'

/** A broker is killed and comes back while an idempotent producer writes: every record is there once, in order. */
const RECORD_COUNT = 20_000
const CHUNK_RECORDS = 500
const PARTITION_COUNT = 3

type Write = (brokers: string, topic: string, chunks: AsyncIterable<readonly TestRecord[]>) => Promise<void>

/** Keys are "key-17". */
const partitionOf = (key: string) => Number(key.split('-')[1]) % PARTITION_COUNT

const writers: Record<string, Write> = {
  async kcat(brokers, topic, chunks) {
    const options = ['-K', '\t', '-X', 'enable.idempotence=true', '-X', 'linger.ms=2', '-X', 'message.timeout.ms=60000']
    const child = spawn('kcat', ['-P', '-b', brokers, '-t', topic, ...options], { stdio: ['pipe', 'ignore', 'pipe'] })
    const complaints: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    for await (const chunk of chunks) {
      if (!child.stdin.write(chunk.map(({ key, value }) => `${key}\t${value}\n`).join(''))) await once(child.stdin, 'drain')
    }
    child.stdin.end()
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`kcat ended with ${code}: ${Buffer.concat(complaints).toString()}`)
  },

  async kafkajs(brokers, topic, chunks) {
    const producer = kafkaJs(brokers).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for await (const chunk of chunks) {
      // One partition a send: when a partition moves to a broker that has answered for others in the same send, kafkajs
      // leaves its records out and reports success (sendMessages.js: it asks only brokers without a response).
      for (let partition = 0; partition < PARTITION_COUNT; partition++) {
        const messages = chunk.filter(({ key }) => partitionOf(key) === partition).map(({ key, value }) => ({ key, value, partition }))
        if (messages.length > 0) await producer.send({ topic, messages })
      }
    }
    await producer.disconnect()
  },

  async platformatic(brokers, topic, chunks) {
    const producer = platformaticProducer(brokers, { idempotent: true })
    for await (const chunk of chunks) await producer.send({ messages: chunk.map(({ key, value }) => ({ topic, key, value })), acks: -1 })
    await producer.close()
  },
}

let weir: WeirProcess
beforeAll(async () => {
  weir = await startWeir(['--ephemeral', '--restart', 'on-failure'])
})
afterAll(async () => {
  await weir?.stop()
})

let next = 0
for (const [name, write] of Object.entries(writers)) {
  test(`idempotent writes of ${name} survive the death and return of a broker`, async () => {
    const brokers = weir.bootstrapServers
    const topic = `idempotent-${name}`
    const admin = kafkaJs(brokers).admin()
    await admin.connect()
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITION_COUNT }] })
    const stored = async () => {
      const offsets = await admin.fetchTopicOffsets(topic).catch(() => [])
      return offsets.reduce((sum, { high }) => sum + Number(high), 0)
    }
    const records = keyedRecords(RECORD_COUNT, 100)
    // Each test kills another broker, as each is restarted under a new process id.
    const victim = weir.brokers[next++ % weir.brokers.length]!

    async function* chunksWithAKill() {
      for (let from = 0; from < records.length; from += CHUNK_RECORDS) {
        if (from === records.length / 2) {
          await until('the first records to be stored', async () => (await stored()) > 0)
          process.kill(victim.pid, 'SIGKILL')
        }
        yield records.slice(from, from + CHUNK_RECORDS)
      }
    }
    await write(brokers, topic, chunksWithAKill())
    await until('all records to be stored', async () => (await stored()) >= RECORD_COUNT)
    await admin.disconnect()
    expectSame(await consumeWithKcat(brokers, topic), records)
  })
}
