import { describe, expect, it } from 'vitest'
import { alterReplicaLogDirsApi } from '../../../broker/api/34-alter-replica-log-dirs.ts'
import { describeTopicPartitions } from '../../../broker/api/75-describe-topic-partitions.schema.ts'
import { describeTopicPartitionsApi } from '../../../broker/api/75-describe-topic-partitions.ts'
import type { RequestContext } from '../../../broker/api/context.ts'
import { ResourceType } from '../../../broker/security/authorizer.ts'
import { decodeMessage, encodeToBuffer } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Decoded, Encodable } from '../../../broker/wire/schema.ts'
import { imageOf, partitionState } from '../../support/images.ts'
import { requestContext } from '../../support/request-context.ts'

type Response = Decoded<typeof describeTopicPartitions.response>
type Cursor = Response['nextCursor']

const topicOf = (name: string, partitionCount: number) => ({
  name,
  id: Buffer.from(name.padEnd(16, '-')).toString('base64url'),
  partitions: Array.from({ length: partitionCount }, (_, index) => partitionState({ leaderEpoch: index })),
})
const shrunk = {
  ...topicOf('orders', 0),
  partitions: [partitionState({ leader: -1, replicas: [1, 2, 3], isr: [], eligibleLeaderReplicas: [2, 3], lastKnownElr: [2] })],
}
const image = imageOf(
  [{ id: 1 }, { id: 2, fenced: true }, { id: 3, storageOffline: true }],
  [topicOf('c', 3), shrunk, topicOf('a', 5), topicOf('b', 1)],
)

function ask(request: Encodable<typeof describeTopicPartitions.request>, context: Partial<RequestContext> = {}): Response {
  const asSent = decodeMessage(describeTopicPartitions.request, 0, encodeToBuffer(describeTopicPartitions.request, 0, request))
  const answer = describeTopicPartitionsApi.handle!(asSent, requestContext({ apiVersion: 0, ...context }), { image: () => image })
  return decodeMessage(describeTopicPartitions.response, 0, encodeToBuffer(describeTopicPartitions.response, 0, answer as never))
}

const named = (...names: readonly string[]) => names.map((name) => ({ name }))
const shapeOf = ({ topics }: Response) =>
  topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => `${name}/${partitionIndex}`))

describe('DescribeTopicPartitions', () => {
  it('describes all topics in order of their names, with eligible leader replicas', () => {
    const response = ask({ topics: [], responsePartitionLimit: 2_000, cursor: null })
    expect(response.topics.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'orders'])
    expect(response.nextCursor).toBeNull()
    expect(response.topics.at(-1)!.partitions[0]).toMatchObject({
      leaderId: -1,
      isrNodes: [],
      eligibleLeaderReplicas: [2, 3],
      lastKnownElr: [2],
      offlineReplicas: [2, 3],
    })
  })

  it.each([1, 2, 3, 4, 5, 9, 10])('pages of %i join to the whole, each topic and partition once', (limit) => {
    const pages: string[][] = []
    let cursor: Cursor = null
    do {
      const page: Response = ask({ topics: [], responsePartitionLimit: limit, cursor })
      expect(shapeOf(page).length).toBeLessThanOrEqual(limit)
      pages.push(shapeOf(page))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(pages.flat()).toEqual(shapeOf(ask({ topics: [], responsePartitionLimit: 2_000, cursor: null })))
  })

  it('goes on behind a topic that was deleted since the last page', () => {
    const response = ask({ topics: [], responsePartitionLimit: 2_000, cursor: { topicName: 'aa', partitionIndex: 3 } })
    expect(response.topics.map(({ name }) => name)).toEqual(['b', 'c', 'orders'])
    expect(shapeOf(response)[0]).toBe('b/0')
  })

  it('answers for each topic asked by name, known or not, allowed or not', () => {
    const authorize = (_operation: unknown, type: ResourceType, name: string) => type !== ResourceType.TOPIC || name !== 'b'
    const response = ask({ topics: named('b', 'none', 'c', 'c'), responsePartitionLimit: 2_000, cursor: null }, { authorize })
    expect(response.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['b', ErrorCode.TOPIC_AUTHORIZATION_FAILED],
      ['c', ErrorCode.NONE],
      ['none', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    const all = ask({ topics: [], responsePartitionLimit: 2_000, cursor: null }, { authorize })
    expect(all.topics.map(({ name }) => name)).toEqual(['a', 'c', 'orders'])
  })

  it('refuses a cursor before the first partition', () => {
    const response = ask({ topics: named('a'), responsePartitionLimit: 10, cursor: { topicName: 'a', partitionIndex: -1 } })
    expect(response.topics[0]).toMatchObject({ name: 'a', errorCode: ErrorCode.INVALID_REQUEST, partitions: [] })
  })
})

describe('AlterReplicaLogDirs', () => {
  const partitions = { logDirectory: '/data/broker-1', hosted: () => [{ topic: 'a', partition: 0 }] }
  const move = async (path: string, partition: number, isAllowed = true) => {
    const request = { dirs: [{ path, topics: [{ name: 'a', partitions: [partition] }] }] }
    const context = requestContext({ apiVersion: 2, authorize: () => isAllowed })
    const answer = (await alterReplicaLogDirsApi.handle!(request, context, { partitions } as never)) as unknown as {
      results: { partitions: { errorCode: number }[] }[]
    }
    return answer.results[0]!.partitions[0]!.errorCode
  }

  it('has one directory and says so: nowhere else to go, nothing to do where a replica is, none of others', async () => {
    expect(await move('/data/elsewhere', 0)).toBe(ErrorCode.LOG_DIR_NOT_FOUND)
    expect(await move('/data/broker-1', 0)).toBe(ErrorCode.NONE)
    expect(await move('/data/broker-1', 1)).toBe(ErrorCode.REPLICA_NOT_AVAILABLE)
    expect(await move('/data/broker-1', 0, false)).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  })
})
