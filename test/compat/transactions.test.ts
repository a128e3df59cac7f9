import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { kafkaJs } from './support/kafkajs.ts'

/** There are no transactions here. A producer that wants one has to hear so, not wait until its patience ends. */
let weir: WeirProcess
beforeAll(async () => {
  weir = await startWeir(['--ephemeral', '--brokers', '1'])
})
afterAll(async () => {
  await weir?.stop()
})

test('kafkajs gives up at the first answer', async () => {
  const producer = kafkaJs(weir.bootstrapServers).producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await expect(producer.transaction()).rejects.toMatchObject({ name: 'KafkaJSGroupCoordinatorNotFound', retriable: false })
  await producer.disconnect()
})

test('librdkafka calls it fatal', () => {
  const options = ['-X', 'transactional.id=tx', '-t', 'orders']
  const { status, stderr } = spawnSync('kcat', ['-P', '-b', weir.bootstrapServers, ...options], { input: 'one\n', encoding: 'utf8' })
  expect(status).not.toBe(0)
  expect(stderr).toMatch(/Failed to find transaction coordinator: .*Transactional Id authorization failed/)
  expect(stderr).not.toMatch(/timed out/i)
})
