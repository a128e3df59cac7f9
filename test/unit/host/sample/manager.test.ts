import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleTopic } from '../../../../broker/contract/sample.ts'
import { backfillCount } from '../../../../broker/host/sample/truck-producer.ts'
import { until } from '../../../support/until.ts'
import { failure, firstOf, startHarness, type HostHarness } from '../harness.ts'

let harness: HostHarness
beforeEach(async () => {
  harness = await startHarness()
})
afterEach(() => harness.close())

const recordsOf = () =>
  harness.kafka.topics.get(sampleTopic)?.partitions.flatMap(({ batches }) => batches.flatMap(({ records }) => records)) ?? []

test('writes an hour of every truck with past timestamps, and not again when started anew', async () => {
  const { client, clusterId, kafka } = harness
  const startMs = Date.now()
  await client.sample.start({ clusterId, speed: 1 })
  await firstOf(
    client,
    (signal) => client.sample.watch({ clusterId }, { signal }),
    ({ status }) => status === 'running',
  )
  const past = recordsOf()
  expect(past.length).toBeGreaterThanOrEqual(backfillCount)
  expect(Math.min(...past.map(({ timestampMs }) => timestampMs))).toBeLessThan(startMs - 3_590_000)
  expect(kafka.topics.get(sampleTopic)?.partitions).toHaveLength(10)
  expect(kafka.topics.get(sampleTopic)?.configs.has('retention.bytes')).toBe(true)
  expect((await failure(client.sample.start({ clusterId }))).code).toBe('SAMPLE_STATE_CONFLICT')
  await client.sample.stop({ clusterId })
  const count = recordsOf().length
  await client.sample.start({ clusterId, speed: 1 })
  await until(
    'it to run',
    async () =>
      (
        await firstOf(
          client,
          (signal) => client.sample.watch({ clusterId }, { signal }),
          () => true,
        )
      ).status === 'running',
  )
  expect(recordsOf().length).toBeLessThan(count + backfillCount)
})

test('a cluster on which the topic cannot be made fails the run with the reason', async () => {
  const { client, clusterId, kafka } = harness
  kafka.isDown = true
  await client.sample.start({ clusterId })
  const state = await firstOf(
    client,
    (signal) => client.sample.watch({ clusterId }, { signal }),
    ({ status }) => status === 'failed',
  )
  expect(state.problem).toMatchObject({ code: 'CLUSTER_UNREACHABLE', subject: sampleTopic })
})
