import { describe, expect, it } from 'vitest'
import { metadata } from '../../../broker/api/03-metadata.schema.ts'
import { metadataApi } from '../../../broker/api/03-metadata.ts'
import { OPERATIONS_NOT_REQUESTED } from '../../../broker/security/authorizer.ts'
import { decodeMessage, encodeMessage } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Decoded, Encodable } from '../../../broker/wire/schema.ts'
import { imageOf, partitionState } from '../../support/images.ts'
import { requestContext } from '../../support/request-context.ts'

type Response = Decoded<typeof metadata.response>

const ORDERS = {
  name: 'orders',
  id: 'b3JkZXJzLW9yZGVycy0wMA',
  partitions: [partitionState({ leader: 1 }), partitionState({ leader: 2, replicas: [2, 3], isr: [2] })],
}
const OFFSETS = { name: '__consumer_offsets', id: 'b2Zmc2V0cy1vZmZzZXQtMA', partitions: [partitionState({ leader: 1 })] }
const image = imageOf([{ id: 1, rack: 'r1' }, { id: 2 }, { id: 3, fenced: true }, { id: 4, listeners: ['INTERNAL'] }], [ORDERS, OFFSETS])

interface Asked {
  readonly version?: number
  readonly listener?: string
  readonly autoCreate?: boolean
  readonly authorize?: () => boolean
  readonly request: Encodable<typeof metadata.request>
  readonly on?: typeof image
}

/** Through the codec both ways, so that what a version lacks is lacking. */
async function ask({ version = 12, listener = 'CLIENT', autoCreate = true, authorize, request, on = image }: Asked) {
  const created: string[] = []
  const services = {
    nodeId: 1,
    clusterId: 'test-cluster',
    image: () => on,
    settings: { autoCreateTopics: autoCreate },
    autoTopics: {
      request(topic: string): ErrorCode {
        created.push(topic)
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      },
    },
  }
  const decoded = decodeMessage(metadata.request, version, Buffer.concat(encodeMessage(metadata.request, version, request)))
  const context = requestContext({ apiVersion: version, listener, ...(authorize && { authorize }) })
  const answer = (await metadataApi.handle!(decoded, context, services)) as Encodable<typeof metadata.response>
  const response: Response = decodeMessage(metadata.response, version, Buffer.concat(encodeMessage(metadata.response, version, answer)))
  return { response, created }
}

const topicNames = (response: Response) => response.topics.map(({ name }) => name).toSorted()
const byName = (...names: string[]) => ({ topics: names.map((name) => ({ name })) })

