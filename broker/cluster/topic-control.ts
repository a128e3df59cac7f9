/** Creating, deleting and enlarging topics. One request may name many; each is decided on its own, in order. */
import { ErrorCode } from '../wire/errors.ts'
import { lengthProblem } from './config-control.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import { ConfigResourceType, type MetadataImage, type TopicImage } from './image.ts'
import { configRecord, partitionRecord, removeTopicRecord, topicRecord, type MetadataRecord } from './metadata-records.ts'
import { assignmentProblem, newPartition, placeNew } from './new-partitions.ts'
import { usableBrokers } from './placement.ts'
import { collidingTopic, topicNameProblem } from './topic-name.ts'
import { topicCollisionKey } from './image.ts'

/** One request creates at most this many partitions, so that its batch stays one that every broker applies in one go. */
export const PARTITIONS_PER_REQUEST_MAX = 10_000

export interface TopicDefaults {
  readonly partitionCount: number
  readonly replicationFactor: number
}

export interface NewTopic {
  readonly name: string
  /** -1 for the default. */
  readonly partitionCount: number
  /** -1 for the default. */
  readonly replicationFactor: number
  /** Partition -> replicas, first one preferred; empty to have them placed. */
  readonly assignments: ReadonlyMap<number, readonly number[]>
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

export interface CreateTopicsOptions {
  readonly defaults: TopicDefaults
  readonly newTopicId: () => string
  /** Why these settings may not be a topic's, as a sentence; null when they may. */
  readonly configProblem: (settings: ReadonlyMap<string, string>) => string | null
}

export interface CreatedTopic {
  readonly errorCode: 0
  readonly topicId: string
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string>
}

export type CreateTopicAnswer = CreatedTopic | Refusal

/** Answers in the order of the request. */
export function createTopics(
  { image }: DecisionInput,
  topics: readonly NewTopic[],
  options: CreateTopicsOptions,
): Decision<readonly CreateTopicAnswer[]> {
  const records: MetadataRecord[] = []
  const occurrences = countBy(topics.map(({ name }) => name))
  const taken = new Map<string, string>()
  let createdPartitions = 0
  const answer = topics.map((topic): CreateTopicAnswer => {
    if ((occurrences.get(topic.name) ?? 0) > 1)
      return refusal(ErrorCode.INVALID_REQUEST, `Topic ${topic.name} appears more than once in the request.`)
    const decided = createTopic(image, topic, options, { taken, createdPartitions })
    if ('errorMessage' in decided) return decided
    taken.set(topicCollisionKey(topic.name), topic.name)
    createdPartitions += decided.answer.partitionCount
    records.push(...decided.records)
    return decided.answer
  })
  return { records, answer }
}

interface SameRequest {
  /** Collision keys of topics this request has created so far. */
  readonly taken: ReadonlyMap<string, string>
  readonly createdPartitions: number
}

function createTopic(
  image: MetadataImage,
  topic: NewTopic,
  options: CreateTopicsOptions,
  sameRequest: SameRequest,
): { readonly records: readonly MetadataRecord[]; readonly answer: CreatedTopic } | Refusal {
  const nameProblem = nameRefusal(image, topic.name, sameRequest)
  if (nameProblem !== null) return nameProblem
  const configs = new Map(topic.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])))
  const nullConfig = topic.configs.find(({ value }) => value === null)
  if (nullConfig !== undefined) return refusal(ErrorCode.INVALID_CONFIG, `The value of ${nullConfig.name} must not be null.`)
  const configProblem = lengthProblem(configs) ?? options.configProblem(configs)
  if (configProblem !== null) return refusal(ErrorCode.INVALID_CONFIG, configProblem)

  const placed =
    topic.assignments.size > 0 ? assignedByHand(image, topic, sameRequest) : placedHere(image, topic, options.defaults, sameRequest)
  if ('errorMessage' in placed) return placed
  const topicId = options.newTopicId()
  const records = [
    topicRecord(topic.name, topicId),
    ...[...configs].map(([name, value]) => configRecord(ConfigResourceType.TOPIC, topic.name, name, value)),
    ...placed.assignments.map((replicas, index) => partitionRecord(topicId, index, newPartition(image, replicas))),
  ]
  const replicationFactor = placed.assignments[0]!.length
  return { records, answer: { errorCode: 0, topicId, partitionCount: placed.assignments.length, replicationFactor, configs } }
}

function nameRefusal(image: MetadataImage, name: string, { taken }: SameRequest): Refusal | null {
  if (image.topic(name) !== undefined) return refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  const problem = topicNameProblem(name)
  if (problem !== null) return refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  const other = collidingTopic(image, name) ?? taken.get(topicCollisionKey(name))
  if (other === undefined) return null
  return refusal(
    ErrorCode.INVALID_TOPIC_EXCEPTION,
    `Topic '${name}' collides with existing topic '${other}': names may not differ in "." and "_" alone.`,
  )
}

type Placed = { readonly assignments: readonly (readonly number[])[] } | Refusal

function assignedByHand(
  image: MetadataImage,
  { assignments, partitionCount, replicationFactor }: NewTopic,
  { createdPartitions }: SameRequest,
): Placed {
  if (partitionCount !== -1)
    return refusal(ErrorCode.INVALID_REQUEST, 'The number of partitions must be -1 when replicas are assigned by hand.')
  if (replicationFactor !== -1)
    return refusal(ErrorCode.INVALID_REQUEST, 'The replication factor must be -1 when replicas are assigned by hand.')
  if (assignments.size + createdPartitions > PARTITIONS_PER_REQUEST_MAX) return tooManyPartitions()
  const inOrder = Array.from({ length: assignments.size }, (_, partition) => assignments.get(partition))
  const missing = inOrder.indexOf(undefined)
  if (missing !== -1)
    return refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, `Partitions are numbered from 0 without gaps, and ${missing} is missing.`)
  const lists = inOrder as readonly (readonly number[])[]
  const problem = assignmentProblem(image, lists, lists[0]!.length)
  return problem === null ? { assignments: lists } : refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem)
}

