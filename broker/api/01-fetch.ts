/**
 * Fetch v4-18 from a broker: whole batches as stored, in the order the partitions were asked for.
 *
 * v5: log start. v7: sessions (KIP-227). v9: the leader epoch is checked (KIP-320). v12: divergence from the fetcher's
 * last epoch. v13: topics by id. v15: the replica's state. v16: who leads instead (KIP-951).
 *
 * The reply waits until minBytes can be sent or maxWaitMs have passed; a partition in error or a divergence is answered
 * at once. The first partition that has anything gets at least one whole batch, whatever the limits. Consumers see what
 * is below the high watermark, or below the last stable offset with read_committed; replicas see all that is in the log. Who
 * fetches as a replica must be that broker (TOPIC_AUTHORIZATION_FAILED), in its present life (UNKNOWN_LEADER_EPOCH), and is
 * sent nothing for now of a partition that is throttled for it.
 */
import type { MetadataImage } from '../cluster/image.ts'
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { fetch } from './01-fetch.schema.ts'
import type { BrokerServices, BrokerSettings, RequestContext, Time } from './context.ts'
import { type FetchedPartition, type FetchLimits, fetchPartitions, type ResolvedTarget } from './fetch-read.ts'
import type { FetchExchange, FetchTarget } from './fetch-sessions.ts'
import { LeaderHints } from './leader-hints.ts'
import { speaksFor } from './node-identity.ts'
import type { Isolation } from './partitions.ts'
import { defineApi } from './registry.ts'
import { findTopic } from './topics.ts'

type Request = Decoded<typeof fetch.request>
type Response = Encodable<typeof fetch.response>
type TopicResponse = Response['responses'][number]
type Services = Pick<BrokerServices, 'image' | 'partitions' | 'fetchSessions' | 'leaderThrottle'> & {
  readonly settings: Pick<BrokerSettings, 'fetchBytesMax'>
  readonly time: Pick<Time, 'after'>
}

const BY_ID_SINCE = 13
const REPLICA_STATE_SINCE = 15
const READ_COMMITTED = 1

export const fetchApi = defineApi(fetch, {
  listeners: 'everywhere',
  failure: (_request, error) => emptyFetch(error),
  replyBytesMax: bytesMax,
  async handle(request, context, services: Services) {
    const follower = followerOf(request, context)
    const isReplica = follower !== null
    const refusal = follower === null ? null : followerRefusal(follower, context, services.image())
    const exchange = services.fetchSessions.begin({
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      usesTopicIds: context.apiVersion >= BY_ID_SINCE,
      isReplica,
      targets: targetsOf(request),
      forgotten: forgottenOf(request),
    })
    if (typeof exchange === 'number') return emptyFetch(exchange)
    const targets = exchange.targets.map((target) => resolve(target, refusal, context, services))
    const fetched = await fetchPartitions(targets, {
      isolation: isolationOf(request, isReplica),
      follower,
      throttle: services.leaderThrottle,
      minBytes: request.minBytes,
      maxBytes: bytesMax(request, services),
      maxWaitMs: request.maxWaitMs,
      time: services.time,
      signal: context.signal,
    })
    return response(exchange, targets, fetched, context, services)
  },
})

/** Never negative, whatever the client says: it is what the connection is charged with while the reply is awaited. */
function bytesMax(request: Request, { settings }: Pick<Services, 'settings'>): number {
  return Math.max(0, Math.min(request.maxBytes, settings.fetchBytesMax))
}

function followerOf(request: Request, { apiVersion }: RequestContext): FetchLimits['follower'] {
  const { replicaId, replicaEpoch } =
    apiVersion >= REPLICA_STATE_SINCE ? request.replicaState : { replicaId: request.replicaId, replicaEpoch: -1 }
  return replicaId >= 0 ? { replicaId, brokerEpoch: replicaEpoch } : null
}

function isolationOf(request: Request, isReplica: boolean): Isolation {
  if (isReplica) return 'replica'
  return request.isolationLevel === READ_COMMITTED ? 'readCommitted' : 'readUncommitted'
}

function targetsOf(request: Request): FetchTarget[] {
  const targets: FetchTarget[] = []
  for (const { topic, topicId, partitions } of request.topics) {
    for (const asked of partitions) {
      const { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset, partitionMaxBytes } = asked
      targets.push({ topic, topicId, partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset, partitionMaxBytes })
    }
  }
  return targets
}

function forgottenOf(request: Request) {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => ({ topic, topicId, partition })),
  )
}

type Refusal = Exclude<ErrorCode, typeof ErrorCode.NONE>

/** Progress claimed in a follower's name commits records: nobody but that broker may claim it, and none of its former lives. */
function followerRefusal(
  { replicaId, brokerEpoch }: NonNullable<FetchLimits['follower']>,
  context: RequestContext,
  image: MetadataImage,
): Refusal | null {
  if (!speaksFor(context, replicaId)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  const present = image.broker(replicaId)?.brokerEpoch ?? -1
  return brokerEpoch >= 0 && brokerEpoch < present ? ErrorCode.UNKNOWN_LEADER_EPOCH : null
}

function resolve(target: FetchTarget, refusal: Refusal | null, context: RequestContext, services: Services): ResolvedTarget {
  const byId = context.apiVersion >= BY_ID_SINCE
  const found = findTopic(services.image(), context, { name: target.topic, topicId: target.topicId, byId }, AclOperation.READ)
  if (found.error !== ErrorCode.NONE) return { target, topic: found.name, error: found.error }
  if (refusal !== null) return { target, topic: found.name, error: refusal }
  const { partition, error } = services.partitions.leader(found.name, target.partition, target.currentLeaderEpoch)
  if (partition === null) return { target, topic: found.name, error }
  if (byId && partition.topicId !== target.topicId) return { target, topic: found.name, error: ErrorCode.INCONSISTENT_TOPIC_ID }
  return { target, topic: found.name, error: ErrorCode.NONE, partition, leaderEpoch: partition.leaderEpoch }
}

function response(
  exchange: FetchExchange,
  targets: readonly ResolvedTarget[],
  fetched: readonly FetchedPartition[],
  context: RequestContext,
  services: Services,
): Response {
  const { sessionId, isListed } = exchange.finish(fetched)
  const hints = new LeaderHints(services.image(), context.listener)
  const responses: TopicResponse[] = []
  let recordBytes = 0
  let last: { topic: string; topicId: string; partitions: TopicResponse['partitions'][number][] } | null = null
  for (const [index, answer] of fetched.entries()) {
    if (!isListed(index)) continue
    const { target, topic } = targets[index]!
    if (last === null || last.topic !== target.topic || last.topicId !== target.topicId) {
      last = { topic: target.topic, topicId: target.topicId, partitions: [] }
      responses.push(last)
    }
    recordBytes += answer.recordBytes
    last.partitions.push({
      partitionIndex: target.partition,
      errorCode: answer.errorCode,
      highWatermark: answer.highWatermark,
      lastStableOffset: answer.lastStableOffset,
      logStartOffset: answer.logStartOffset,
      divergingEpoch: answer.divergingEpoch ?? undefined,
      currentLeader: hints.for(topic, target.partition, answer.errorCode),
      abortedTransactions: answer.abortedTransactions,
      records: answer.records,
    })
  }
  const throttleTimeMs = context.quota('fetchBytes', recordBytes)
  return { throttleTimeMs, errorCode: ErrorCode.NONE, sessionId, responses, nodeEndpoints: hints.endpoints }
}

function emptyFetch(errorCode: ErrorCode): Response {
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses: [] }
}
