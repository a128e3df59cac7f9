import { beforeEach, describe, expect, it } from 'vitest'
import { describeGroups } from '../../../broker/api/15-describe-groups.schema.ts'
import { createTopics } from '../../../broker/api/19-create-topics.schema.ts'
import { deleteTopics } from '../../../broker/api/20-delete-topics.schema.ts'
import { deleteRecords } from '../../../broker/api/21-delete-records.schema.ts'
import { describeConfigs } from '../../../broker/api/32-describe-configs.schema.ts'
import { describeLogDirs } from '../../../broker/api/35-describe-log-dirs.schema.ts'
import { electLeaders } from '../../../broker/api/43-elect-leaders.schema.ts'
import { describeCluster } from '../../../broker/api/60-describe-cluster.schema.ts'
import { listOffsets } from '../../../broker/api/02-list-offsets.schema.ts'
import { offsetCommit } from '../../../broker/api/08-offset-commit.schema.ts'
import { offsetFetch } from '../../../broker/api/09-offset-fetch.schema.ts'
import { offsetDelete } from '../../../broker/api/47-offset-delete.schema.ts'
import { findCoordinator } from '../../../broker/api/10-find-coordinator.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import { encodeAssignment, encodeSubscription } from '../../../broker/client/group/consumer-protocol.ts'
import type { ClientError, KafkaClient } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'
import { FakeCluster } from '../../support/fake-cluster.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let cluster: FakeCluster
let client: KafkaClient

beforeEach(async () => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('client')
  cluster = await FakeCluster.start(world, 3)
  cluster.addTopic('t', 3)
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers, requestTimeoutMs: 2_000 })
})

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const failureOf = (operation: Promise<unknown>): Promise<ClientError> =>
  run(
    operation.then(
      () => Promise.reject(new Error('it succeeded')),
      (error: ClientError) => error,
    ),
  )
const none = { throttleTimeMs: 0, errorCode: 0 }

