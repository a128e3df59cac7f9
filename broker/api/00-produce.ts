/**
 * Produce v3-13: appends one record batch per partition.
 *
 * acks=0 is answered by nothing, and an error closes the connection so that the client refreshes its metadata; acks=1
 * when the leader's write returned; acks=-1 when the high watermark passed the batch, with min.insync.replicas checked
 * before (NOT_ENOUGH_REPLICAS) and after (NOT_ENOUGH_REPLICAS_AFTER_APPEND). v7: zstd. v8: which records were refused.
 * v10: who leads instead. v13: topics by id. Partitions succeed and fail one by one, in the order of the request; the
 * next request of the connection starts once these batches have their offsets.
 */
import { AclOperation } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { claimsTransaction } from '../wire/record-batch.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { produce } from './00-produce.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import { LeaderHints } from './leader-hints.ts'
import type { AppendOutcome, FailureCode, PartitionAppend } from './partitions.ts'
import { defineApi } from './registry.ts'
import { findTopic, isInternalTopic, type TopicLookup } from './topics.ts'

type Request = Decoded<typeof produce.request>
type TopicData = Request['topicData'][number]
type Response = Encodable<typeof produce.response>
type PartitionResponse = Response['responses'][number]['partitionResponses'][number]
type Services = Pick<BrokerServices, 'image' | 'partitions'>

const ZSTD_SINCE = 7
const BY_ID_SINCE = 13

export const produceApi = defineApi(produce, {
  listeners: 'everywhere',
  failure: failedProduce,
  handle(request, context, services: Services) {
    const { acks } = request
    if (acks !== 0 && acks !== 1 && acks !== -1) return failedProduce(request, ErrorCode.INVALID_REQUIRED_ACKS)
    // A transaction is opened by InitProducerId with its id, which this broker does not grant.
    if (request.transactionalId !== null) return refuseAll(request, context, ErrorCode.INVALID_TXN_STATE)
    const options = { origin: 'client', acks, timeoutMs: request.timeoutMs, zstdAllowed: context.apiVersion >= ZSTD_SINCE } as const
    const appends = request.topicData.map((topic) => appendTopic(topic, options, context, services))
    const throttleTimeMs = context.quota('produceBytes', bytesOf(request))
    context.ordered()
    if (acks === 0) return withoutReply(appends, context)
    return acknowledge(appends, context, services).then((answer) => ({ ...answer, throttleTimeMs }))
  },
})

interface TopicAppend {
  readonly named: TopicData
  readonly name: string
  readonly partitions: readonly { readonly index: number; readonly outcome: AppendOutcome }[]
}

function appendTopic(named: TopicData, options: PartitionAppend, context: RequestContext, services: Services): TopicAppend {
  const byId = context.apiVersion >= BY_ID_SINCE
  const found = findTopic(services.image(), context, { name: named.name, topicId: named.topicId, byId }, AclOperation.WRITE)
  const partitions = named.partitionData.map(({ index, records }) => ({
    index,
    outcome: appendPartition(found, index, records, options, services),
  }))
  return { named, name: found.name, partitions }
}

function appendPartition(
  found: TopicLookup,
  index: number,
  records: Buffer | null,
  options: PartitionAppend,
  services: Services,
): AppendOutcome {
  if (found.error !== ErrorCode.NONE) return refused(found.error)
  if (isInternalTopic(found.name)) return refused(ErrorCode.INVALID_TOPIC_EXCEPTION, `${found.name} is written by the cluster alone`)
  const { partition, error } = services.partitions.leader(found.name, index)
  if (partition === null) return refused(error)
  if (records === null || records.length === 0)
    return refused(ErrorCode.INVALID_RECORD, 'a produce request carries one batch per partition')
  // It would open a transaction that nobody can end, and hold the last stable offset back for good.
  if (claimsTransaction(records))
    return refused(ErrorCode.INVALID_TXN_STATE, 'a transactional batch in a request without a transactional id')
  return partition.append(records, options)
}

function refused(error: FailureCode, message: string | null = null): AppendOutcome {
  return { error, message, recordErrors: [], logStartOffset: -1 }
}

/** acks=0: the only way to say that something went wrong is to hang up. */
function withoutReply(appends: readonly TopicAppend[], context: RequestContext): null {
  for (const { name, partitions } of appends) {
    const failed = partitions.find(({ outcome }) => outcome.error !== ErrorCode.NONE)
    if (failed === undefined) continue
    context.closeConnection(`a Produce with acks=0 failed on ${name}-${failed.index} with error ${failed.outcome.error}`)
    break
  }
  return null
}

async function acknowledge(appends: readonly TopicAppend[], context: RequestContext, services: Services): Promise<Response> {
  const outcomes: { append: TopicAppend; partitionResponses: PartitionResponse[] }[] = []
  for (const append of appends) {
    const partitionResponses: PartitionResponse[] = []
    for (const { index, outcome } of append.partitions) {
      const error = outcome.error === ErrorCode.NONE ? await outcome.acknowledged : outcome.error
      partitionResponses.push(partitionResponse(index, outcome, error))
    }
    outcomes.push({ append, partitionResponses })
  }
  // Taken now: leadership may have moved while the acknowledgement was waited for.
  const hints = new LeaderHints(services.image(), context.listener)
  const responses = outcomes.map(({ append, partitionResponses }) => ({
    name: append.named.name,
    topicId: append.named.topicId,
    partitionResponses: partitionResponses.map((response) => {
      const currentLeader = hints.for(append.name, response.index, response.errorCode as ErrorCode)
      return currentLeader === undefined ? response : { ...response, currentLeader }
    }),
  }))
  return { responses, nodeEndpoints: hints.endpoints, throttleTimeMs: 0 }
}

function partitionResponse(index: number, outcome: AppendOutcome, errorCode: ErrorCode): PartitionResponse {
  if (outcome.error !== ErrorCode.NONE) {
    const recordErrors = outcome.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
    return { index, errorCode, baseOffset: -1, logStartOffset: outcome.logStartOffset, recordErrors, errorMessage: outcome.message }
  }
  if (errorCode !== ErrorCode.NONE) return { index, errorCode, baseOffset: -1 }
  const { baseOffset, logAppendTimeMs, logStartOffset } = outcome
  return { index, errorCode, baseOffset, logAppendTimeMs, logStartOffset }
}

function refuseAll(request: Request, context: RequestContext, error: ErrorCode): Response | null {
  if (request.acks !== 0) return failedProduce(request, error)
  context.closeConnection(`a Produce with acks=0 failed with error ${error}`)
  return null
}

function failedProduce(request: Request, errorCode: ErrorCode): Response {
  const responses = request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
  }))
  return { responses, throttleTimeMs: 0 }
}

function bytesOf(request: Request): number {
  let bytes = 0
  for (const { partitionData } of request.topicData) {
    for (const { records } of partitionData) bytes += records?.length ?? 0
  }
  return bytes
}
