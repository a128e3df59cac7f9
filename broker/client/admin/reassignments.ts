/** Moving partitions to other brokers (KIP-455), and what moves now. */
import { alterPartitionReassignments as alterApi } from '../../api/45-alter-partition-reassignments.schema.ts'
import { listPartitionReassignments as listApi } from '../../api/46-list-partition-reassignments.schema.ts'
import type { OngoingReassignment, PartitionResult, WishedReplicas } from '../admin-types.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { byTopic } from '../group/consumer-protocol.ts'
import { askController, errorOf } from './replies.ts'

/** Each partition is decided for itself; the call rejects only when the controller decided nothing. */
export async function alterReassignments(
  core: ClientCore,
  wished: readonly WishedReplicas[],
  call: Call,
): Promise<readonly PartitionResult[]> {
  const replicasOf = new Map(wished.map((one) => [keyOf(one), one.replicas]))
  const topics = byTopic(wished).map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      replicas: replicasOf.get(keyOf({ topic, partition: partitionIndex })) ?? null,
    })),
  }))
  const reply = await askController(
    core,
    alterApi,
    call,
    (timeoutMs) => ({ timeoutMs, allowReplicationFactorChange: true, topics }),
    (answer) => [answer.errorCode],
  )
  const whole = errorOf(reply, 'The partitions were not reassigned', alterApi.name)
  if (whole !== null) throw whole
  const answers = new Map(
    reply.responses.flatMap(({ name, partitions }) =>
      partitions.map((partition) => [keyOf({ topic: name, partition: partition.partitionIndex }), partition] as const),
    ),
  )
  for (const { topic } of wished) core.cache.forget(topic)
  return wished.map(({ topic, partition }) => ({
    topic,
    partition,
    error: errorOf(answers.get(keyOf({ topic, partition })), `${topic}-${partition} was not reassigned`, alterApi.name),
  }))
}

export async function listReassignments(
  core: ClientCore,
  partitions: readonly TopicPartition[] | 'all',
  call: Call,
): Promise<readonly OngoingReassignment[]> {
  const topics =
    partitions === 'all' ? null : byTopic(partitions).map(({ topic, partitions: own }) => ({ name: topic, partitionIndexes: own }))
  const reply = await askController(
    core,
    listApi,
    call,
    (timeoutMs) => ({ timeoutMs, topics }),
    (answer) => [answer.errorCode],
  )
  const whole = errorOf(reply, 'What is being reassigned cannot be listed', listApi.name)
  if (whole !== null) throw whole
  return reply.topics.flatMap(({ name, partitions: own }) =>
    own.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
      topic: name,
      partition: partitionIndex,
      replicas,
      addingReplicas,
      removingReplicas,
    })),
  )
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`
}
