/**
 * Moving partitions to other brokers (AlterPartitionReassignments, KIP-455).
 *
 * While a partition moves, its replicas are those wanted and those that will go; the latter stay until all wanted ones are in sync
 * (partition-change.ts completes it then), so that no step has fewer copies than before. Asking again replaces what is under way;
 * asking for none takes it back to the replicas it started from.
 */
import { ErrorCode } from '../wire/errors.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import type { MetadataImage, TopicImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord } from './metadata-records.ts'
import { allowsUncleanElection, changePartition, changeRules, type WantedState } from './partition-change.ts'
import type { PartitionState } from './partition-state.ts'

export interface Reassignment {
  readonly topic: string
  readonly partition: number
  /** First one preferred; null cancels what is under way. */
  readonly replicas: readonly number[] | null
}

export type ReassignmentAnswer = Refusal | { readonly errorCode: 0 }

export interface ReassignmentOptions {
  readonly allowReplicationFactorChange: boolean
}

/** Answers in the order of the request; each partition is decided on its own. */
export function alterReassignments(
  { image }: DecisionInput,
  reassignments: readonly Reassignment[],
  options: ReassignmentOptions,
): Decision<readonly ReassignmentAnswer[]> {
  const records: MetadataRecord[] = []
  const keyOf = ({ topic, partition }: Reassignment): string => `${topic}/${partition}`
  const repeated = new Set<string>()
  const seen = new Set<string>()
  for (const key of reassignments.map(keyOf)) (seen.has(key) ? repeated : seen).add(key)
  const answer = reassignments.map((reassignment): ReassignmentAnswer => {
    if (repeated.has(keyOf(reassignment))) return refusal(ErrorCode.INVALID_REQUEST, 'The partition appears more than once in the request.')
    const decided = decide(image, reassignment, options)
    if ('errorMessage' in decided) return decided
    records.push(...decided)
    return { errorCode: 0 }
  })
  return { records, answer }
}

function decide(
  image: MetadataImage,
  { topic: name, partition: index, replicas }: Reassignment,
  options: ReassignmentOptions,
): readonly MetadataRecord[] | Refusal {
  const topic = image.topic(name)
  const partition = topic?.partitions[index]
  if (topic === undefined || partition === undefined)
    return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `There is no partition ${index} of '${name}'.`)
  const wanted = replicas === null ? cancelled(image, topic, partition) : towards(image, partition, replicas, options)
  if ('errorMessage' in wanted) return wanted
  const change = changePartition(partition, wanted, changeRules(image, name))
  return change === null ? [] : [partitionChangeRecord(topic.id, index, change)]
}

function towards(
  image: MetadataImage,
  partition: PartitionState,
  replicas: readonly number[],
  { allowReplicationFactorChange }: ReassignmentOptions,
): WantedState | Refusal {
  const problem = replicasProblem(image, replicas)
  if (problem !== null) return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem)
  const original = originalReplicas(partition)
  if (!allowReplicationFactorChange && replicas.length !== original.length) {
    return refusal(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `The partition has ${original.length} replicas and ${replicas.length} are asked for, which the request does not allow.`,
    )
  }
  const removingReplicas = original.filter((id) => !replicas.includes(id))
  return {
    replicas: [...replicas, ...removingReplicas],
    addingReplicas: replicas.filter((id) => !original.includes(id)),
    removingReplicas,
  }
}

function cancelled(image: MetadataImage, topic: TopicImage, partition: PartitionState): WantedState | Refusal {
  if (!isReassigning(partition)) return refusal(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, 'The partition is not being reassigned.')
  const replicas = originalReplicas(partition)
  const isComplete = replicas.some(
    (id) => partition.isr.includes(id) || (partition.isr.length === 0 && partition.eligibleLeaderReplicas.includes(id)),
  )
  if (!isComplete && !allowsUncleanElection(image, topic.name)) {
    return refusal(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `None of the replicas it started from (${replicas.join(', ')}) is in sync: going back would lose records.`,
    )
  }
  return { replicas, addingReplicas: [], removingReplicas: [] }
}

function replicasProblem(image: MetadataImage, replicas: readonly number[]): string | null {
  if (replicas.length === 0) return 'A partition needs at least one replica.'
  if (new Set(replicas).size !== replicas.length) return `The replicas name a broker twice: ${replicas.join(', ')}.`
  const unknown = replicas.find((id) => image.broker(id) === undefined)
  return unknown === undefined ? null : `Broker ${unknown} is not registered.`
}

/** Where the partition was before it began to move. */
function originalReplicas({ replicas, addingReplicas }: PartitionState): readonly number[] {
  return replicas.filter((id) => !addingReplicas.includes(id))
}

export function isReassigning({ addingReplicas, removingReplicas }: PartitionState): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}

export interface OngoingReassignment extends Pick<PartitionState, 'replicas' | 'addingReplicas' | 'removingReplicas'> {
  readonly topic: string
  readonly partition: number
}

/** What moves now, of the partitions named, or of all. */
export function ongoingReassignments(
  image: MetadataImage,
  named: readonly { readonly topic: string; readonly partition: number }[] | null,
): readonly OngoingReassignment[] {
  const ongoing: OngoingReassignment[] = []
  const look = (topic: string, partition: number, state: PartitionState | undefined): void => {
    if (state === undefined || !isReassigning(state)) return
    const { replicas, addingReplicas, removingReplicas } = state
    ongoing.push({ topic, partition, replicas, addingReplicas, removingReplicas })
  }
  if (named !== null) for (const { topic, partition } of named) look(topic, partition, image.partition(topic, partition))
  else for (const { name, partitions } of image.topics()) for (const [index, state] of partitions.entries()) look(name, index, state)
  return ongoing
}
