import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { kafkaJs } from './support/kafkajs.ts'
import { platformaticConsumer } from './support/platformatic.ts'

/** A group grows from one member to six and shrinks again while records arrive; three partitions, so some stay idle. */
const SIZES = [1, 2, 3, 6, 4, 2, 1]
const RECORDS_PER_STEP = 300
const PARTITION_COUNT = 3

interface GroupMember {
  stop(): Promise<void>
}
type StartMember = (brokers: string, group: string, topic: string, onValue: (value: string) => void) => Promise<GroupMember>

const clients: Record<string, StartMember> = {
  async kcat(brokers, group, topic, onValue) {
    const options = [
      '-q',
      '-u',
      '-f',
      '%s\n',
      '-X',
      'auto.offset.reset=earliest',
      '-X',
      'session.timeout.ms=10000',
      '-X',
      'auto.commit.interval.ms=200',
    ]
    const child = spawn('kcat', ['-b', brokers, '-G', group, ...options, topic], { stdio: ['ignore', 'pipe', 'ignore'] })
    createInterface({ input: child.stdout }).on('line', onValue)
    const ended = once(child, 'exit')
    return {
      async stop() {
        child.kill('SIGTERM')
        await ended
      },
    }
  },

  async kafkajs(brokers, group, topic, onValue) {
    const consumer = kafkaJs(brokers).consumer({ groupId: group, sessionTimeout: 10_000, heartbeatInterval: 300, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => onValue(String(message.value)) })
    return { stop: () => consumer.disconnect() }
  },

  async platformatic(brokers, group, topic, onValue) {
    const consumer = platformaticConsumer(brokers, group)
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: 200,
      maxWaitTime: 100,
      sessionTimeout: 10_000,
      heartbeatInterval: 300,
    })
    stream.on('data', ({ value }) => onValue(value))
    stream.on('error', (error) => onValue(`error: ${error.message}`))
    return { stop: () => consumer.close(true) }
  },
}

let weir: WeirProcess
beforeAll(async () => {
  weir = await startWeir()
})
afterAll(async () => {
  await weir?.stop()
})

for (const [name, startMember] of Object.entries(clients)) {
  test(`a ${name} group of one to six members rebalances without losing a record`, async () => {
    const brokers = weir.bootstrapServers
    const [topic, group] = [`group-${name}`, `members-${name}`]
    const admin = kafkaJs(brokers).admin()
    const producer = kafkaJs(brokers).producer()
    await Promise.all([admin.connect(), producer.connect()])
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITION_COUNT }] })

    const seen = new Set<string>()
    const members: GroupMember[] = []
    let written = 0
    for (const size of SIZES) {
      while (members.length > size) await members.pop()!.stop()
      while (members.length < size) members.push(await startMember(brokers, group, topic, (value) => seen.add(value)))
      const messages = Array.from({ length: RECORDS_PER_STEP }, (_, index) => ({ key: `k${index}`, value: String(written + index) }))
      await producer.send({ topic, messages })
      written += RECORDS_PER_STEP
      await until(`${size} members in a stable group`, async () => {
        const { groups } = await admin.describeGroups([group])
        return groups[0]!.state === 'Stable' && groups[0]!.members.length === size
      })
      await until(`${written} records seen by ${size} members`, () => seen.size >= written)
    }
    for (const member of members) await member.stop()
    await Promise.all([admin.disconnect(), producer.disconnect()])
    expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: written }, (_, index) => String(index)))
  })
}
