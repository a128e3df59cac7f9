/** The controller's APIs on decisions that commit at once: who may, what is asked, what is answered, in every version. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createTopicsApi } from '../../../broker/api/19-create-topics.ts'
import { deleteTopicsApi } from '../../../broker/api/20-delete-topics.ts'
import { alterConfigsApi } from '../../../broker/api/33-alter-configs.ts'
import { createPartitionsApi } from '../../../broker/api/37-create-partitions.ts'
import { electLeadersApi } from '../../../broker/api/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../../../broker/api/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../../../broker/api/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsApi } from '../../../broker/api/46-list-partition-reassignments.ts'
import { alterPartitionApi } from '../../../broker/api/56-alter-partition.ts'
import { updateFeaturesApi } from '../../../broker/api/57-update-features.ts'
import { envelopeApi } from '../../../broker/api/58-envelope.ts'
import { brokerRegistrationApi } from '../../../broker/api/62-broker-registration.ts'
import { brokerHeartbeatApi } from '../../../broker/api/63-broker-heartbeat.ts'
import { unregisterBrokerApi } from '../../../broker/api/64-unregister-broker.ts'
import { allocateProducerIdsApi } from '../../../broker/api/67-allocate-producer-ids.ts'
import type { RequestContext } from '../../../broker/api/context.ts'
import { NotController, type ControllerServices } from '../../../broker/api/controller-context.ts'
import { encodeForwardedPrincipal } from '../../../broker/api/forwarded-principal.ts'
import type { ApiDefinition } from '../../../broker/api/registry.ts'
import type { Decision, DecisionInput } from '../../../broker/cluster/decision.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { decodeMessage, encodeToBuffer } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { ZERO_UUID } from '../../../broker/wire/schema.ts'
import { requestContext } from '../../support/request-context.ts'
import { TestCluster } from '../cluster/cluster-fixture.ts'

let cluster: TestCluster
let isActive: boolean

beforeEach(() => {
  cluster = new TestCluster().start(1, 2, 3)
  isActive = true
})

const controller: ControllerServices['controller'] = {
  get isActive() {
    return isActive
  },
  async write<Answer>(decide: (input: DecisionInput) => Decision<Answer>, options?: { readonly isRehearsal: boolean }) {
    if (!isActive) throw new NotController()
    const decision = decide(cluster.input)
    return options?.isRehearsal === true ? decision.answer : cluster.decide(decision)
  },
  async registerBroker() {
    if (!isActive) throw new NotController()
    return { errorCode: ErrorCode.NONE, brokerEpoch: 7 }
  },
  async heartbeat() {
    if (!isActive) throw new NotController()
    return { errorCode: ErrorCode.NONE, isCaughtUp: true, isFenced: false, shouldShutDown: false }
  },
}

const services = {
  controller,
  image: () => cluster.image,
  topicDefaults: { partitionCount: 2, replicationFactor: 3 },
  newUuid: () => cluster.newId(),
  overrides: {},
  forwarded: {
    carryOut: async (frame: Buffer, from: { principal: { name: string } }) => Buffer.concat([frame, Buffer.from(from.principal.name)]),
  },
}

/** Sends the request through its encoding and the answer through its own, as a client of that version would see it. */
async function call(api: ApiDefinition<never>, version: number, request: object, context: Partial<RequestContext> = {}): Promise<any> {
  const { schema } = api
  const asSent = decodeMessage(schema.request, version, encodeToBuffer(schema.request, version, request as never))
  const response = await api.handle!(asSent, requestContext({ apiVersion: version, ...context }), services as never)
  return decodeMessage(schema.response, version, encodeToBuffer(schema.response, version, response as never))
}

const topic = (name: string, fields: object = {}) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...fields,
})
const nobody = { authorize: () => false }

