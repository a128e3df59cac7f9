import { describe, expect, it } from 'vitest'
import { fetch } from '../../../broker/api/01-fetch.schema.ts'
import { fetchApi } from '../../../broker/api/01-fetch.ts'
import { FetchSessions } from '../../../broker/api/fetch-sessions.ts'
import { ANONYMOUS } from '../../../broker/security/principal.ts'
import { decodeMessage, encodeMessage } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Decoded, Encodable } from '../../../broker/wire/schema.ts'
import { hostedTopic, type HostedTopic, TOPIC_ID } from '../../support/hosted-partitions.ts'
import { partitionState } from '../../support/images.ts'
import { producedBatch } from '../../support/produced-batch.ts'
import { requestContext } from '../../support/request-context.ts'

type Request = Encodable<typeof fetch.request>
type AskedPartition = Request['topics'][number]['partitions'][number]
type Response = Decoded<typeof fetch.response>

interface Fetch {
  readonly version?: number
  readonly listener?: string
  /** Whose connection it is, on the INTERNAL listener. */
  readonly node?: number
  readonly signal?: AbortSignal
  readonly partitions?: readonly Partial<AskedPartition>[]
  readonly topicId?: string
  readonly request?: Partial<Request>
}

function harness(on: HostedTopic, isHeldBack: () => boolean = () => false, sent: (readonly [number, number])[] = []) {
  let nextId = 0
  const fetchSessions = new FetchSessions({ slots: 10, evictionMs: 1, monotonicMs: () => 0, randomBelow: () => nextId++ })
  const services = {
    image: () => on.image,
    partitions: on.partitions as never,
    fetchSessions,
    leaderThrottle: {
      isHeldBack: () => isHeldBack(),
      sent: (_: unknown, followerId: number, bytes: number) => void sent.push([followerId, bytes]),
    },
    settings: { fetchBytesMax: 1 << 20 },
    time: { after: (delayMs: number, callback: () => void) => on.time.timers.after(delayMs, callback) },
  }
  return async (asked: Fetch): Promise<Response> => {
    const { version = 12, node = 2, listener = 'CLIENT', partitions = [{}], topicId = TOPIC_ID } = asked
    const request: Request = {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 0,
      topics: [
        {
          topic: 'orders',
          topicId,
          partitions: partitions.map((fields, partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...fields })),
        },
      ],
      ...asked.request,
    }
    const decoded = decodeMessage(fetch.request, version, Buffer.concat(encodeMessage(fetch.request, version, request)))
    const principal = listener === 'INTERNAL' ? ({ type: 'Node', name: String(node) } as const) : ANONYMOUS
    const context = requestContext({ apiVersion: version, listener, principal, ...(asked.signal && { signal: asked.signal }) })
    const answer = (await fetchApi.handle!(decoded, context, services)) as Encodable<typeof fetch.response>
    return decodeMessage(fetch.response, version, Buffer.concat(encodeMessage(fetch.response, version, answer)))
  }
}

function produce(on: HostedTopic, partition: number, count = 1, value?: string): number {
  const batch = producedBatch(count, value === undefined ? {} : { value })
  on.hosted[partition]!.append(batch, { origin: 'client', acks: 1, timeoutMs: 1000, zstdAllowed: true })
  return batch.length
}

