/**
 * Writes down what happens to the clusters. One follower per session, told every metadata and quorum answer by the samplers.
 *
 * Invariant: the first picture of a cluster is where its follower begins, and makes no events; every later one that is believed is compared
 * with the one before. Changes of one cause that come within `groupWithinMs` of each other, as when replicas catch up one after the other,
 * extend the event they began.
 */
import { eventTopicsMax, type ClusterEventKind } from '../../contract/timeline.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterEventStore, NewClusterEvent } from '../../store/cluster-events.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import { diffPictures, isStale, type BrokerChange, type ClusterPicture, type DifferContext } from './cluster-differ.ts'
import { groupChanges, mergeInto, type EventGroup, type PartitionChangeOfKind } from './event-groups.ts'
import { brokerSentence, groupSentence, quorumSentence } from './event-sentences.ts'
import { followQuorum, type QuorumAnswer, type QuorumTracking } from './quorum-differ.ts'

/** Changes this close to each other are one event. */
export const groupWithinMs = 3_000
/** An event is not extended beyond this. */
const groupSpanMaxMs = 60_000
/** Pictures in a row that are older than what is known, until they are the truth: the cluster was put back. */
const staleUntilBelieved = 5

export interface TimelineFollower {
  /** True when something has changed. */
  metadata(picture: ClusterPicture): boolean
  /** `askedMs`: wall clock; without a leader the answer may have taken long. True when something has changed, or may soon: there is no leader. */
  quorum(answer: QuorumAnswer, askedMs: number): boolean
}

/** What is looked at of a session. */
export type FollowedCluster = Pick<ClusterSession, 'id' | 'embedded' | 'knowledge'>

export interface TimelineRecorder {
  follow(session: FollowedCluster): TimelineFollower
  /** Events were written. */
  readonly changes: Changes
}

interface OpenEvent {
  readonly id: number
  readonly atMs: number
  readonly group: EventGroup
  untilMs: number
}

export function createTimelineRecorder(env: Env, store: ClusterEventStore): TimelineRecorder {
  const changes = createChanges()
  return { changes, follow: (session) => createFollower(env, store, session, () => changes.emit()) }
}

function createFollower(env: Env, store: ClusterEventStore, session: FollowedCluster, onEvents: () => void): TimelineFollower {
  const knownBrokers = new Set<number>()
  const open = new Map<string, OpenEvent>()
  let before: ClusterPicture | null = null
  let staleCount = 0
  let quorum: QuorumTracking | null = null

  function write(events: () => void): void {
    try {
      store.inOneGo(events)
      session.knowledge.gaps.delete('timeline')
    } catch (error) {
      session.knowledge.gaps.set('timeline', 'The timeline could not be written: the database failed.')
      env.log.write('error', 'cluster events could not be written', { cluster: session.id, error })
    }
    onEvents()
  }

  function writeGroups(found: readonly PartitionChangeOfKind[], atMs: number): void {
    for (const [key, event] of open) if (atMs - event.untilMs > groupWithinMs) open.delete(key)
    for (const [key, group] of groupChanges(found)) {
      const earlier = open.get(key)
      if (earlier === undefined || atMs - earlier.atMs > groupSpanMaxMs) {
        const id = store.append(eventOf(session.id, group, atMs, atMs))
        open.set(key, { id, atMs, untilMs: atMs, group })
        continue
      }
      mergeInto(earlier.group, group)
      earlier.untilMs = atMs
      store.replace(earlier.id, eventOf(session.id, earlier.group, earlier.atMs, atMs))
    }
  }

  return {
    metadata(picture) {
      const known = before
      const isBelieved = known === null || !isStale(known, picture) || (staleCount += 1) >= staleUntilBelieved
      if (!isBelieved) return false
      before = picture
      const isPutBack = staleCount >= staleUntilBelieved
      staleCount = 0
      const found = known === null || isPutBack ? [] : diffPictures(known, picture, contextOf(session, knownBrokers))
      remember(knownBrokers, picture)
      if (found.length === 0) return false
      const atMs = env.clock.nowMs()
      write(() => {
        for (const change of found) if ('broker' in change) store.append(brokerEvent(session.id, change, atMs))
        writeGroups(
          found.filter((change): change is PartitionChangeOfKind => !('broker' in change)),
          atMs,
        )
      })
      return true
    },
    quorum(answer, askedMs) {
      const followed = followQuorum(quorum, answer, answer.leaderId === null ? askedMs : env.clock.nowMs())
      quorum = followed.tracking
      const { change } = followed
      if (change !== null) {
        const brokerIds = [...('to' in change ? [change.to] : []), ...(change.from === null ? [] : [change.from])]
        write(() => store.append(plainEvent(session.id, change.kind, change.atMs, quorumSentence(change), [...new Set(brokerIds)])))
      }
      return change !== null || (quorum !== null && quorum.quietSinceMs !== null)
    },
  }
}

function contextOf(session: FollowedCluster, knownBrokers: ReadonlySet<number>): DifferContext {
  const nodes = (session.embedded?.nodes() ?? []).filter(({ role }) => role === 'broker')
  const idsIn = (...states: readonly string[]): ReadonlySet<number> =>
    new Set(nodes.filter(({ state }) => states.includes(state)).map(({ id }) => id))
  return {
    knownBrokers,
    stoppingBrokers: idsIn('stopping'),
    endedBrokers: idsIn('stopped', 'crashed'),
    minInSyncReplicas: (topic) => session.knowledge.topics.get(topic)?.minInSyncReplicas ?? null,
  }
}

function remember(knownBrokers: Set<number>, picture: ClusterPicture): void {
  for (const { nodeId } of picture.brokers) knownBrokers.add(nodeId)
  for (const { partitions } of picture.topics.values()) {
    for (const { replicas } of partitions) for (const broker of replicas) knownBrokers.add(broker)
  }
}

function eventOf(clusterId: string, group: EventGroup, atMs: number, untilMs: number): NewClusterEvent {
  const [only] = group.partitions.values()
  const others = [...group.heirs.keys()].filter((broker) => !group.about.includes(broker))
  return {
    clusterId,
    kind: group.kind,
    atMs,
    untilMs,
    cause: group.cause,
    summary: groupSentence(group),
    brokerIds: [...group.about, ...others],
    topics: [...group.topics].slice(0, eventTopicsMax),
    topicCount: group.topics.size,
    partitionCount: group.seen.size,
    partition: group.seen.size === 1 ? (only?.partition ?? null) : null,
    partitions: [...group.partitions.values()],
  }
}

function brokerEvent(clusterId: string, change: BrokerChange, atMs: number): NewClusterEvent {
  return plainEvent(clusterId, change.kind, atMs, brokerSentence(change), [change.broker])
}

function plainEvent(
  clusterId: string,
  kind: ClusterEventKind,
  atMs: number,
  summary: string,
  brokerIds: readonly number[],
): NewClusterEvent {
  const about = { clusterId, kind, atMs, untilMs: atMs, cause: null, summary, brokerIds }
  return { ...about, topics: [], topicCount: 0, partitionCount: 0, partition: null, partitions: [] }
}
