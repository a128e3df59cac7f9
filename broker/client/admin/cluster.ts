/** The cluster itself: brokers, their disks, elections, and records removed from the start of a log. */
import { deleteRecords as deleteRecordsApi } from '../../api/21-delete-records.schema.ts'
import { describeLogDirs as describeLogDirsApi } from '../../api/35-describe-log-dirs.schema.ts'
import { electLeaders as electLeadersApi } from '../../api/43-elect-leaders.schema.ts'
import { describeCluster as describeClusterApi } from '../../api/60-describe-cluster.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Decoded } from '../../wire/schema.ts'
import type { Admin, ClusterDescription, DeletedRecords, DescribedLogDirectories, LogDirectory, PartitionResult } from '../admin-types.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { byTopic } from '../group/consumer-protocol.ts'
import { BROKER_ATTEMPT_MS, askNodes } from './fan-out.ts'
import { askController, errorOf } from './replies.ts'

const ELECTION_TYPES = { preferred: 0, unclean: 1 }
const UNCLEAN_SINCE = 1
/** Rounds of asking new leaders where the old one has moved. */
const ROUNDS_MAX = 6

/** From DescribeCluster; from Metadata where the brokers do not serve it (before Kafka 2.8). */
export async function describeCluster(core: ClientCore, call: Call): Promise<ClusterDescription> {
  try {
    const reply = await core.requestAny(
      describeClusterApi,
      { includeClusterAuthorizedOperations: false, includeFencedBrokers: true },
      call,
      { isRepeatable: true },
    )
    const error = errorOf(reply, 'The cluster cannot be described', describeClusterApi.name)
    if (error !== null) throw error
    return {
      clusterId: reply.clusterId,
      controllerId: reply.controllerId < 0 ? null : reply.controllerId,
      brokers: reply.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({ nodeId: brokerId, host, port, rack, isFenced })),
    }
  } catch (error) {
    if (ClientError.from(error).code !== 'UNSUPPORTED_VERSION') throw error
  }
  await core.cache.refresh([], call)
  const { clusterId, controllerId, brokers } = core.cache
  return { clusterId, controllerId, brokers: Array.from(brokers.values(), (broker) => ({ ...broker, isFenced: false })) }
}

export async function describeLogDirs(
  core: ClientCore,
  filter: { readonly nodeIds?: readonly number[]; readonly topics?: readonly string[] },
  call: Call,
): Promise<DescribedLogDirectories> {
  if (filter.topics !== undefined) await core.cache.ensure(filter.topics, call)
  const topics =
    filter.topics?.map((topic) => ({ topic, partitions: core.cache.topic(topic)?.partitions.map(({ partition }) => partition) ?? [] })) ??
    null
  const { answers, failures } = await askNodes(core, filter.nodeIds ?? null, call, async (nodeId) => {
    const reply = await core.requestNode(nodeId, describeLogDirsApi, { topics }, call, { isRepeatable: true, attemptMs: BROKER_ATTEMPT_MS })
    const error = errorOf({ errorCode: reply.errorCode }, `Broker ${nodeId} did not describe its log directories`, describeLogDirsApi.name)
    if (error !== null) throw error
    return reply.results.map((result) => directoryFrom(nodeId, result))
  })
  return { directories: [...answers.values()].flat(), failures }
}

function directoryFrom(nodeId: number, result: Decoded<typeof describeLogDirsApi.response>['results'][number]): LogDirectory {
  return {
    nodeId,
    path: result.logDir,
    totalBytes: result.totalBytes,
    usableBytes: result.usableBytes,
    replicas: result.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        sizeBytes: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
    error: errorOf(
      { errorCode: result.errorCode },
      `Directory ${result.logDir} of broker ${nodeId} cannot be read`,
      describeLogDirsApi.name,
    ),
  }
}