const sizes = (response: Response) => response.responses.flatMap(({ partitions }) => partitions.map(({ records }) => records!.length))
const errors = (response: Response) => response.responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('Fetch', () => {
  it('returns what is below the high watermark, as stored', async () => {
    const on = hostedTopic([{}])
    const bytes = produce(on, 0, 3)
    await settled()
    const response = await harness(on)({})
    expect(response.responses[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      highWatermark: 3,
      lastStableOffset: 3,
      logStartOffset: 0,
      abortedTransactions: null,
    })
    expect(sizes(response)).toEqual([bytes])
  })

  it('gives at least one batch to the first partition with records, and none beyond the limit to the rest', async () => {
    const on = hostedTopic([{}, {}, {}])
    const large = produce(on, 1, 1, 'x'.repeat(5000))
    produce(on, 2, 1, 'y'.repeat(5000))
    await settled()
    const response = await harness(on)({ partitions: [{}, { partitionMaxBytes: 10 }, {}], request: { maxBytes: 100 } })
    expect(sizes(response)).toEqual([0, large, 0])
  })

  it('keeps each partition to its own limit', async () => {
    const on = hostedTopic([{}, {}])
    const first = produce(on, 0)
    produce(on, 1)
    produce(on, 1)
    await settled()
    const response = await harness(on)({ partitions: [{}, { partitionMaxBytes: first }] })
    expect(sizes(response)).toEqual([first, first])
  })

  it('waits for data, and answers when it comes', async () => {
    const on = hostedTopic([{}, {}])
    const answer = harness(on)({ partitions: [{}, {}] })
    await settled()
    const bytes = produce(on, 1)
    expect(sizes(await answer)).toEqual([0, bytes])
  })

  it('waits until minBytes have come together', async () => {
    const on = hostedTopic([{}, {}])
    let isAnswered = false
    const bytes = producedBatch(1).length
    const answer = harness(on)({ partitions: [{}, {}], request: { minBytes: 2 * bytes } }).finally(() => (isAnswered = true))
    await settled()
    produce(on, 0)
    await settled()
    expect(isAnswered).toBe(false)
    produce(on, 1)
    expect(sizes(await answer)).toEqual([bytes, bytes])
  })

  it('does not miss what becomes visible while it still reads', async () => {
    const on = hostedTopic([{}, {}])
    const bytes = produce(on, 1)
    await settled()
    const slow = on.logs[1]!
    const { promise: isRead, resolve: finishRead } = Promise.withResolvers<void>()
    const found = slow.readCached.bind(slow)
    slow.readCached = (() => null) as never
    slow.read = async (request) => {
      await isRead
      return found(request)
    }
    const answer = harness(on)({ partitions: [{}, {}], request: { minBytes: 2 * bytes } })
    produce(on, 0)
    await settled()
    finishRead()
    expect(sizes(await answer)).toEqual([bytes, bytes])
  })

  it('answers with what there is when the wait is over', async () => {
    const on = hostedTopic([{}])
    const answer = harness(on)({})
    await settled()
    on.time.advance(500)
    expect(sizes(await answer)).toEqual([0])
  })

  it('stops waiting when the connection is gone', async () => {
    const on = hostedTopic([{}])
    const connection = new AbortController()
    const answer = harness(on)({ signal: connection.signal })
    await settled()
    connection.abort()
    expect(sizes(await answer)).toEqual([0])
  })

  it('answers a waiting fetch when leadership goes', async () => {
    const on = hostedTopic([{}])
    const answer = harness(on)({})
    await settled()
    on.hosted[0]!.apply({ ...on.image.partition('orders', 0)!, leader: 2, leaderEpoch: 9 })
    expect(errors(await answer)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER])
  })

  it('does not wait when a partition is in error', async () => {
    const on = hostedTopic([{}, { leader: 2, leaderEpoch: 4 }])
    const response = await harness(on)({ version: 16, partitions: [{}, {}, {}], request: { maxWaitMs: 1 << 30 } })
    expect(errors(response)).toEqual([0, ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect(response.responses[0]!.partitions[1]!.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 4 })
    expect(response.nodeEndpoints).toEqual([{ nodeId: 2, host: 'host-2', port: 9002, rack: null }])
  })

  it('answers an offset outside the log with OFFSET_OUT_OF_RANGE', async () => {
    const on = hostedTopic([{}, {}])
    produce(on, 0, 5)
    await settled()
    on.logs[0]!.deleteRecordsBefore(2)
    const response = await harness(on)({ partitions: [{ fetchOffset: 1 }, { fetchOffset: 1 }] })
    expect(errors(response)).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE, ErrorCode.OFFSET_OUT_OF_RANGE])
  })

  it('checks the leader epoch the client knows', async () => {
    const on = hostedTopic([{ leaderEpoch: 5 }])
    expect(errors(await harness(on)({ partitions: [{ currentLeaderEpoch: 4 }] }))).toEqual([ErrorCode.FENCED_LEADER_EPOCH])
  })

  it('says where the logs part when the last fetched epoch diverges', async () => {
    const on = hostedTopic([{ leaderEpoch: 5 }])
    produce(on, 0, 10)
    await settled()
    on.logs[0]!.epochEnd = { leaderEpoch: 2, endOffset: 4 }
    const response = await harness(on)({ partitions: [{ fetchOffset: 8, lastFetchedEpoch: 3 }], request: { maxWaitMs: 1 << 30 } })
    expect(response.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 2, endOffset: 4 } })
    expect(sizes(response)).toEqual([0])
  })

  it('finds topics by id from v13', async () => {
    const on = hostedTopic([{}])
    produce(on, 0)
    await settled()
    expect(errors(await harness(on)({ version: 13 }))).toEqual([0])
    expect(errors(await harness(on)({ version: 13, topicId: 'AAAAAAAAAAAAAAAAAAAABw' }))).toEqual([ErrorCode.UNKNOWN_TOPIC_ID])
  })

  it('lists aborted transactions for read_committed only', async () => {
    const on = hostedTopic([{}])
    produce(on, 0)
    await settled()
    const response = await harness(on)({ request: { isolationLevel: 1 } })
    expect(response.responses[0]!.partitions[0]!.abortedTransactions).toEqual([])
  })

  it('serves replicas on the INTERNAL listener alone, up to the log end', async () => {
    const on = hostedTopic([{ replicas: [1, 2], isr: [1, 2] }])
    const bytes = produce(on, 0, 2)
    await settled()
    const request = { replicaId: 2, maxWaitMs: 0 }
    expect(errors(await harness(on)({ request }))).toEqual([ErrorCode.TOPIC_AUTHORIZATION_FAILED])
    expect(sizes(await harness(on)({ request: { maxWaitMs: 0 } }))).toEqual([0])
    expect(sizes(await harness(on)({ listener: 'INTERNAL', request }))).toEqual([bytes])
    await harness(on)({ listener: 'INTERNAL', partitions: [{ fetchOffset: 2 }], request })
    expect(on.logs[0]!.highWatermark).toBe(2)
  })

  it('lets no node fetch in the name of another, and none of its former lives in its own', async () => {
    const on = hostedTopic([{ replicas: [1, 2], isr: [1, 2] }])
    produce(on, 0, 2)
    await settled()
    const fetchAs = (node: number, replicaEpoch: number) => {
      const request = { replicaState: { replicaId: 2, replicaEpoch }, maxWaitMs: 0 }
      return harness(on)({ version: 17, listener: 'INTERNAL', node, partitions: [{ fetchOffset: 2 }], request })
    }
    const { brokerEpoch } = on.image.broker(2)!
    expect(errors(await fetchAs(3, brokerEpoch))).toEqual([ErrorCode.TOPIC_AUTHORIZATION_FAILED])
    expect(errors(await fetchAs(2, brokerEpoch - 1))).toEqual([ErrorCode.UNKNOWN_LEADER_EPOCH])
    expect(on.logs[0]!.highWatermark).toBe(0)
    expect(errors(await fetchAs(2, brokerEpoch))).toEqual([ErrorCode.NONE])
    expect(on.logs[0]!.highWatermark).toBe(2)
  })

  it('sends a throttled follower nothing for now, whatever is appended meanwhile, and looks again when its wait is over', async () => {
    const on = hostedTopic([{ replicas: [1, 2], isr: [1] }])
    const bytes = produce(on, 0, 2)
    await settled()
    let isHeldBack = true
    const sent: (readonly [number, number])[] = []
    let answer: Response | null = null
    void harness(on, () => isHeldBack, sent)({ listener: 'INTERNAL', request: { replicaId: 2 } }).then((response) => (answer = response))
    await settled()
    const more = produce(on, 0, 1)
    await settled()
    on.time.advance(499)
    await settled()
    expect(answer).toBeNull()
    isHeldBack = false
    on.time.advance(1)
    await settled()
    expect(sizes(answer!)).toEqual([bytes + more])
    expect(sent).toEqual([[2, bytes + more]])
  })

  it('holds no consumer back', async () => {
    const on = hostedTopic([{}])
    const bytes = produce(on, 0, 2)
    await settled()
    expect(sizes(await harness(on, () => true)({}))).toEqual([bytes])
  })

  it('does not count a follower whose log has parted from the leader', async () => {
    const on = hostedTopic([{ replicas: [1, 2], isr: [1, 2] }])
    produce(on, 0, 5)
    await settled()
    on.logs[0]!.epochEnd = { leaderEpoch: 0, endOffset: 3 }
    const request = { replicaId: 2, maxWaitMs: 0 }
    const parted = await harness(on)({ listener: 'INTERNAL', partitions: [{ fetchOffset: 5, lastFetchedEpoch: 1 }], request })
    expect(parted.responses[0]!.partitions[0]!.divergingEpoch).toEqual({ epoch: 0, endOffset: 3 })
    expect(on.logs[0]!.highWatermark).toBe(0)
  })

  it('does not count a follower that was asked in an earlier epoch of its leader', async () => {
    const on = hostedTopic([{ replicas: [1, 2], isr: [1, 2] }])
    produce(on, 0, 5)
    await settled()
    const waiting = harness(on)({ listener: 'INTERNAL', partitions: [{ fetchOffset: 5 }], request: { replicaId: 2 } })
    on.hosted[0]!.apply(partitionState({ replicas: [1, 2], isr: [1, 2], leaderEpoch: 1, partitionEpoch: 1 }))
    expect(errors(await waiting)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER])
    expect(on.hosted[0]!.leaderEpoch).toBe(1)
  })

  it('tells a session only what is new', async () => {
    const on = hostedTopic([{}, {}])
    const ask = harness(on)
    const full = await ask({ partitions: [{}, {}], request: { maxWaitMs: 0, sessionEpoch: 0 } })
    expect(full.sessionId).toBeGreaterThan(0)
    const session = { sessionId: full.sessionId, maxWaitMs: 0, topics: [] }
    expect((await ask({ request: { ...session, sessionEpoch: 1 } })).responses).toEqual([])
    produce(on, 1)
    await settled()
    const changed = await ask({ request: { ...session, sessionEpoch: 2 } })
    expect(changed.responses[0]!.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
    expect(await ask({ request: { ...session, sessionEpoch: 2 } })).toMatchObject({
      errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH,
      sessionId: 0,
      responses: [],
    })
  })
})
