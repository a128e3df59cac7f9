import { describe, expect, it } from 'vitest'
import { listOffsets } from '../../../broker/api/02-list-offsets.schema.ts'
import { listOffsetsApi } from '../../../broker/api/02-list-offsets.ts'
import { decodeMessage, encodeMessage } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Encodable } from '../../../broker/wire/schema.ts'
import { hostedTopic, type HostedTopic } from '../../support/hosted-partitions.ts'
import { producedBatch } from '../../support/produced-batch.ts'
import { requestContext } from '../../support/request-context.ts'

interface Asked {
  readonly timestamp: number
  readonly version?: number
  readonly replicaId?: number
  readonly listener?: string
  readonly node?: number
  readonly isolationLevel?: number
  readonly currentLeaderEpoch?: number
  readonly partitions?: readonly number[]
}

async function ask(on: HostedTopic, asked: Asked) {
  const {
    timestamp,
    version = 11,
    replicaId = -1,
    listener = 'CLIENT',
    node = 2,
    isolationLevel = 0,
    currentLeaderEpoch = -1,
    partitions = [0],
  } = asked
  const request: Encodable<typeof listOffsets.request> = {
    replicaId,
    isolationLevel,
    topics: [{ name: 'orders', partitions: partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch, timestamp })) }],
  }
  const decoded = decodeMessage(listOffsets.request, version, Buffer.concat(encodeMessage(listOffsets.request, version, request)))
  const principal = { type: 'Node', name: String(node) } as const
  const context = requestContext({ apiVersion: version, listener, principal })
  const answer = (await listOffsetsApi.handle!(decoded, context, { partitions: on.partitions as never })) as Encodable<
    typeof listOffsets.response
  >
  const response = decodeMessage(listOffsets.response, version, Buffer.concat(encodeMessage(listOffsets.response, version, answer)))
  return response.topics[0]!.partitions
}

/** Ten records, of which the first two are deleted; a follower holds back the high watermark at `highWatermark`. */
async function tenRecords(highWatermark = 10): Promise<HostedTopic> {
  const on = hostedTopic([{ leaderEpoch: 4, replicas: [1, 2], isr: [1, 2] }])
  on.hosted[0]!.append(producedBatch(10), { origin: 'client', acks: 1, timeoutMs: 1, zstdAllowed: true })
  await Promise.resolve()
  on.hosted[0]!.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: highWatermark, logStartOffset: 0 })
  on.logs[0]!.deleteRecordsBefore(2)
  return on
}

describe('ListOffsets', () => {
  it('tells start and end, with the leader epoch', async () => {
    const on = await tenRecords(7)
    expect((await ask(on, { timestamp: -2 }))[0]).toMatchObject({ errorCode: 0, offset: 2, timestamp: -1, leaderEpoch: 4 })
    expect((await ask(on, { timestamp: -1 }))[0]).toMatchObject({ errorCode: 0, offset: 7, timestamp: -1, leaderEpoch: 4 })
  })

  it('tells replicas the log end, on INTERNAL alone', async () => {
    const on = await tenRecords(7)
    expect((await ask(on, { timestamp: -1, replicaId: 2, listener: 'INTERNAL' }))[0]!.offset).toBe(10)
    expect((await ask(on, { timestamp: -1, replicaId: 2 }))[0]!.offset).toBe(7)
    expect((await ask(on, { timestamp: -1, replicaId: 2, listener: 'INTERNAL', node: 3 }))[0]!.offset).toBe(7)
  })

  it('answers -1 for a time after the last record, and for what only tiered storage has', async () => {
    const on = await tenRecords()
    for (const timestamp of [9_999_999_999_999, -5, -6]) {
      expect((await ask(on, { timestamp }))[0]).toMatchObject({ errorCode: 0, offset: -1, timestamp: -1, leaderEpoch: -1 })
    }
    expect((await ask(on, { timestamp: -4 }))[0]!.offset).toBe(2)
  })

  it.each([
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 11],
  ])('refuses timestamp %i in v%i', async (timestamp, version) => {
    const [answer] = await ask(await tenRecords(), { timestamp, version })
    expect(answer!.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
  })

  it('refuses a partition named twice', async () => {
    const answers = await ask(await tenRecords(), { timestamp: -1, partitions: [0, 0] })
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST])
  })

  it('checks the leader epoch the client knows', async () => {
    const [answer] = await ask(await tenRecords(), { timestamp: -1, currentLeaderEpoch: 3 })
    expect(answer!.errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
  })

  it('does not tell an end that a new leader is not sure of', async () => {
    const on = await tenRecords(7)
    on.hosted[0]!.apply({ ...on.image.partition('orders', 0)!, leaderEpoch: 5 })
    expect((await ask(on, { timestamp: -1 }))[0]!.errorCode).toBe(ErrorCode.OFFSET_NOT_AVAILABLE)
    expect((await ask(on, { timestamp: -1, version: 4 }))[0]!.errorCode).toBe(ErrorCode.LEADER_NOT_AVAILABLE)
    expect((await ask(on, { timestamp: -2 }))[0]!.errorCode).toBe(0)
    on.hosted[0]!.followerFetched({ replicaId: 2, brokerEpoch: 7, fetchOffset: 10, logStartOffset: 0 })
    expect((await ask(on, { timestamp: -1 }))[0]).toMatchObject({ errorCode: 0, offset: 10 })
  })
})
