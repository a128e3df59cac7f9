/** Offsets by position or time: one request per leader, each partition answered for itself. */
import { listOffsets as listOffsetsApi } from '../../api/02-list-offsets.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { ListedOffset, OffsetQuery, OffsetSpec } from '../admin-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { Isolation } from '../reader-types.ts'

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
/** KIP-734. */
const MAX_TIMESTAMP_SINCE = 7
/** Leaders move: partitions whose error says so are asked for again this often before the error is given out. */
const ROUNDS_MAX = 4
const ATTEMPT_MS = 10_000

interface Pending {
  readonly index: number
  readonly query: OffsetQuery
}

interface Asked extends Pending {
  /** Of the leader that is asked: one that was replaced, and does not know yet, is found out (KIP-320). */
  readonly leaderEpoch: number
}

/** Results in the order of the queries. Rejects only when the call is over or the cluster cannot be reached. */
export async function listOffsets(
  core: ClientCore,
  queries: readonly OffsetQuery[],
  isolation: Isolation,
  call: Call,
): Promise<ListedOffset[]> {
  const results = new Array<ListedOffset>(queries.length)
  let pending: Pending[] = queries.map((query, index) => ({ index, query }))
  for (let round = 0; pending.length > 0; round++) {
    if (round > 0) await call.pause(core.retryDelayMs(round))
    await listRound(core, pending, isolation, call, results)
    if (round + 1 >= ROUNDS_MAX) break
    pending = pending.filter(({ index }) => results[index]?.error?.retriable)
    for (const { query } of pending) core.cache.forget(query.topic)
  }
  return results
}

async function listRound(
  core: ClientCore,
  pending: readonly Pending[],
  isolation: Isolation,
  call: Call,
  results: ListedOffset[],
): Promise<void> {
  await core.cache.ensure([...new Set(pending.map(({ query }) => query.topic))], call)
  const requests = new Map<string, { readonly leader: number; readonly minVersion: number; readonly items: Asked[] }>()
  for (const item of pending) {
    try {
      const { leader, leaderEpoch } = await core.leadershipOf(item.query.topic, item.query.partition, call)
      const asked = { ...item, leaderEpoch }
      // A request names a partition once, and only some specs need a newer version.
      const minVersion = item.query.spec === 'max-timestamp' ? MAX_TIMESTAMP_SINCE : isolation === 'read_committed' ? 2 : 1
      const key = `${leader} ${minVersion} ${specKey(item.query.spec)}`
      const request = requests.get(key)
      if (request === undefined) requests.set(key, { leader, minVersion, items: [asked] })
      else request.items.push(asked)
    } catch (error) {
      results[item.index] = failed(item.query, ClientError.from(error))
    }
  }
  await Promise.all(Array.from(requests.values(), (request) => askLeader(core, request, isolation, call, results)))
  call.check()
}

async function askLeader(
  core: ClientCore,
  request: { readonly leader: number; readonly minVersion: number; readonly items: readonly Asked[] },
  isolation: Isolation,
  call: Call,
  results: ListedOffset[],
): Promise<void> {
  const { leader, minVersion, items } = request
  try {
    const reply = await core.requestNode(
      leader,
      listOffsetsApi,
      { replicaId: -1, isolationLevel: isolation === 'read_committed' ? 1 : 0, topics: topicsOf(items), timeoutMs: ATTEMPT_MS },
      call,
      { minVersion, attemptMs: ATTEMPT_MS, isRepeatable: true },
    )
    const replies = new Map(
      reply.topics.flatMap((topic) =>
        topic.partitions.map((partition) => [`${topic.name} ${partition.partitionIndex}`, partition] as const),
      ),
    )
    for (const { index, query } of items) {
      const partition = replies.get(`${query.topic} ${query.partition}`)
      results[index] = partition === undefined ? failed(query, missing(query)) : listed(query, partition)
    }
  } catch (error) {
    const failure = ClientError.from(error)
    for (const { index, query } of items) results[index] = failed(query, failure)
  }
}

interface AskedPartition {
  readonly partitionIndex: number
  readonly currentLeaderEpoch: number
  readonly timestamp: number
}

function topicsOf(items: readonly Asked[]): { name: string; partitions: AskedPartition[] }[] {
  const byTopic = new Map<string, AskedPartition[]>()
  for (const { query, leaderEpoch } of items) {
    const entry = { partitionIndex: query.partition, currentLeaderEpoch: leaderEpoch, timestamp: timestampOf(query.spec) }
    const list = byTopic.get(query.topic)
    if (list === undefined) byTopic.set(query.topic, [entry])
    // Asked twice by the caller; brokers refuse a partition named twice.
    else if (!list.some(({ partitionIndex }) => partitionIndex === query.partition)) list.push(entry)
  }
  return Array.from(byTopic, ([name, partitions]) => ({ name, partitions }))
}

function timestampOf(spec: OffsetSpec): number {
  if (spec === 'latest') return LATEST
  if (spec === 'earliest') return EARLIEST
  return spec === 'max-timestamp' ? MAX_TIMESTAMP : spec.timestampMs
}

function specKey(spec: OffsetSpec): string {
  return typeof spec === 'string' ? spec : String(spec.timestampMs)
}

function listed(
  query: OffsetQuery,
  reply: { readonly errorCode: number; readonly offset: number; readonly timestamp: number; readonly leaderEpoch: number },
): ListedOffset {
  const { topic, partition } = query
  if (reply.errorCode !== ErrorCode.NONE) {
    return failed(
      query,
      ClientError.ofBroker(reply.errorCode, `Offsets of ${topic}-${partition} cannot be listed`, { api: listOffsetsApi.name }),
    )
  }
  return {
    topic,
    partition,
    spec: query.spec,
    offset: reply.offset < 0 ? null : reply.offset,
    timestampMs: reply.timestamp < 0 ? null : reply.timestamp,
    leaderEpoch: reply.leaderEpoch,
    error: null,
  }
}

function failed(query: OffsetQuery, error: ClientError): ListedOffset {
  return { topic: query.topic, partition: query.partition, spec: query.spec, offset: null, timestampMs: null, leaderEpoch: -1, error }
}

function missing(query: OffsetQuery): ClientError {
  return new ClientError('MALFORMED_REPLY', `The reply to ListOffsets lacks partition ${query.topic}-${query.partition}.`, {
    api: listOffsetsApi.name,
  })
}