describe('reassignments', () => {
  const move = (...partitions: readonly (readonly [number, readonly number[] | null])[]) => ({
    topics: [{ name: 'a', partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })) }],
  })

  beforeEach(() => {
    cluster.create({ name: 'a', partitionCount: 2, replicationFactor: 2 })
  })

  it.each([0, 1])('are answered partition by partition, in v%i', async (version) => {
    const answer = await call(alterPartitionReassignmentsApi, version, move([0, [3, 2]], [1, null], [7, [1]]))
    expect(answer).toMatchObject({ errorCode: ErrorCode.NONE, responses: [{ name: 'a' }] })
    expect(answer.responses[0].partitions).toMatchObject([
      { partitionIndex: 0, errorCode: ErrorCode.NONE, errorMessage: null },
      { partitionIndex: 1, errorCode: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS },
      { partitionIndex: 7, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
  })

  it('that would change the replication factor are refused where the request says so', async () => {
    const request = { ...move([0, [1]]), allowReplicationFactorChange: false }
    const answer = await call(alterPartitionReassignmentsApi, 1, request)
    expect(answer.responses[0].partitions[0].errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
  })

  it('are listed while they are under way, all or those named', async () => {
    const before = cluster.image.partition('a', 0)!.replicas
    const target = [1, 2, 3].filter((id) => id !== before[0])
    await call(alterPartitionReassignmentsApi, 1, move([0, target]))
    const ongoing = { partitionIndex: 0, removingReplicas: [before[0]], addingReplicas: target.filter((id) => !before.includes(id)) }
    for (const topics of [null, [{ name: 'a', partitionIndexes: [0, 1] }]]) {
      const answer = await call(listPartitionReassignmentsApi, 0, { topics })
      expect(answer.topics).toMatchObject([{ name: 'a', partitions: [ongoing] }])
    }
    expect((await call(listPartitionReassignmentsApi, 0, { topics: [{ name: 'a', partitionIndexes: [1] }] })).topics).toEqual([])
  })

  it('are the cluster administrator’s', async () => {
    const refused = { authorize: () => false }
    expect((await call(alterPartitionReassignmentsApi, 1, move([0, [1]]), refused)).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    expect((await call(listPartitionReassignmentsApi, 0, { topics: null }, refused)).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  })
})

describe('CreateTopics', () => {
  const create = (version: number, topics: object[], fields: object = {}, context = {}) =>
    call(createTopicsApi, version, { topics, timeoutMs: 1_000, validateOnly: false, ...fields }, context)

  it.each([2, 3, 4, 5, 6, 7])('answers for each topic on its own in v%i', async (version) => {
    const { topics } = await create(version, [topic('a'), topic('a b'), topic('c', { configs: [{ name: 'retention.ms', value: 'x' }] })])
    expect(topics.map(({ errorCode }: any) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_CONFIG,
    ])
    expect(cluster.image.topicCount).toBe(1)
  })

  it('returns from v5 on what the topic is like, and its id from v7 on', async () => {
    const { topics } = await create(7, [
      topic('a', { numPartitions: -1, replicationFactor: -1, configs: [{ name: 'retention.ms', value: '5' }] }),
    ])
    expect(topics[0]).toMatchObject({ numPartitions: 2, replicationFactor: 3, topicId: cluster.image.topic('a')!.id })
    expect(topics[0].configs.find(({ name }: any) => name === 'retention.ms')).toMatchObject({ value: '5', configSource: 1 })
    expect(topics[0].configs.find(({ name }: any) => name === 'cleanup.policy')).toMatchObject({ value: 'delete', configSource: 5 })
  })

  it('changes nothing in a dry run', async () => {
    const { topics } = await create(7, [topic('a')], { validateOnly: true })
    expect(topics[0]).toMatchObject({ errorCode: ErrorCode.NONE, topicId: ZERO_UUID })
    expect(cluster.image.topicCount).toBe(0)
  })

  it('is refused to who may not create', async () => {
    const { topics } = await create(7, [topic('a')], {}, nobody)
    expect(topics[0].errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    expect(cluster.image.topicCount).toBe(0)
  })

  it('places replicas as it is told', async () => {
    const assignments = [
      { partitionIndex: 0, brokerIds: [3, 1] },
      { partitionIndex: 1, brokerIds: [2, 3] },
    ]
    await create(4, [topic('a', { numPartitions: -1, replicationFactor: -1, assignments })])
    expect(cluster.image.topic('a')!.partitions.map(({ replicas }) => replicas)).toEqual([
      [3, 1],
      [2, 3],
    ])
  })
})

describe('DeleteTopics', () => {
  it('takes names up to v5, names or ids in v6, and not both', async () => {
    for (const name of ['a', 'b', 'c']) cluster.create({ name })
    const { id } = cluster.image.topic('b')!
    expect(
      (await call(deleteTopicsApi, 3, { topicNames: ['a', 'x'], timeoutMs: 1 })).responses.map(({ errorCode }: any) => errorCode),
    ).toEqual([ErrorCode.NONE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    const topics = [
      { name: null, topicId: id },
      { name: 'c', topicId: id },
      { name: null, topicId: ZERO_UUID },
    ]
    const { responses } = await call(deleteTopicsApi, 6, { topics, timeoutMs: 1 })
    expect(responses.map(({ errorCode }: any) => errorCode)).toEqual([ErrorCode.NONE, ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST])
    expect(responses[0]).toMatchObject({ name: 'b', topicId: id })
    expect([...cluster.image.topics()].map(({ name }) => name)).toEqual(['c'])
  })

  it('does not tell who may not see a topic that its id exists', async () => {
    cluster.create({ name: 'a' })
    const byId = { topics: [{ name: null, topicId: cluster.image.topic('a')!.id }], timeoutMs: 1 }
    expect((await call(deleteTopicsApi, 6, byId, nobody)).responses[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
    const byName = { topics: [{ name: 'a', topicId: ZERO_UUID }], timeoutMs: 1 }
    expect((await call(deleteTopicsApi, 6, byName, nobody)).responses[0].errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  })
})

it('CreatePartitions raises the number, dry or not', async () => {
  cluster.create({ name: 'a' })
  const request = { topics: [{ name: 'a', count: 3, assignments: null }], timeoutMs: 1, validateOnly: true }
  expect((await call(createPartitionsApi, 3, request)).results).toMatchObject([{ name: 'a', errorCode: ErrorCode.NONE }])
  expect(cluster.image.topic('a')!.partitions.length).toBe(1)
  await call(createPartitionsApi, 0, { ...request, validateOnly: false })
  expect(cluster.image.topic('a')!.partitions.length).toBe(3)
  expect((await call(createPartitionsApi, 3, request, nobody)).results[0].errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
})

describe('changing settings', () => {
  const incremental = (configs: object[], resource: object = {}, context = {}) =>
    call(
      incrementalAlterConfigsApi,
      1,
      { resources: [{ resourceType: 2, resourceName: 'a', configs, ...resource }], validateOnly: false },
      context,
    )

  beforeEach(() => void cluster.create({ name: 'a' }))

  it('one by one checks the outcome', async () => {
    await incremental([
      { name: 'retention.ms', configOperation: 0, value: '5' },
      { name: 'cleanup.policy', configOperation: 2, value: 'compact' },
    ])
    expect(cluster.image.configOf(ConfigResourceType.TOPIC, 'a')).toEqual(
      new Map([
        ['retention.ms', '5'],
        ['cleanup.policy', 'delete,compact'],
      ]),
    )
    const { responses } = await incremental([{ name: 'retention.ms', configOperation: 0, value: '-7' }])
    expect(responses[0]).toMatchObject({ errorCode: ErrorCode.INVALID_CONFIG, resourceName: 'a' })
    expect(responses[0].errorMessage).toContain('retention.ms')
    expect((await incremental([{ name: 'retention', configOperation: 0, value: '7' }])).responses[0].errorCode).toBe(
      ErrorCode.INVALID_CONFIG,
    )
  })

  it('takes no list of throttled replicas that throttles none', async () => {
    const set = (value: string) => incremental([{ name: 'leader.replication.throttled.replicas', configOperation: 0, value }])
    const { responses } = await set('all')
    expect(responses[0]).toMatchObject({ errorCode: ErrorCode.INVALID_CONFIG })
    expect(responses[0].errorMessage).toContain('leader.replication.throttled.replicas must be "*" or partition:broker pairs')
    expect((await set('0:1,1:2')).responses[0].errorCode).toBe(ErrorCode.NONE)
  })

  it('of brokers takes those that can change while they run', async () => {
    const broker = { resourceType: 4, resourceName: '' }
    expect((await incremental([{ name: 'log.retention.ms', configOperation: 0, value: '9' }], broker)).responses[0].errorCode).toBe(
      ErrorCode.NONE,
    )
    expect((await incremental([{ name: 'num.partitions', configOperation: 0, value: '9' }], broker)).responses[0].errorCode).toBe(
      ErrorCode.INVALID_CONFIG,
    )
  })

  it('all at once resets the rest', async () => {
    await incremental([{ name: 'retention.ms', configOperation: 0, value: '5' }])
    const resources = [{ resourceType: 2, resourceName: 'a', configs: [{ name: 'segment.ms', value: '1000' }] }]
    expect((await call(alterConfigsApi, 0, { resources, validateOnly: false })).responses[0].errorCode).toBe(ErrorCode.NONE)
    expect(cluster.image.configOf(ConfigResourceType.TOPIC, 'a')).toEqual(new Map([['segment.ms', '1000']]))
  })

  it('is refused to who may not', async () => {
    expect((await incremental([], {}, nobody)).responses[0].errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    expect((await incremental([], { resourceType: 4, resourceName: '' }, nobody)).responses[0].errorCode).toBe(
      ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
    )
  })
})

describe('what administrators ask for', () => {
  it('elections come back by topic', async () => {
    cluster.create({
      name: 'a',
      partitionCount: -1,
      replicationFactor: -1,
      assignments: new Map([
        [0, [1, 2]],
        [1, [2, 1]],
      ]),
    })
    const request = { electionType: 0, topicPartitions: [{ topic: 'a', partitions: [0, 1] }], timeoutMs: 1 }
    const { replicaElectionResults } = await call(electLeadersApi, 2, request)
    expect(replicaElectionResults).toMatchObject([
      { topic: 'a', partitionResult: [{ partitionId: 0, errorCode: ErrorCode.ELECTION_NOT_NEEDED }, { partitionId: 1 }] },
    ])
    expect((await call(electLeadersApi, 2, { ...request, electionType: 5 })).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('a broker is forgotten', async () => {
    expect((await call(unregisterBrokerApi, 0, { brokerId: 3 })).errorCode).toBe(ErrorCode.NONE)
    expect((await call(unregisterBrokerApi, 0, { brokerId: 3 })).errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
    expect((await call(unregisterBrokerApi, 0, { brokerId: 2 }, nobody)).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  })

  it('feature levels fail per feature up to v1, as a whole in v2', async () => {
    const request = { timeoutMs: 1, featureUpdates: [{ feature: 'no.such', maxVersionLevel: 1, upgradeType: 1 }], validateOnly: false }
    expect(await call(updateFeaturesApi, 1, request)).toMatchObject({
      errorCode: 0,
      results: [{ feature: 'no.such', errorCode: ErrorCode.INVALID_UPDATE_VERSION }],
    })
    expect(await call(updateFeaturesApi, 2, request)).toMatchObject({ errorCode: ErrorCode.INVALID_UPDATE_VERSION, results: [] })
  })
})

describe('what brokers ask for', () => {
  const asBroker = (id: number) => ({ listener: 'INTERNAL', principal: { type: 'Node', name: String(id) } as const })

  it('a node speaks for itself only', async () => {
    const registration = { brokerId: 1, clusterId: 'x', incarnationId: ZERO_UUID, listeners: [], features: [], rack: null }
    expect((await call(brokerRegistrationApi, 4, registration, asBroker(1))).brokerEpoch).toBe(7)
    expect((await call(brokerRegistrationApi, 4, registration, asBroker(2))).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    const beat = { brokerId: 1, brokerEpoch: 7, currentMetadataOffset: 1, wantFence: false, wantShutDown: false }
    expect((await call(brokerHeartbeatApi, 2, beat, asBroker(1))).isFenced).toBe(false)
    expect((await call(brokerHeartbeatApi, 2, beat, asBroker(2))).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    const ids = { brokerId: 1, brokerEpoch: cluster.image.broker(1)!.brokerEpoch }
    expect((await call(allocateProducerIdsApi, 0, ids, asBroker(1))).errorCode).toBe(ErrorCode.NONE)
    expect((await call(allocateProducerIdsApi, 0, ids, asBroker(2))).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    expect((await call(alterPartitionApi, 3, { ...ids, topics: [] }, asBroker(1))).errorCode).toBe(ErrorCode.NONE)
    expect((await call(alterPartitionApi, 3, { ...ids, topics: [] }, asBroker(2))).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  })

  it('is told when this is not the controller', async () => {
    isActive = false
    const beat = { brokerId: 1, brokerEpoch: 7, currentMetadataOffset: 1, wantFence: false, wantShutDown: false }
    expect((await call(brokerHeartbeatApi, 2, beat, asBroker(1))).errorCode).toBe(ErrorCode.NOT_CONTROLLER)
    expect((await call(allocateProducerIdsApi, 0, { brokerId: 1, brokerEpoch: 0 }, asBroker(1))).errorCode).toBe(ErrorCode.NOT_CONTROLLER)
    const request = {
      requestData: Buffer.from('x'),
      requestPrincipal: encodeForwardedPrincipal({ type: 'User', name: 'alice' }),
      clientHostAddress: Buffer.alloc(0),
    }
    expect((await call(envelopeApi, 0, request, asBroker(1))).errorCode).toBe(ErrorCode.NOT_CONTROLLER)
  })

  it('in-sync sets are answered in the shape of the request', async () => {
    cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, [1, 2]]]) })
    const topicId = cluster.image.topic('a')!.id
    const partition = (partitionIndex: number) => ({
      partitionIndex,
      leaderEpoch: 0,
      newIsr: [1],
      leaderRecoveryState: 0,
      partitionEpoch: 0,
    })
    const request = {
      brokerId: 1,
      brokerEpoch: cluster.image.broker(1)!.brokerEpoch,
      topics: [{ topicId, partitions: [partition(0), partition(1)] }],
    }
    const { topics } = await call(alterPartitionApi, 2, request, asBroker(1))
    expect(topics[0].partitions).toMatchObject([
      { partitionIndex: 0, errorCode: 0, isr: [1], partitionEpoch: 1 },
      { partitionIndex: 1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
  })

  it('a proposal that ends the proposer’s leadership says so', async () => {
    cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, [1, 2]]]) })
    const move = { topics: [{ name: 'a', partitions: [{ partitionIndex: 0, replicas: [2, 3] }] }] }
    expect((await call(alterPartitionReassignmentsApi, 1, move)).responses[0].partitions[0].errorCode).toBe(ErrorCode.NONE)
    const { leaderEpoch, partitionEpoch } = cluster.image.partition('a', 0)!
    const partition = { partitionIndex: 0, leaderEpoch, newIsr: [1, 2, 3], leaderRecoveryState: 0, partitionEpoch }
    const { brokerEpoch } = cluster.image.broker(1)!
    const request = { brokerId: 1, brokerEpoch, topics: [{ topicId: cluster.image.topic('a')!.id, partitions: [partition] }] }
    expect((await call(alterPartitionApi, 2, request, asBroker(1))).topics[0].partitions[0].errorCode).toBe(ErrorCode.NEW_LEADER_ELECTED)
    expect(cluster.image.partition('a', 0)).toMatchObject({ replicas: [2, 3], leader: 2 })
  })

  it("a client's request is carried out for the client", async () => {
    const request = {
      requestData: Buffer.from('request of '),
      requestPrincipal: encodeForwardedPrincipal({ type: 'User', name: 'alice' }),
      clientHostAddress: Buffer.alloc(0),
    }
    expect((await call(envelopeApi, 0, request, asBroker(1))).responseData.toString()).toBe('request of alice')
    expect((await call(envelopeApi, 0, request)).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
    expect((await call(envelopeApi, 0, { ...request, requestPrincipal: Buffer.from('?') }, asBroker(1))).errorCode).toBe(
      ErrorCode.PRINCIPAL_DESERIALIZATION_FAILURE,
    )
  })
})