function placedHere(image: MetadataImage, topic: NewTopic, defaults: TopicDefaults, { createdPartitions }: SameRequest): Placed {
  const partitionCount = topic.partitionCount === -1 ? defaults.partitionCount : topic.partitionCount
  if (partitionCount <= 0)
    return refusal(ErrorCode.INVALID_PARTITIONS, `The number of partitions must be at least 1, not ${topic.partitionCount}.`)
  if (partitionCount + createdPartitions > PARTITIONS_PER_REQUEST_MAX) return tooManyPartitions()
  const brokers = usableBrokers(image)
  const replicationFactor =
    topic.replicationFactor === -1 ? Math.min(defaults.replicationFactor, Math.max(1, brokers.length)) : topic.replicationFactor
  if (replicationFactor <= 0) {
    return refusal(ErrorCode.INVALID_REPLICATION_FACTOR, `The replication factor must be at least 1, not ${topic.replicationFactor}.`)
  }
  return placeNew(brokers, { partitionCount, replicationFactor, startIndex: image.partitionCount + createdPartitions })
}

function tooManyPartitions(): Refusal {
  return refusal(ErrorCode.POLICY_VIOLATION, `One request may create ${PARTITIONS_PER_REQUEST_MAX} partitions at most.`)
}

// ------------------------------------------------------------------------------------------------------------ deleting

export type TopicSelector = { readonly name: string } | { readonly id: string }
export type DeleteTopicAnswer = { readonly name: string | null; readonly topicId: string | null } & (Refusal | { readonly errorCode: 0 })

export function deleteTopics({ image }: DecisionInput, selectors: readonly TopicSelector[]): Decision<readonly DeleteTopicAnswer[]> {
  const topics = selectors.map((selector) => ('name' in selector ? image.topic(selector.name) : image.topicById(selector.id)))
  const occurrences = countBy(topics.map((topic) => topic?.id))
  const records: MetadataRecord[] = []
  const answer = selectors.map((selector, index): DeleteTopicAnswer => {
    const topic = topics[index]
    const named = {
      name: topic?.name ?? ('name' in selector ? selector.name : null),
      topicId: topic?.id ?? ('id' in selector ? selector.id : null),
    }
    if (topic === undefined) {
      const unknown =
        'name' in selector
          ? refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${selector.name}' does not exist.`)
          : refusal(ErrorCode.UNKNOWN_TOPIC_ID, `No topic has the id ${selector.id}.`)
      return { ...named, ...unknown }
    }
    if ((occurrences.get(topic.id) ?? 0) > 1) {
      return { ...named, ...refusal(ErrorCode.INVALID_REQUEST, `Topic '${topic.name}' appears more than once in the request.`) }
    }
    records.push(removeTopicRecord(topic.id))
    return { ...named, errorCode: 0 }
  })
  return { records, answer }
}

// ----------------------------------------------------------------------------------------------------------- enlarging

export interface MorePartitions {
  readonly name: string
  /** The total wanted. */
  readonly count: number
  /** Replicas of each added partition, or null to have them placed. */
  readonly assignments: readonly (readonly number[])[] | null
}

export type MorePartitionsAnswer = Refusal | { readonly errorCode: 0 }

export function createPartitions({ image }: DecisionInput, topics: readonly MorePartitions[]): Decision<readonly MorePartitionsAnswer[]> {
  const records: MetadataRecord[] = []
  const occurrences = countBy(topics.map(({ name }) => name))
  let created = 0
  const answer = topics.map((wanted): MorePartitionsAnswer => {
    if ((occurrences.get(wanted.name) ?? 0) > 1)
      return refusal(ErrorCode.INVALID_REQUEST, `Topic ${wanted.name} appears more than once in the request.`)
    const topic = image.topic(wanted.name)
    if (topic === undefined) return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${wanted.name}' does not exist.`)
    const added = addedPartitions(image, topic, wanted, created)
    if ('errorMessage' in added) return added
    created += added.assignments.length
    const first = topic.partitions.length
    records.push(...added.assignments.map((replicas, index) => partitionRecord(topic.id, first + index, newPartition(image, replicas))))
    return { errorCode: 0 }
  })
  return { records, answer }
}

function addedPartitions(image: MetadataImage, topic: TopicImage, { count, assignments }: MorePartitions, created: number): Placed {
  const present = topic.partitions.length
  if (count === present) return refusal(ErrorCode.INVALID_PARTITIONS, `Topic '${topic.name}' already has ${present} partitions.`)
  if (count < present) {
    return refusal(
      ErrorCode.INVALID_PARTITIONS,
      `Topic '${topic.name}' has ${present} partitions, more than the ${count} asked for: the number can only grow.`,
    )
  }
  const added = count - present
  if (created + added > PARTITIONS_PER_REQUEST_MAX) {
    return refusal(ErrorCode.INVALID_PARTITIONS, `One request may create ${PARTITIONS_PER_REQUEST_MAX} partitions at most.`)
  }
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1
  if (assignments === null) {
    return placeNew(usableBrokers(image), { partitionCount: added, replicationFactor, startIndex: image.partitionCount + created })
  }
  if (assignments.length !== added) {
    return refusal(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `${added} partitions are to be added, and replicas are given for ${assignments.length}.`,
    )
  }
  const problem = assignmentProblem(image, assignments, replicationFactor)
  return problem === null ? { assignments } : refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, problem)
}

function countBy<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
