import type { Env } from '../env/types.ts'
import type { ApiDefinition } from '../net/request-channel.ts'
import type { Decoded } from '../wire/schema.ts'
import { createAdmin } from './admin/admin.ts'
import type { TopicMetadata } from './basic-types.ts'
import type { RequestBody } from './broker-connection.ts'
import type { Call } from './call.ts'
import { fetchBatches } from './consume/fetch-batches.ts'
import { PartitionReader } from './consume/reader.ts'
import { ClientCore } from './core.ts'
import type { SendOptions } from './core.ts'
import { MemberConsumer } from './group/group-consumer.ts'
import { BatchingProducer } from './produce/producer.ts'
import type { ClientOptions, ClusterMetadata, KafkaClient, MetadataOptions, RequestOptions, Target } from './types.ts'

/** A client of one cluster. Nothing is connected to before it is used. Throws INVALID_ARGUMENT for options that cannot be. */
export function createClient(env: Env, options: ClientOptions): KafkaClient {
  const core = new ClientCore(env, options)
  return {
    clientId: core.options.clientId,
    admin: createAdmin(core),
    metadata: (metadataOptions = {}) => clusterMetadata(core, metadataOptions),
    request: (target, api, body, requestOptions = {}) => requestTo(core, target, api, body, requestOptions),
    async apiVersions(target, callOptions = {}) {
      const call = core.call('Asking for versions', callOptions)
      const connection = target === 'any' ? await core.anyConnection(call) : await core.connectionTo(target, call)
      return connection.versions.ranges
    },
    producer: (producerOptions = {}) => new BatchingProducer(core, producerOptions),
    fetchBatches: (request, callOptions = {}) => fetchBatches(core, request, core.call('Fetching', callOptions)),
    reader: (readerOptions) => new PartitionReader(core, readerOptions),
    consumer: (consumerOptions) => new MemberConsumer(core, consumerOptions),
    connections: () => core.connections(),
    close: () => core.close(),
  }
}

async function clusterMetadata(core: ClientCore, options: MetadataOptions): Promise<ClusterMetadata> {
  const { topics = [], refresh = false, allowAutoTopicCreation = false } = options
  const call = core.call('Asking for metadata', options)
  const found = await topicsOf(core, topics, refresh, allowAutoTopicCreation, call)
  const { clusterId, controllerId, brokers, fetchedMs } = core.cache
  return {
    clusterId,
    controllerId,
    brokers: [...brokers.values()],
    topics: new Map(found.map((topic) => [topic.name, topic])),
    fetchedMs,
  }
}

async function topicsOf(
  core: ClientCore,
  topics: readonly string[] | 'all',
  refresh: boolean,
  allowAutoTopicCreation: boolean,
  call: Call,
): Promise<TopicMetadata[]> {
  if (topics === 'all') return core.cache.fetch({ topics: null, allowAutoTopicCreation: false }, call)
  if (refresh || allowAutoTopicCreation) return core.cache.fetch({ topics, allowAutoTopicCreation }, call)
  await core.cache.ensure(topics, call)
  const cached = topics.map((name) => core.cache.topic(name))
  // What failed is not cached; its error is worth asking for again.
  if (cached.includes(undefined)) return core.cache.fetch({ topics, allowAutoTopicCreation }, call)
  return cached as TopicMetadata[]
}

async function requestTo<A extends ApiDefinition>(
  core: ClientCore,
  target: Target,
  api: A,
  body: RequestBody<A>,
  options: RequestOptions,
): Promise<Decoded<A['response']>> {
  const call = core.call(api.name, options)
  const { minVersion, maxVersion, lane, timeoutMs } = options
  const send: SendOptions = {
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(lane !== undefined && { lane }),
    ...(timeoutMs !== undefined && { attemptMs: timeoutMs }),
  }
  if (target === 'any') return core.requestAny(api, body, call, send)
  if (target === 'controller') return core.requestController(api, body, call, send)
  return core.requestNode(await nodeOf(core, target, call), api, body, call, send)
}

function nodeOf(core: ClientCore, target: Exclude<Target, 'any' | 'controller'>, call: Call): Promise<number> {
  if (typeof target === 'number') return Promise.resolve(target)
  if ('leaderOf' in target) {
    const { topic, partition } = target.leaderOf
    return core.retrying(call, () => core.leaderOf(topic, partition, call), isBrokersAnswer)
  }
  return core.retrying(call, () => core.coordinators.of(target.coordinatorOf, target.type ?? 'group', call), isBrokersAnswer)
}

/** Elections end; a cluster that cannot be reached is said at once. */
function isBrokersAnswer(failure: { readonly kafkaError: number | null; readonly retriable: boolean }): boolean {
  return failure.kafkaError !== null && failure.retriable
}