describe('topics', () => {
  it('are listed with internal ones, and described each for itself', async () => {
    cluster.addTopic('__consumer_offsets', 50)
    expect((await run(client.admin.listTopics())).map(({ name, partitionCount }) => [name, partitionCount])).toEqual([
      ['t', 3],
      ['__consumer_offsets', 50],
    ])
    const [known, missing] = await run(client.admin.describeTopics(['t', 'missing']))
    expect([known?.partitions.length, known?.error]).toEqual([3, null])
    expect(missing?.error?.kafkaErrorName).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('are created by the controller, wherever that has moved to, each with its own answer', async () => {
    const answer = (errorCode: number) => ({
      throttleTimeMs: 0,
      topics: [
        { name: 'new', errorCode, errorMessage: null, numPartitions: 4, replicationFactor: 1 },
        { name: 'bad name', errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: 'no spaces' },
      ],
    })
    let asked = 0
    for (const nodeId of [1, 2, 3]) cluster.broker(nodeId).on(createTopics, () => answer(asked++ === 0 ? ErrorCode.NOT_CONTROLLER : 0))
    const [created, refused] = await run(client.admin.createTopics([{ name: 'new' }, { name: 'bad name' }]))
    expect(created).toMatchObject({ partitionCount: 4, replicationFactor: 1, error: null })
    expect(refused?.error?.message).toMatch(/"bad name".*INVALID_TOPIC_EXCEPTION.*no spaces/)
    expect(asked).toBe(2)
  })

  it('are never created twice for a reply that was lost', async () => {
    let asked = 0
    for (const nodeId of [1, 2, 3]) {
      cluster.broker(nodeId).on(createTopics, ({ connection }) => {
        asked++
        connection.close('crash')
        return null
      })
    }
    expect((await failureOf(client.admin.createTopics([{ name: 'new' }]))).code).toBe('CONNECTION_LOST')
    expect(asked).toBe(1)
  })

  it('are deleted by name in the layout of the version spoken', async () => {
    for (const nodeId of [1, 2, 3]) {
      cluster
        .broker(nodeId)
        .on(deleteTopics, ({ body }) => ({ throttleTimeMs: 0, responses: body.topicNames.map((name) => ({ name, errorCode: 0 })) }), {
          min: 1,
          max: 5,
        })
    }
    expect(await run(client.admin.deleteTopics(['t']))).toEqual([{ name: 't', error: null }])
  })
})

describe('offsets', () => {
  it('are listed in the order of the queries, by position and by time, one request per leader and kind', async () => {
    const records = [1000, 2000].map((timestampMs) => ({ timestampMs, key: null, value: Buffer.from('x') }))
    cluster.append('t', 0, encodeBatch({ records }))
    cluster.append('t', 1, encodeBatch({ records }))
    const listed = await run(
      client.admin.listOffsets([
        { topic: 't', partition: 1, spec: { timestampMs: 1500 } },
        { topic: 't', partition: 0, spec: 'latest' },
        { topic: 't', partition: 0, spec: { timestampMs: 5000 } },
        { topic: 't', partition: 0, spec: 'earliest' },
        { topic: 't', partition: 9, spec: 'latest' },
      ]),
    )
    expect(listed.map(({ offset, error }) => offset ?? error?.kafkaErrorName ?? null)).toEqual([
      1,
      2,
      null,
      0,
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
    expect(listed[0]?.timestampMs).toBe(2000)
  })

  it('by largest timestamp fail where the broker is too old for that, and only those', async () => {
    cluster
      .broker(1)
      .on(
        listOffsets,
        ({ body }) => ({ topics: body.topics.map(({ name }) => ({ name, partitions: [{ partitionIndex: 0, errorCode: 0, offset: 5 }] })) }),
        { min: 1, max: 5 },
      )
    const listed = await run(
      client.admin.listOffsets([
        { topic: 't', partition: 0, spec: 'max-timestamp' },
        { topic: 't', partition: 0, spec: 'latest' },
      ]),
    )
    expect(listed.map(({ offset, error }) => offset ?? error?.code)).toEqual(['UNSUPPORTED_VERSION', 5])
    expect(listed[0]?.error?.api).toBe('ListOffsets')
  })

  it('are asked for in the epoch that was heard of, so that a leader that was replaced and does not know it is found out', async () => {
    cluster.moveLeader('t', 0, 1)
    const epochs: number[] = []
    cluster.broker(1).on(listOffsets, ({ body }) => {
      epochs.push(body.topics[0]!.partitions[0]!.currentLeaderEpoch)
      const errorCode = epochs.length === 1 ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NONE
      return { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode, offset: 7 }] }] }
    })
    const [listed] = await run(client.admin.listOffsets([{ topic: 't', partition: 0, spec: 'latest' }]))
    expect(listed).toMatchObject({ offset: 7, error: null })
    const { leaderEpoch } = cluster.partition('t', 0)
    expect(epochs).toEqual([leaderEpoch, leaderEpoch])
  })

  it('are asked of the new leader after a move', async () => {
    await run(client.metadata({ topics: ['t'] }))
    cluster.moveLeader('t', 0, 3)
    const [listed] = await run(client.admin.listOffsets([{ topic: 't', partition: 0, spec: 'latest' }]))
    expect(listed).toMatchObject({ offset: 0, error: null })
  })
})

describe('records', () => {
  it("are deleted by each partition's leader", async () => {
    for (const nodeId of [1, 2, 3]) {
      cluster.broker(nodeId).on(deleteRecords, ({ body }) => ({
        throttleTimeMs: 0,
        topics: body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, offset }) => ({
            partitionIndex,
            lowWatermark: offset,
            errorCode: nodeId === 2 ? ErrorCode.OFFSET_OUT_OF_RANGE : 0,
          })),
        })),
      }))
    }
    const deleted = await run(
      client.admin.deleteRecords([0, 1, 2].map((partition) => ({ topic: 't', partition, beforeOffset: 10 + partition }))),
    )
    expect(deleted.map(({ logStartOffset, error }) => logStartOffset ?? error?.kafkaErrorName)).toEqual([10, 'OFFSET_OUT_OF_RANGE', 12])
  })
})

