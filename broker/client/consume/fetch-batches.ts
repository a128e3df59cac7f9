import { fetch } from '../../api/01-fetch.schema.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { FetchPosition, FetchRequest, FetchedPartition } from '../reader-types.ts'
import { LAST_FETCH_VERSION_BY_NAME, failedPartition, fetchBody, fetchedPartitions, isStaleMetadata } from './fetch-codec.ts'

const FETCH_LANE = 'fetch'

/** One Fetch per leader, in parallel. Partitions that cannot be fetched have their error; the call rejects only when it is over. */
export async function fetchBatches(core: ClientCore, request: FetchRequest, call: Call): Promise<FetchedPartition[]> {
  const topics = new Set(request.partitions.map(({ topic }) => topic))
  await core.cache.ensure([...topics], call)
  const byLeader = new Map<number, FetchPosition[]>()
  const results = new Map<FetchPosition, FetchedPartition>()
  for (const position of request.partitions) {
    try {
      const leader = await core.leaderOf(position.topic, position.partition, call)
      const list = byLeader.get(leader)
      if (list === undefined) byLeader.set(leader, [position])
      else list.push(position)
    } catch (error) {
      results.set(position, failedPartition(position, ClientError.from(error)))
    }
  }
  await Promise.all(
    Array.from(byLeader, async ([leader, positions]) => {
      const fetched = await fetchFrom(core, leader, positions, request, call)
      positions.forEach((position, index) => results.set(position, fetched[index] as FetchedPartition))
    }),
  )
  if (call.signal?.aborted) call.check()
  return request.partitions.map((position) => results.get(position) as FetchedPartition)
}

/** One Fetch from one broker. Never rejects: what failed is in every partition. Corrects the metadata the reply contradicts. */
export async function fetchFrom(
  core: ClientCore,
  nodeId: number,
  positions: readonly FetchPosition[],
  request: Omit<FetchRequest, 'partitions'>,
  call: Call,
): Promise<FetchedPartition[]> {
  // Ids are taken once, so that the reply is read by what the request said.
  const ids = new Map(positions.map(({ topic }) => [topic, core.cache.topic(topic)?.topicId ?? null]))
  const topicIdOf = (topic: string): string | null => ids.get(topic) ?? null
  const allHaveIds = [...ids.values()].every((id) => id !== null)
  try {
    const reply = await core.requestNode(nodeId, fetch, fetchBody(positions, request, topicIdOf), call, {
      lane: request.lane ?? FETCH_LANE,
      attemptMs: core.options.requestTimeoutMs + (request.maxWaitMs ?? 0),
      isRepeatable: true,
      ...(!allHaveIds && { maxVersion: LAST_FETCH_VERSION_BY_NAME }),
    })
    const fetched = fetchedPartitions(reply, positions, topicIdOf)
    correctMetadata(core, reply, fetched, topicIdOf)
    return fetched
  } catch (error) {
    const failure = ClientError.from(error, { nodeId })
    // A leader that does not answer may no longer be one.
    if (failure.retriable || failure.code === 'DEADLINE_EXCEEDED') for (const { topic } of positions) core.cache.forget(topic)
    return positions.map((position) => failedPartition(position, failure))
  }
}

function correctMetadata(
  core: ClientCore,
  reply: Parameters<typeof fetchedPartitions>[0],
  fetched: readonly FetchedPartition[],
  topicIdOf: (topic: string) => string | null,
): void {
  for (const { topic, partition, error } of fetched) {
    if (error === null || !isStaleMetadata(error.kafkaError)) continue
    const hint = reply.responses
      .find((candidate) => candidate.topic === topic || candidate.topicId === topicIdOf(topic))
      ?.partitions.find((candidate) => candidate.partitionIndex === partition)?.currentLeader
    if (hint === undefined || !core.cache.noteLeader(topic, partition, hint, reply.nodeEndpoints)) core.cache.forget(topic)
  }
}
