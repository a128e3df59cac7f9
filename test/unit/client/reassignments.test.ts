import { beforeEach, expect, test } from 'vitest'
import { alterPartitionReassignments } from '../../../broker/api/45-alter-partition-reassignments.schema.ts'
import { listPartitionReassignments } from '../../../broker/api/46-list-partition-reassignments.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import type { ClientError, KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { FakeCluster } from '../../support/fake-cluster.ts'

let world: SimulatedWorld
let cluster: FakeCluster
let client: KafkaClient

beforeEach(async () => {
  world = new SimulatedWorld({ seed: 1 })
  const env = world.start('client')
  cluster = await FakeCluster.start(world, 3)
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, requestTimeoutMs: 2_000 })
})

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const none = { throttleTimeMs: 0, allowReplicationFactorChange: true, errorCode: 0, errorMessage: null }

test('each partition is decided for itself, in the order asked, and null replicas take a move back', async () => {
  const asked: unknown[] = []
  for (const nodeId of [1, 2, 3]) {
    cluster.broker(nodeId).on(alterPartitionReassignments, ({ body }) => {
      asked.push(body.topics)
      const refused = { partitionIndex: 0, errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, errorMessage: 'Nothing moves.' }
      return { ...none, responses: [{ name: 't', partitions: [refused, { partitionIndex: 1, errorCode: 0, errorMessage: null }] }] }
    })
  }
  const results = await run(
    client.admin.alterPartitionReassignments([
      { topic: 't', partition: 1, replicas: [3, 2] },
      { topic: 't', partition: 0, replicas: null },
    ]),
  )
  expect(asked).toEqual([
    [
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, replicas: null },
          { partitionIndex: 1, replicas: [3, 2] },
        ],
      },
    ],
  ])
  expect(results.map(({ partition, error }) => [partition, error?.kafkaErrorName ?? null])).toEqual([
    [1, null],
    [0, 'NO_REASSIGNMENT_IN_PROGRESS'],
  ])
})

test('a refusal of the whole request rejects, with the words of the controller', async () => {
  for (const nodeId of [1, 2, 3]) {
    cluster.broker(nodeId).on(alterPartitionReassignments, () => ({
      ...none,
      errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: 'You may not.',
      responses: [],
    }))
  }
  const error = await run(
    client.admin.alterPartitionReassignments([{ topic: 't', partition: 0, replicas: [1] }]).then(
      () => null,
      (failure: ClientError) => failure,
    ),
  )
  expect(error?.message).toMatch(/CLUSTER_AUTHORIZATION_FAILED.*You may not/)
})

test('what moves is listed with the replicas that come and go', async () => {
  for (const nodeId of [1, 2, 3]) {
    cluster.broker(nodeId).on(listPartitionReassignments, ({ body }) => ({
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      topics:
        body.topics === null
          ? [{ name: 't', partitions: [{ partitionIndex: 4, replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] }] }]
          : [],
    }))
  }
  expect(await run(client.admin.listPartitionReassignments('all'))).toEqual([
    { topic: 't', partition: 4, replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] },
  ])
  expect(await run(client.admin.listPartitionReassignments([{ topic: 't', partition: 0 }]))).toEqual([])
})