describe('groups', () => {
  const member = (memberId: string, memberMetadata: Buffer, memberAssignment: Buffer) => ({
    memberId,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    memberMetadata,
    memberAssignment,
  })
  const described = (groupId: string, rest: object = {}) => ({
    errorCode: 0,
    groupId,
    groupState: 'Stable',
    protocolType: 'consumer',
    protocolData: 'range',
    members: [],
    ...rest,
  })

  it('are described with what their members read, where that is the consumer protocol', async () => {
    const metadata = encodeSubscription({ topics: ['t'], ownedPartitions: [], generationId: -1 })
    const assignment = encodeAssignment([{ topic: 't', partition: 2 }])
    cluster.broker(1).on(describeGroups, () => ({
      throttleTimeMs: 0,
      groups: [
        described('g', { members: [member('good', metadata, assignment), member('odd', Buffer.from('??'), assignment)] }),
        described('connect', { protocolType: 'connect', members: [member('worker', Buffer.from([1]), Buffer.from([2]))] }),
      ],
    }))
    const [group, connect] = await run(client.admin.describeGroups(['g', 'connect']))
    expect(group?.members.map(({ subscribedTopics, assignment: own, isParsed }) => [subscribedTopics, own, isParsed])).toEqual([
      [['t'], [{ topic: 't', partition: 2 }], true],
      [[], [{ topic: 't', partition: 2 }], false],
    ])
    expect(connect?.members[0]).toMatchObject({ isParsed: false, metadataBytes: Buffer.from([1]), assignmentBytes: Buffer.from([2]) })
  })

  it('are asked of the coordinator, again when that has moved or still loads', async () => {
    const answers = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NOT_COORDINATOR]
    cluster.broker(1).on(describeGroups, () => {
      const errorCode = answers.shift() ?? 0
      if (errorCode === ErrorCode.NOT_COORDINATOR) cluster.coordinatorId = 2
      return { throttleTimeMs: 0, groups: [described('g', { errorCode })] }
    })
    cluster.broker(2).on(describeGroups, () => ({ throttleTimeMs: 0, groups: [described('g')] }))
    const [group] = await run(client.admin.describeGroups(['g']))
    expect(group).toMatchObject({ error: null, coordinatorId: 2, state: 'Stable' })
  })

  it('by the thousand cost few requests, also to find their coordinators', async () => {
    cluster.broker(1).on(describeGroups, ({ body }) => ({ throttleTimeMs: 0, groups: body.groups.map((groupId) => described(groupId)) }))
    const ids = Array.from({ length: 1000 }, (_, index) => `g${index}`)
    const groups = await run(client.admin.describeGroups(ids))
    expect(groups.filter(({ error }) => error === null)).toHaveLength(1000)
    const lookups = [1, 2, 3].reduce((total, nodeId) => total + cluster.broker(nodeId).requestsOf(findCoordinator).length, 0)
    expect([lookups, cluster.broker(1).requestsOf(describeGroups).length]).toEqual([2, 5])
  })

  it('have offsets, fetched for several groups at once or one by one as the version allows', async () => {
    const partition = { partitionIndex: 0, committedOffset: 7, metadata: '', errorCode: 0 }
    const topics = [{ name: 't', partitions: [partition, { ...partition, partitionIndex: 1, committedOffset: -1 }] }]
    cluster
      .broker(1)
      .on(offsetFetch, ({ body, version }) =>
        version >= 8 ? { groups: body.groups.map(({ groupId }) => ({ groupId, topics, errorCode: 0 })) } : { topics, errorCode: 0 },
      )
    const several = await run(client.admin.fetchOffsets([{ groupId: 'a' }, { groupId: 'b' }]))
    expect(several.map(({ groupId, offsets }) => [groupId, offsets.map(({ offset }) => offset)])).toEqual([
      ['a', [7, null]],
      ['b', [7, null]],
    ])
    expect(cluster.broker(1).requestsOf(offsetFetch)).toHaveLength(1)
    cluster.broker(1).on(offsetFetch, () => ({ topics, errorCode: 0 }), { min: 1, max: 7 })
    const old = createClient(env, { bootstrapServers: cluster.bootstrapServers })
    expect((await run(old.admin.fetchOffsets([{ groupId: 'a' }, { groupId: 'b' }]))).map(({ offsets }) => offsets.length)).toEqual([2, 2])
    expect(cluster.broker(1).requestsOf(offsetFetch)).toHaveLength(3)
  })

  it('with members refuse to have their offsets changed, and say what to do', async () => {
    const refusing = (errorCode: number) => ({ topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }] })
    cluster.broker(1).on(offsetCommit, () => refusing(ErrorCode.UNKNOWN_MEMBER_ID))
    cluster.broker(1).on(offsetDelete, () => ({ errorCode: 0, throttleTimeMs: 0, ...refusing(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC) }))
    const [altered] = await run(client.admin.alterOffsets('g', [{ topic: 't', partition: 0, offset: 1 }]))
    expect(altered?.error?.message).toMatch(/active members; stop them first/)
    const [deleted] = await run(client.admin.deleteOffsets('g', [{ topic: 't', partition: 0 }]))
    expect(deleted?.error?.kafkaErrorName).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
  })
})