describe('Metadata', () => {
  it('lists the brokers of its listener that are not fenced, and itself as controller', async () => {
    const { response } = await ask({ request: { topics: [] } })
    expect(response.brokers).toEqual([
      { nodeId: 1, host: 'host-1', port: 9001, rack: 'r1' },
      { nodeId: 2, host: 'host-2', port: 9002, rack: null },
    ])
    expect([response.controllerId, response.clusterId]).toEqual([1, 'test-cluster'])
  })

  it('keeps hosts and ports per listener', async () => {
    const { response } = await ask({ listener: 'INTERNAL', request: { topics: [] } })
    expect(response.brokers.map(({ nodeId, port }) => [nodeId, port])).toEqual([
      [1, 19_001],
      [2, 19_002],
      [4, 19_004],
    ])
  })

  it('reads an empty list as all topics in v0, and as none from v1', async () => {
    expect(topicNames((await ask({ version: 0, request: { topics: [] } })).response)).toEqual(['__consumer_offsets', 'orders'])
    expect(topicNames((await ask({ version: 1, request: { topics: [] } })).response)).toEqual([])
    expect(topicNames((await ask({ version: 1, request: { topics: null } })).response)).toEqual(['__consumer_offsets', 'orders'])
  })

  it('describes partitions, and marks internal topics', async () => {
    const { response } = await ask({ request: byName('orders', '__consumer_offsets') })
    const [orders, offsets] = response.topics
    expect(orders).toMatchObject({
      errorCode: 0,
      name: 'orders',
      topicId: ORDERS.id,
      isInternal: false,
      topicAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
    })
    expect(orders!.partitions[1]).toMatchObject({
      partitionIndex: 1,
      leaderId: 2,
      replicaNodes: [2, 3],
      isrNodes: [2],
      offlineReplicas: [3],
    })
    expect(offsets!.isInternal).toBe(true)
  })

  it.each([
    ['nobody', -1, ErrorCode.LEADER_NOT_AVAILABLE],
    ['a fenced broker', 3, ErrorCode.LEADER_NOT_AVAILABLE],
    ['a broker that is not on this listener', 4, ErrorCode.LISTENER_NOT_FOUND],
  ])('answers leader -1 and a retriable error for a partition led by %s', async (_who, leader, error) => {
    const topic = { ...ORDERS, partitions: [partitionState({ leader, leaderEpoch: 7 })] }
    const on = imageOf([{ id: 1 }, { id: 3, fenced: true }, { id: 4, listeners: ['INTERNAL'] }], [topic])
    const { response } = await ask({ request: byName('orders'), on })
    expect(response.topics[0]!.partitions[0]).toMatchObject({ errorCode: error, leaderId: -1, leaderEpoch: 7 })
    const old = await ask({ version: 5, request: byName('orders'), on })
    expect(old.response.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE)
  })

  it('finds topics by id from v12, and knows an unknown id', async () => {
    const { response } = await ask({
      request: {
        topics: [
          { topicId: ORDERS.id, name: null },
          { topicId: 'AAAAAAAAAAAAAAAAAAAABw', name: null },
        ],
      },
    })
    expect(response.topics[0]).toMatchObject({ errorCode: 0, name: 'orders' })
    expect(response.topics[1]).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null, topicId: 'AAAAAAAAAAAAAAAAAAAABw' })
  })

  it('refuses a topic with neither name nor id, and ids before v12', async () => {
    const neither = await ask({ request: { topics: [{ name: null }] } })
    expect(neither.response.topics[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    const early = await ask({ version: 10, request: { topics: [{ topicId: ORDERS.id, name: 'orders' }] } })
    expect(early.response.topics[0]!.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('creates an unknown topic when the client and the settings allow it', async () => {
    const asked = await ask({ request: byName('new') })
    expect(asked.created).toEqual(['new'])
    expect(asked.response.topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await ask({ request: { ...byName('new'), allowAutoTopicCreation: false } })).created).toEqual([])
    expect((await ask({ request: byName('new'), autoCreate: false })).created).toEqual([])
    expect((await ask({ version: 3, request: byName('new') })).created).toEqual(['new'])
  })

  it('refuses an illegal name instead of creating it', async () => {
    const { response, created } = await ask({ request: byName('not a name') })
    expect(created).toEqual([])
    expect(response.topics[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  it('hides what one may not describe, also its name behind an id', async () => {
    const authorize = () => false
    expect((await ask({ request: { topics: null }, authorize })).response.topics).toEqual([])
    const named = await ask({ request: byName('orders', 'absent'), authorize })
    expect(named.response.topics.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    ])
    const byId = await ask({ request: { topics: [{ topicId: ORDERS.id, name: null }] }, authorize })
    expect(byId.response.topics[0]).toMatchObject({ errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, name: null })
  })

  it('lists authorized operations when asked', async () => {
    const { response } = await ask({
      version: 8,
      request: { ...byName('orders'), includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true },
    })
    expect(response.topics[0]!.topicAuthorizedOperations).toBe(3576)
    expect(response.clusterAuthorizedOperations).toBeGreaterThan(0)
  })

  it.each(Array.from({ length: 14 }, (_, version) => version))('encodes in v%i', async (version) => {
    const { response } = await ask({ version, request: byName('orders') })
    expect(response.topics[0]!.partitions).toHaveLength(2)
  })
})
