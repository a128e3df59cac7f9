import { describe, expect, it } from 'vitest'
import { findCoordinatorApi } from '../../../broker/api/10-find-coordinator.ts'
import { deleteRecordsApi } from '../../../broker/api/21-delete-records.ts'
import { initProducerIdApi } from '../../../broker/api/22-init-producer-id.ts'
import { offsetForLeaderEpochApi } from '../../../broker/api/23-offset-for-leader-epoch.ts'
import { describeLogDirsApi } from '../../../broker/api/35-describe-log-dirs.ts'
import { describeClusterApi } from '../../../broker/api/60-describe-cluster.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { hostedTopic } from '../../support/hosted-partitions.ts'
import { imageOf } from '../../support/images.ts'
import { producedBatch } from '../../support/produced-batch.ts'
import { requestContext } from '../../support/request-context.ts'

const denied = () => false

async function filled(records = 10) {
  const on = hostedTopic([{ leaderEpoch: 4 }])
  on.hosted[0]!.append(producedBatch(records), { origin: 'client', acks: 1, timeoutMs: 1, zstdAllowed: true })
  await Promise.resolve()
  return on
}

describe('DeleteRecords', () => {
  const request = (name: string, offset: number) => ({ topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }], timeoutMs: 1 })
  const ask = async (name: string, offset: number, authorize = () => true) => {
    const services = { partitions: (await filled()).partitions as never }
    const answer = (await deleteRecordsApi.handle!(request(name, offset), requestContext({ apiVersion: 2, authorize }), services)) as {
      topics: { partitions: { errorCode: number; lowWatermark: number }[] }[]
    }
    return answer.topics[0]!.partitions[0]!
  }

  it('moves the log start and answers the low watermark', async () => {
    expect(await ask('orders', 4)).toMatchObject({ errorCode: 0, lowWatermark: 4 })
    expect(await ask('orders', -1)).toMatchObject({ errorCode: 0, lowWatermark: 10 })
  })

  it('refuses offsets beyond the end, unknown and internal topics, and who may not', async () => {
    expect((await ask('orders', 11)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect((await ask('absent', 0)).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await ask('__consumer_offsets', 0)).errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    expect((await ask('orders', 0, denied)).errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  })
})

describe('InitProducerId', () => {
  const granted = { producerIds: { next: async () => ({ producerId: 4711 }) } }
  const ask = (fields: object, services: object = granted, authorize = () => true) =>
    initProducerIdApi.handle!(
      { transactionalId: null, transactionTimeoutMs: 0, producerId: -1, producerEpoch: -1, ...fields } as never,
      requestContext({ apiVersion: 5, authorize }),
      services as typeof granted,
    )

  it('gives an idempotent producer a new id with epoch 0, whatever it had before', async () => {
    expect(await ask({})).toMatchObject({ errorCode: 0, producerId: 4711, producerEpoch: 0 })
    expect(await ask({ producerId: 5, producerEpoch: 3 })).toMatchObject({ errorCode: 0, producerId: 4711, producerEpoch: 0 })
  })

  it('passes on that no id is to be had', async () => {
    const none = { producerIds: { next: async () => ({ error: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }) } }
    expect(await ask({}, none)).toMatchObject({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1, producerEpoch: -1 })
  })

  it('refuses transactions, half an identity, and who may not', async () => {
    expect(await ask({ transactionalId: 'tx' })).toMatchObject({ errorCode: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED })
    expect(await ask({ transactionalId: '' })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
    expect(await ask({ producerId: 5 })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
    expect(await ask({}, granted, denied)).toMatchObject({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED })
  })
})

describe('FindCoordinator', () => {
  const ask = (keyType: number, apiVersion: number) =>
    findCoordinatorApi.handle!({ key: 'tx', keyType, coordinatorKeys: ['tx'] } as never, requestContext({ apiVersion }), {} as never)

  it('says of a transactional id what InitProducerId says of it, at once and for good', async () => {
    const errorCode = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    expect(await ask(1, 3)).toMatchObject({ errorCode, nodeId: -1 })
    expect(await ask(1, 4)).toMatchObject({ coordinators: [{ key: 'tx', errorCode, nodeId: -1 }] })
  })

  it('refuses key types it does not know', async () => {
    expect(await ask(2, 6)).toMatchObject({ coordinators: [{ errorCode: ErrorCode.INVALID_REQUEST }] })
  })
})

describe('OffsetForLeaderEpoch', () => {
  it('answers where the epoch ended', async () => {
    const on = await filled()
    on.logs[0]!.epochEnd = { leaderEpoch: 3, endOffset: 8 }
    const ask = (currentLeaderEpoch: number) =>
      offsetForLeaderEpochApi.handle!(
        { replicaId: -2, topics: [{ topic: 'orders', partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch: 3 }] }] },
        requestContext({ apiVersion: 4 }),
        { partitions: on.partitions as never },
      )
    expect(ask(-1)).toMatchObject({ topics: [{ partitions: [{ errorCode: 0, leaderEpoch: 3, endOffset: 8 }] }] })
    expect(ask(3)).toMatchObject({ topics: [{ partitions: [{ errorCode: ErrorCode.FENCED_LEADER_EPOCH }] }] })
  })
})

describe('DescribeLogDirs', () => {
  it('lists the bytes of what it hosts, all or as asked', async () => {
    const on = await filled()
    const partitions = { hosted: () => on.hosted, logDirectory: '/data', diskSpace: async () => ({ totalBytes: 9, freeBytes: 5 }) }
    const ask = (topics: { topic: string; partitions: number[] }[] | null, authorize = () => true) =>
      describeLogDirsApi.handle!({ topics } as never, requestContext({ apiVersion: 4, authorize }), { partitions: partitions as never })
    const partitionSize = on.logs[0]!.sizeBytes
    expect(await ask(null)).toMatchObject({
      errorCode: 0,
      results: [
        {
          logDir: '/data',
          totalBytes: 9,
          usableBytes: 5,
          topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, partitionSize, offsetLag: 0 }] }],
        },
      ],
    })
    expect(await ask([{ topic: 'orders', partitions: [1] }])).toMatchObject({ results: [{ topics: [] }] })
    expect(await ask(null, denied)).toMatchObject({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] })
  })
})

