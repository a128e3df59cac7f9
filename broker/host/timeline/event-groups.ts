/**
 * Changes of one cause, gathered into one event: the leaders that a broker's end moved, the partitions on which a broker fell out of sync.
 * What is kept by name is bounded; counts are exact.
 */
import { eventPartitionsMax, type ClusterEventKind, type ElectionCause, type EventPartition } from '../../contract/timeline.ts'
import type { InSyncChange, LeaderChange } from './cluster-differ.ts'

/** Groups one sample makes of one kind; what is beyond goes into one that names no broker. */
export const groupsPerKindMax = 50

export type PartitionChangeOfKind = LeaderChange | InSyncChange

export interface EventGroup {
  readonly kind: PartitionChangeOfKind['kind']
  readonly cause: ElectionCause | null
  /** Those it is about: the leader before, the new leader, who left the in-sync set or came. Empty: too many to say. */
  readonly about: readonly number[]
  /** How many partitions each new leader took. */
  readonly heirs: Map<number, number>
  readonly topics: Set<string>
  /** All of them, as `topic\0partition`. */
  readonly seen: Set<string>
  /** The first `eventPartitionsMax`. */
  readonly partitions: Map<string, EventPartition>
}

/** Changes by the event they belong to; the key stays the same from sample to sample. */
export function groupChanges(changes: readonly PartitionChangeOfKind[]): ReadonlyMap<string, EventGroup> {
  const groups = new Map<string, EventGroup>()
  const perKind = new Map<ClusterEventKind, number>()
  for (const change of changes) {
    const about = aboutOf(change)
    const cause = 'cause' in change ? change.cause : null
    let key = keyOf(change.kind, cause, about)
    let group = groups.get(key)
    if (group === undefined) {
      const count = perKind.get(change.kind) ?? 0
      const isRoom = count < groupsPerKindMax
      if (!isRoom) key = keyOf(change.kind, null, [])
      group = groups.get(key) ?? newGroup(change.kind, isRoom ? cause : null, isRoom ? about : [])
      groups.set(key, group)
      perKind.set(change.kind, count + 1)
    }
    addTo(group, change)
  }
  return groups
}

/** Takes what `more` has into `group`, which is the same event seen a moment before. */
export function mergeInto(group: EventGroup, more: EventGroup): void {
  for (const [broker, count] of more.heirs) group.heirs.set(broker, (group.heirs.get(broker) ?? 0) + count)
  for (const topic of more.topics) group.topics.add(topic)
  for (const key of more.seen) group.seen.add(key)
  for (const [key, partition] of more.partitions) keep(group, key, partition)
}

function keyOf(kind: ClusterEventKind, cause: ElectionCause | null, about: readonly number[]): string {
  return `${kind} ${cause ?? '-'} ${about.join(',')}`
}

function aboutOf(change: PartitionChangeOfKind): readonly number[] {
  if ('brokers' in change) return [...change.brokers].sort((a, b) => a - b)
  const about = change.kind === 'partition-online' || change.cause === 'preferred' || change.cause === 'unclean' ? change.to : change.from
  return about === null ? [] : [about]
}

function newGroup(kind: EventGroup['kind'], cause: ElectionCause | null, about: readonly number[]): EventGroup {
  return { kind, cause, about, heirs: new Map(), topics: new Set(), seen: new Set(), partitions: new Map() }
}

function addTo(group: EventGroup, change: PartitionChangeOfKind): void {
  const { topic, partition, from, to, leaderEpoch, isr, replicaCount } = change
  const key = `${topic}\0${partition}`
  group.seen.add(key)
  group.topics.add(topic)
  if (!('brokers' in change) && to !== null) group.heirs.set(to, (group.heirs.get(to) ?? 0) + 1)
  keep(group, key, { topic, partition, from, to, leaderEpoch, isr, replicaCount })
}

function keep(group: EventGroup, key: string, partition: EventPartition): void {
  if (group.partitions.size < eventPartitionsMax || group.partitions.has(key)) group.partitions.set(key, partition)
}
