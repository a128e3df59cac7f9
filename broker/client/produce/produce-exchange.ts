/** Produce requests from batches, and each batch's fate from the reply, by topic name or id as the version has it. */
import { produce } from '../../api/00-produce.schema.ts'
import { Compression } from '../../wire/compression.ts'
import type { Decoded, Encodable } from '../../wire/schema.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import type { VersionBounds } from '../broker-connection.ts'
import { ClientError } from '../error.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch, ProducerIdentity } from './producer-batch.ts'

export type ProduceReply = Decoded<typeof produce.response>
export type PartitionReply = ProduceReply['responses'][number]['partitionResponses'][number]
/** By topic name; `null` where unknown. */
export type SentTopicIds = ReadonlyMap<string, string | null>

export interface Sent {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

/** From v13 on requests carry topic ids only. */
const LAST_VERSION_BY_NAME = 12
/** zstd is refused below. */
const ZSTD_SINCE = 7

export function produceBounds(topicIds: SentTopicIds, compression: Compression): VersionBounds {
  const allHaveIds = [...topicIds.values()].every((id) => id !== null)
  return {
    ...(!allHaveIds && { maxVersion: LAST_VERSION_BY_NAME }),
    ...(compression === Compression.ZSTD && { minVersion: ZSTD_SINCE }),
  }
}

export function produceTopics(
  sent: readonly Sent[],
  topicIds: SentTopicIds,
  compression: Compression,
  identity: ProducerIdentity | null,
): Encodable<typeof produce.request>['topicData'] {
  const byTopic = new Map<string, { index: number; records: Buffer }[]>()
  for (const { queue, batch } of sent) {
    const entry = { index: queue.partition, records: batch.encode(compression, identity) }
    const list = byTopic.get(queue.topic)
    if (list === undefined) byTopic.set(queue.topic, [entry])
    else list.push(entry)
  }
  return Array.from(byTopic, ([name, partitionData]) => ({ name, topicId: topicIds.get(name) ?? ZERO_UUID, partitionData }))
}

/** Each batch with its partition's part of the reply, or the error that there is none. */
export function partitionReplies(
  reply: ProduceReply,
  sent: readonly Sent[],
  topicIds: SentTopicIds,
): (Sent & { readonly answer: PartitionReply | ClientError })[] {
  const partitions = new Map<string, PartitionReply>()
  for (const topic of reply.responses) {
    const key = topic.topicId === ZERO_UUID ? topic.name : topic.topicId
    for (const partition of topic.partitionResponses) partitions.set(`${key} ${partition.index}`, partition)
  }
  return sent.map(({ queue, batch }) => {
    const { topic, partition } = queue
    const answer = partitions.get(`${topic} ${partition}`) ?? partitions.get(`${topicIds.get(topic)} ${partition}`)
    return { queue, batch, answer: answer ?? missing(queue) }
  })
}

function missing({ topic, partition }: PartitionQueue): ClientError {
  return new ClientError('MALFORMED_REPLY', `The reply to Produce lacks partition ${topic}-${partition}.`, { api: produce.name })
}

export function refusal(queue: PartitionQueue, reply: PartitionReply): ClientError {
  const recordReason = reply.recordErrors.find(({ batchIndexErrorMessage }) => batchIndexErrorMessage !== null)?.batchIndexErrorMessage
  return ClientError.ofBroker(reply.errorCode, `Records for ${queue.topic}-${queue.partition} were refused`, {
    api: produce.name,
    text: reply.errorMessage ?? recordReason ?? null,
  })
}