describe('DescribeLogDirs of a disk that failed', () => {
  it('says so, and nothing of what it held', async () => {
    const on = await filled()
    const partitions = {
      hosted: () => on.hosted,
      logDirectory: '/data',
      isLogDirectoryOffline: true,
      diskSpace: () => Promise.reject(new Error('EIO')),
    }
    const services = { partitions: partitions as never }
    expect(await describeLogDirsApi.handle!({ topics: null } as never, requestContext({ apiVersion: 4 }), services)).toMatchObject({
      errorCode: 0,
      results: [{ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, logDir: '/data', topics: [], totalBytes: -1, usableBytes: -1 }],
    })
  })
})

describe('DescribeCluster', () => {
  const image = imageOf([{ id: 1 }, { id: 2, fenced: true }])
  const ask = (fields: object) =>
    describeClusterApi.handle!(
      { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: false, ...fields },
      requestContext({ apiVersion: 2 }),
      { nodeId: 1, clusterId: 'c', image: () => image },
    )

  it('lists live brokers, and fenced ones when asked', () => {
    expect(ask({})).toMatchObject({
      errorCode: 0,
      clusterId: 'c',
      controllerId: 1,
      brokers: [{ brokerId: 1, host: 'host-1', port: 9001, isFenced: false }],
    })
    expect((ask({ includeFencedBrokers: true }) as { brokers: unknown[] }).brokers).toHaveLength(2)
  })

  it('does not describe controllers', () => {
    expect(ask({ endpointType: 2 })).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, brokers: [] })
  })
})
