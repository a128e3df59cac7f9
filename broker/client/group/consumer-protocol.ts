/** What consumers put into a classic group's opaque bytes, read with tolerance: other programs put other things there. */
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../api/consumer-protocol.schema.ts'
import { decodePrefixed, encodePrefixed } from '../../wire/codec.ts'
import { WireError } from '../../wire/errors.ts'
import type { TopicPartition } from '../basic-types.ts'

/** The protocol type under which consumers form groups. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** Read by every client; v2 adds the generation that sticky assignors trust owned partitions by. */
const SUBSCRIPTION_VERSION = 2
const ASSIGNMENT_VERSION = 1

export interface Subscription {
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  /** Of the ownership; -1 when the member's client does not say. */
  readonly generationId: number
}

export function encodeSubscription(subscription: Subscription): Buffer {
  return encodePrefixed(consumerProtocolSubscription, SUBSCRIPTION_VERSION, {
    topics: subscription.topics.toSorted(),
    ownedPartitions: byTopic(subscription.ownedPartitions),
    generationId: subscription.generationId,
  })
}

/** `null` when the bytes are not the consumer protocol's. */
export function decodeSubscription(bytes: Buffer): Subscription | null {
  const value = tolerant(() => decodePrefixed(consumerProtocolSubscription, bytes, { newer: 'as-newest' }).value)
  if (value === null) return null
  return { topics: value.topics, ownedPartitions: flat(value.ownedPartitions), generationId: value.generationId }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encodePrefixed(consumerProtocolAssignment, ASSIGNMENT_VERSION, { assignedPartitions: byTopic(partitions) })
}

/** No bytes are an empty assignment; `null` when they are not the consumer protocol's. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] | null {
  if (bytes.length === 0) return []
  const value = tolerant(() => decodePrefixed(consumerProtocolAssignment, bytes, { newer: 'as-newest' }).value)
  return value === null ? null : flat(value.assignedPartitions)
}

function tolerant<T>(decode: () => T): T | null {
  try {
    return decode()
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

export function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = topics.get(topic)
    if (list === undefined) topics.set(topic, [partition])
    else list.push(partition)
  }
  return Array.from(topics, ([topic, list]) => ({ topic, partitions: list.sort((left, right) => left - right) }))
}

function flat(topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}