export async function electLeaders(
  core: ClientCore,
  type: 'preferred' | 'unclean',
  partitions: readonly TopicPartition[] | 'all',
  call: Call,
): Promise<readonly PartitionResult[]> {
  const topicPartitions = partitions === 'all' ? null : byTopic(partitions)
  // v0 knows the preferred election only.
  if (type === 'unclean') {
    const connection = await core.anyConnection(call)
    connection.versions.pick(electLeadersApi, { minVersion: UNCLEAN_SINCE })
  }
  const reply = await askController(
    core,
    electLeadersApi,
    call,
    (timeoutMs) => ({ electionType: ELECTION_TYPES[type], topicPartitions, timeoutMs }),
    (answer) => [answer.errorCode],
  )
  const whole = errorOf({ errorCode: reply.errorCode }, 'No leaders were elected', electLeadersApi.name)
  if (whole !== null) throw whole
  const results = reply.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map((result) => ({
      topic,
      partition: result.partitionId,
      error: errorOf(result, `${topic}-${result.partitionId} did not get another leader`, electLeadersApi.name),
    })),
  )
  for (const { topic } of results) core.cache.forget(topic)
  if (partitions === 'all') return results
  const byKey = new Map(results.map((result) => [`${result.topic} ${result.partition}`, result]))
  // A partition the reply leaves out had nothing to elect.
  return partitions.map(({ topic, partition }) => byKey.get(`${topic} ${partition}`) ?? { topic, partition, error: null })
}

type Deletion = Parameters<Admin['deleteRecords']>[0][number]

/** Each leader is asked for its partitions. */
export async function deleteRecords(core: ClientCore, targets: readonly Deletion[], call: Call): Promise<readonly DeletedRecords[]> {
  const results = new Map<Deletion, DeletedRecords>()
  let pending = [...targets]
  for (let round = 0; pending.length > 0 && round < ROUNDS_MAX; round++) {
    if (round > 0) await call.pause(core.retryDelayMs(round))
    await core.cache.ensure([...new Set(pending.map(({ topic }) => topic))], call)
    const byLeader = new Map<number, Deletion[]>()
    for (const target of pending) {
      try {
        const leader = await core.leaderOf(target.topic, target.partition, call)
        const list = byLeader.get(leader)
        if (list === undefined) byLeader.set(leader, [target])
        else list.push(target)
      } catch (error) {
        results.set(target, failedDeletion(target, ClientError.from(error)))
      }
    }
    await Promise.all(Array.from(byLeader, ([leader, own]) => deleteAt(core, leader, own, call, results)))
    if (call.signal?.aborted) call.check()
    pending = pending.filter((target) => results.get(target)?.error?.retriable)
    for (const { topic } of pending) core.cache.forget(topic)
    if (call.remainingMs === 0) break
  }
  return targets.map((target) => results.get(target) as DeletedRecords)
}

async function deleteAt(
  core: ClientCore,
  leader: number,
  targets: readonly Deletion[],
  call: Call,
  results: Map<Deletion, DeletedRecords>,
): Promise<void> {
  const offsets = new Map(targets.map((target) => [`${target.topic} ${target.partition}`, target.beforeOffset]))
  const topics = byTopic(targets).map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map((partitionIndex) => ({ partitionIndex, offset: offsets.get(`${topic} ${partitionIndex}`) as number })),
  }))
  try {
    const timeoutMs = Math.max(1, Math.min(core.options.requestTimeoutMs, Math.floor(call.remainingMs)))
    // Deleting up to an offset twice is deleting once.
    const reply = await core.requestNode(leader, deleteRecordsApi, { topics, timeoutMs }, call, { isRepeatable: true })
    const answers = new Map(
      reply.topics.flatMap(({ name, partitions }) =>
        partitions.map((partition) => [`${name} ${partition.partitionIndex}`, partition] as const),
      ),
    )
    for (const target of targets) {
      const answer = answers.get(`${target.topic} ${target.partition}`)
      const error = errorOf(answer, `Records of ${target.topic}-${target.partition} were not deleted`, deleteRecordsApi.name)
      const logStartOffset = answer === undefined || answer.errorCode !== ErrorCode.NONE ? null : answer.lowWatermark
      results.set(target, { topic: target.topic, partition: target.partition, logStartOffset, error })
    }
  } catch (error) {
    const failure = ClientError.from(error, { nodeId: leader })
    for (const target of targets) results.set(target, failedDeletion(target, failure))
  }
}

function failedDeletion({ topic, partition }: TopicPartition, error: ClientError): DeletedRecords {
  return { topic, partition, logStartOffset: null, error }
}
