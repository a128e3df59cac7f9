import { describe, expect, it } from 'vitest'
import { produce } from '../../../broker/api/00-produce.schema.ts'
import { produceApi } from '../../../broker/api/00-produce.ts'
import { decodeMessage, encodeMessage } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Decoded, Encodable } from '../../../broker/wire/schema.ts'
import { hostedTopic, type HostedTopic, TOPIC_ID } from '../../support/hosted-partitions.ts'
import { producedBatch } from '../../support/produced-batch.ts'
import { requestContext } from '../../support/request-context.ts'

type Response = Decoded<typeof produce.response>

interface Produce {
  readonly version?: number
  readonly acks?: number
  readonly topic?: string
  readonly topicId?: string
  readonly transactionalId?: string
  readonly records?: readonly (Buffer | null)[]
  readonly authorize?: () => boolean
}

function send(
  on: HostedTopic,
  { version = 9, acks = 1, topic = 'orders', topicId = TOPIC_ID, transactionalId, records, authorize }: Produce,
) {
  const context = requestContext({ apiVersion: version, ...(authorize && { authorize }) })
  const partitionData = (records ?? [producedBatch(1)]).map((batch, index) => ({ index, records: batch }))
  const request = { transactionalId: transactionalId ?? null, acks, timeoutMs: 1000, topicData: [{ name: topic, topicId, partitionData }] }
  const services = { image: () => on.image, partitions: on.partitions as never }
  const result = produceApi.handle!(request as never, context, services)
  const answered = Promise.resolve(result).then((answer): Response | null =>
    answer === null
      ? null
      : decodeMessage(
          produce.response,
          version,
          Buffer.concat(encodeMessage(produce.response, version, answer as Encodable<typeof produce.response>)),
        ),
  )
  return { context, answered }
}

async function partitionAnswers(on: HostedTopic, request: Produce) {
  const response = await send(on, request).answered
  return response!.responses[0]!.partitionResponses
}

describe('Produce', () => {
  it('appends and answers with the base offset', async () => {
    const on = hostedTopic([{}])
    await send(on, { records: [producedBatch(3)] }).answered
    const [answer] = await partitionAnswers(on, { records: [producedBatch(2)] })
    expect(answer).toMatchObject({ errorCode: 0, baseOffset: 3, logAppendTimeMs: -1, logStartOffset: 0 })
    expect(on.logs[0]!.logEndOffset).toBe(5)
  })

  it('lets the next request start once the offsets are given, before the write returns', async () => {
    const on = hostedTopic([{}], { writesAtOnce: false })
    const { context, answered } = send(on, { acks: -1 })
    expect(context.asked).toEqual(['ordered'])
    on.logs[0]!.finishWrites()
    expect((await answered)!.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  })

  it('answers nothing to acks=0, and hangs up when it failed', async () => {
    const on = hostedTopic([{}])
    const fine = send(on, { acks: 0 })
    expect(await fine.answered).toBeNull()
    expect(fine.context.asked).toEqual(['ordered'])
    const failed = send(on, { acks: 0, topic: 'absent' })
    expect(await failed.answered).toBeNull()
    expect(failed.context.asked[1]).toMatch(/^close: .*absent-0/)
  })

  it.each([2, -2, 100])('refuses acks=%i', async (acks) => {
    const [answer] = await partitionAnswers(hostedTopic([{}]), { acks })
    expect(answer!.errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
  })

  it('answers each partition for itself', async () => {
    const on = hostedTopic([{}, { leader: 2, leaderEpoch: 8 }])
    const answers = await partitionAnswers(on, { records: [producedBatch(1), producedBatch(1), producedBatch(1)] })
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })

  it('names the leader and where it listens, from v10', async () => {
    const on = hostedTopic([{ leader: 2, leaderEpoch: 8 }])
    const response = await send(on, { version: 10 }).answered
    expect(response!.responses[0]!.partitionResponses[0]!.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 8 })
    expect(response!.nodeEndpoints).toEqual([{ nodeId: 2, host: 'host-2', port: 9002, rack: null }])
    expect((await send(on, { version: 9 }).answered)!.nodeEndpoints).toEqual([])
  })

  it('finds topics by id in v13, and knows an unknown id', async () => {
    const on = hostedTopic([{}])
    expect((await partitionAnswers(on, { version: 13, topic: '' }))[0]!.errorCode).toBe(0)
    const [answer] = await partitionAnswers(on, { version: 13, topic: '', topicId: 'AAAAAAAAAAAAAAAAAAAABw' })
    expect(answer!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('says which records were refused, and why', async () => {
    const on = hostedTopic([{}])
    on.logs[0]!.refusal = ErrorCode.INVALID_RECORD
    const [answer] = await partitionAnswers(on, {})
    expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, baseOffset: -1 })
  })

  it('refuses zstd below v7', async () => {
    const on = hostedTopic([{}])
    const records = () => [producedBatch(1, { compression: 4 })]
    expect((await partitionAnswers(on, { version: 6, records: records() }))[0]!.errorCode).toBe(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE)
    expect((await partitionAnswers(on, { version: 7, records: records() }))[0]!.errorCode).toBe(0)
  })

  it.each([
    ['null', null],
    ['empty', Buffer.alloc(0)],
  ])('refuses %s records', async (_what, batch) => {
    const [answer] = await partitionAnswers(hostedTopic([{}]), { records: [batch] })
    expect(answer!.errorCode).toBe(ErrorCode.INVALID_RECORD)
  })

  it('refuses who may not write, internal topics, and transactions', async () => {
    const on = hostedTopic([{}])
    expect((await partitionAnswers(on, { authorize: () => false }))[0]!.errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    expect((await partitionAnswers(on, { topic: '__consumer_offsets' }))[0]!.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    expect((await partitionAnswers(on, { transactionalId: 'tx' }))[0]!.errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(on.logs[0]!.logEndOffset).toBe(0)
  })

  it('refuses a transactional batch that no transactional id vouches for, since nobody could end its transaction', async () => {
    const on = hostedTopic([{}])
    const [answer] = await partitionAnswers(on, { records: [producedBatch(1, { isTransactional: true })] })
    expect(answer).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE, baseOffset: -1 })
    expect(on.logs[0]!.logEndOffset).toBe(0)
  })
})