describe('settings', () => {
  it('of a broker are asked of that broker, of topics of any, and read with their meaning', async () => {
    for (const nodeId of [1, 2, 3]) {
      cluster.broker(nodeId).on(describeConfigs, ({ body }) => ({
        throttleTimeMs: 0,
        results: body.resources.map(({ resourceType, resourceName }) => ({
          errorCode: 0,
          errorMessage: null,
          resourceType,
          resourceName,
          configs: [
            {
              name: 'answered.by',
              value: `${nodeId}`,
              readOnly: false,
              configSource: 5,
              isSensitive: false,
              synonyms: [],
              configType: 3,
              documentation: null,
            },
          ],
        })),
      }))
    }
    const [three, topic] = await run(
      client.admin.describeConfigs([
        { type: 'broker', name: '3' },
        { type: 'topic', name: 't' },
      ]),
    )
    expect(three?.entries[0]).toMatchObject({ value: '3', source: 'default', type: 'int' })
    expect(topic?.error).toBeNull()
  })
})

describe('the cluster', () => {
  it('is described by Metadata where DescribeCluster is not served', async () => {
    const { clusterId, brokers } = await run(client.admin.describeCluster())
    expect([clusterId, brokers.length]).toEqual(['fake-cluster', 3])
    cluster
      .broker(1)
      .on(describeCluster, () => ({ ...none, clusterId: 'c', brokers: [{ brokerId: 1, host: 'h', port: 1, isFenced: true }] }))
    const single = createClient(env, { bootstrapServers: [cluster.bootstrapServers[0] as string] })
    expect((await run(single.admin.describeCluster())).brokers[0]?.isFenced).toBe(true)
  })

  it('shows its disks broker by broker', async () => {
    for (const nodeId of [1, 2, 3]) {
      cluster.broker(nodeId).on(describeLogDirs, () => ({
        ...none,
        errorCode: nodeId === 3 ? ErrorCode.CLUSTER_AUTHORIZATION_FAILED : 0,
        results: [
          {
            errorCode: 0,
            logDir: `/data/${nodeId}`,
            topics: [{ name: 't', partitions: [{ partitionIndex: 0, partitionSize: 42, offsetLag: 0, isFutureKey: false }] }],
          },
        ],
      }))
    }
    const { directories, failures } = await run(client.admin.describeLogDirs())
    expect(directories.map(({ path, replicas }) => [path, replicas[0]?.sizeBytes])).toEqual([
      ['/data/1', 42],
      ['/data/2', 42],
    ])
    expect(failures.map(({ nodeId, error }) => [nodeId, error.kafkaErrorName])).toEqual([[3, 'CLUSTER_AUTHORIZATION_FAILED']])
  })

  it('elects leaders, partition by partition', async () => {
    for (const nodeId of [1, 2, 3]) {
      cluster.broker(nodeId).on(electLeaders, () => ({
        ...none,
        replicaElectionResults: [
          { topic: 't', partitionResult: [{ partitionId: 1, errorCode: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, errorMessage: null }] },
        ],
      }))
    }
    const elected = await run(
      client.admin.electLeaders(
        'preferred',
        [0, 1].map((partition) => ({ topic: 't', partition })),
      ),
    )
    expect(elected.map(({ error }) => error?.kafkaErrorName ?? null)).toEqual([null, 'PREFERRED_LEADER_NOT_AVAILABLE'])
  })
})
