/** Creating, deleting, growing and describing topics. */
import { createTopics as createTopicsApi } from '../../api/19-create-topics.schema.ts'
import { deleteTopics as deleteTopicsApi } from '../../api/20-delete-topics.schema.ts'
import { createPartitions as createPartitionsApi } from '../../api/37-create-partitions.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import type { Admin, CreatedTopic, NamedResult, NewTopic, TopicListing } from '../admin-types.ts'
import type { TopicMetadata } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { askController, errorOf } from './replies.ts'

export async function listTopics(core: ClientCore, call: Call): Promise<readonly TopicListing[]> {
  const topics = await core.cache.fetch({ topics: null, allowAutoTopicCreation: false }, call)
  return topics.map(({ name, topicId, isInternal, partitions }) => ({ name, topicId, isInternal, partitionCount: partitions.length }))
}

export async function describeTopics(core: ClientCore, names: readonly string[] | 'all', call: Call): Promise<readonly TopicMetadata[]> {
  const topics = await core.cache.fetch({ topics: names === 'all' ? null : names, allowAutoTopicCreation: false }, call)
  if (names === 'all') return topics
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  return names.map((name) => byName.get(name) ?? unknownTopic(name))
}

export async function createTopics(
  core: ClientCore,
  topics: readonly NewTopic[],
  validateOnly: boolean,
  call: Call,
): Promise<readonly CreatedTopic[]> {
  const reply = await askController(
    core,
    createTopicsApi,
    call,
    (timeoutMs) => ({ topics: topics.map(creatable), timeoutMs, validateOnly }),
    (answer) => answer.topics.map(({ errorCode }) => errorCode),
  )
  const byName = new Map(reply.topics.map((topic) => [topic.name, topic]))
  return topics.map((asked) => {
    core.cache.forget(asked.name)
    const answer = byName.get(asked.name)
    const counts = {
      name: asked.name,
      partitionCount:
        answer?.numPartitions && answer.numPartitions > 0
          ? answer.numPartitions
          : (asked.assignments?.length ?? asked.partitionCount ?? -1),
      replicationFactor:
        answer?.replicationFactor && answer.replicationFactor > 0
          ? answer.replicationFactor
          : (asked.assignments?.[0]?.length ?? asked.replicationFactor ?? -1),
    }
    const topicId = answer === undefined || answer.topicId === ZERO_UUID ? null : answer.topicId
    return { ...counts, topicId, error: errorOf(answer, `Topic "${asked.name}" was not created`, createTopicsApi.name) }
  })
}

function creatable(topic: NewTopic) {
  return {
    name: topic.name,
    numPartitions: topic.assignments === undefined ? (topic.partitionCount ?? -1) : -1,
    replicationFactor: topic.assignments === undefined ? (topic.replicationFactor ?? -1) : -1,
    assignments: (topic.assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
  }
}

export async function deleteTopics(core: ClientCore, names: readonly string[], call: Call): Promise<readonly NamedResult[]> {
  const reply = await askController(
    core,
    deleteTopicsApi,
    call,
    (timeoutMs) => ({ topics: names.map((name) => ({ name, topicId: ZERO_UUID })), topicNames: names, timeoutMs }),
    (answer) => answer.responses.map(({ errorCode }) => errorCode),
  )
  const byName = new Map(reply.responses.map((response) => [response.name, response]))
  return names.map((name) => {
    core.cache.forget(name)
    return { name, error: errorOf(byName.get(name), `Topic "${name}" was not deleted`, deleteTopicsApi.name) }
  })
}

export async function createPartitions(
  core: ClientCore,
  topics: Parameters<Admin['createPartitions']>[0],
  validateOnly: boolean,
  call: Call,
): Promise<readonly NamedResult[]> {
  const body = topics.map(({ name, partitionCount, assignments }) => ({
    name,
    count: partitionCount,
    assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
  }))
  const reply = await askController(
    core,
    createPartitionsApi,
    call,
    (timeoutMs) => ({ topics: body, timeoutMs, validateOnly }),
    (answer) => answer.results.map(({ errorCode }) => errorCode),
  )
  const byName = new Map(reply.results.map((result) => [result.name, result]))
  return topics.map(({ name }) => {
    core.cache.forget(name)
    return { name, error: errorOf(byName.get(name), `Topic "${name}" did not get more partitions`, createPartitionsApi.name) }
  })
}

function unknownTopic(name: string): TopicMetadata {
  const error = ClientError.ofBroker(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic "${name}" cannot be described`)
  return { name, topicId: null, isInternal: false, partitions: [], error }
}
