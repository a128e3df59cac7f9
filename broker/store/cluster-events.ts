/**
 * What happened to the clusters by themselves, as lines with a count. Invariant: at most `clusterEventsMax` lines, none older than
 * `clusterEventsKeptMs`; the names of the partitions, which are most of the bytes, are kept with the newest `detailedEventsMax` lines only.
 */
import type { StoreDatabase } from './database.ts'

export const clusterEventsMax = 20_000
export const clusterEventsKeptMs = 30 * 24 * 3_600_000
export const detailedEventsMax = 2_000
/** Bounds are looked after each time this many lines were added. */
const pruneEvery = 500

export interface StoredEventPartition {
  readonly topic: string
  readonly partition: number
  readonly from: number | null
  readonly to: number | null
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicaCount: number
}

interface EventFacts {
  readonly clusterId: string
  readonly kind: string
  readonly atMs: number
  readonly untilMs: number
  readonly cause: string | null
  readonly summary: string
  readonly brokerIds: readonly number[]
  /** By name; fewer than `topicCount` when there were too many to keep. */
  readonly topics: readonly string[]
  readonly topicCount: number
  readonly partitionCount: number
  readonly partition: number | null
}

export interface NewClusterEvent extends EventFacts {
  readonly partitions: readonly StoredEventPartition[]
}

export interface StoredClusterEvent extends EventFacts {
  readonly id: number
}

export interface ClusterEventStore {
  /** Answers its id. */
  append(event: NewClusterEvent): number
  replace(id: number, event: NewClusterEvent): void
  /** `null`: no such event. `partitions` is `null` once they were dropped. */
  partitionsOf(id: number): { readonly partitions: readonly StoredEventPartition[] | null; readonly total: number } | null
  /** Runs `writes` in one transaction. */
  inOneGo(writes: () => void): void
  prune(nowMs: number): void
  forgetCluster(clusterId: string): void
}

export interface ClusterEventRow {
  id: number
  cluster_id: string
  kind: string
  at_ms: number
  until_ms: number
  cause: string | null
  summary: string
  brokers: string
  topics: string
  topic_count: number
  partition_count: number
  partition: number | null
}

export function createClusterEventStore(database: StoreDatabase): ClusterEventStore {
  const insert = database.prepare<unknown[], { id: number }>(`
    INSERT INTO cluster_event
      (cluster_id, kind, at_ms, until_ms, cause, summary, brokers, topics, topic_count, partition_count, partition, partitions)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`)
  const update = database.prepare(`
    UPDATE cluster_event SET cluster_id = ?, kind = ?, at_ms = ?, until_ms = ?, cause = ?, summary = ?, brokers = ?, topics = ?,
      topic_count = ?, partition_count = ?, partition = ?, partitions = ? WHERE id = ?`)
  const select = database.prepare<[number], { partitions: string | null; partition_count: number }>(
    'SELECT partitions, partition_count FROM cluster_event WHERE id = ?',
  )
  const removeBefore = database.prepare('DELETE FROM cluster_event WHERE id <= ?')
  const removeOlder = database.prepare('DELETE FROM cluster_event WHERE at_ms < ?')
  const dropDetail = database.prepare('UPDATE cluster_event SET partitions = NULL WHERE id <= ? AND partitions IS NOT NULL')
  const removeCluster = database.prepare('DELETE FROM cluster_event WHERE cluster_id = ?')
  const run = database.transaction((writes: () => void) => writes())

  return {
    append(event) {
      const row = insert.get(...columnsOf(event))
      if (row === undefined) throw new Error('SQLite returned no row for a cluster event')
      if (row.id % pruneEvery === 0) {
        removeBefore.run(row.id - clusterEventsMax)
        dropDetail.run(row.id - detailedEventsMax)
      }
      return row.id
    },
    replace: (id, event) => void update.run(...columnsOf(event), id),
    partitionsOf(id) {
      const row = select.get(id)
      if (row === undefined) return null
      const partitions = row.partitions === null ? null : (JSON.parse(row.partitions) as StoredEventPartition[])
      return { partitions, total: row.partition_count }
    },
    inOneGo: (writes) => run.immediate(writes),
    prune: (nowMs) => void removeOlder.run(nowMs - clusterEventsKeptMs),
    forgetCluster: (clusterId) => void removeCluster.run(clusterId),
  }
}

export function clusterEvent(row: ClusterEventRow): StoredClusterEvent {
  return {
    id: row.id,
    clusterId: row.cluster_id,
    kind: row.kind,
    atMs: row.at_ms,
    untilMs: row.until_ms,
    cause: row.cause,
    summary: row.summary,
    brokerIds: partsOf(row.brokers).map(Number),
    topics: partsOf(row.topics),
    topicCount: row.topic_count,
    partitionCount: row.partition_count,
    partition: row.partition,
  }
}

/** Each name between two line breaks, so that a whole one can be looked for. No topic has one in its name. */
function columnsOf(event: NewClusterEvent): unknown[] {
  return [
    event.clusterId,
    event.kind,
    event.atMs,
    event.untilMs,
    event.cause,
    event.summary,
    wrapped(event.brokerIds),
    wrapped(event.topics),
    event.topicCount,
    event.partitionCount,
    event.partition,
    JSON.stringify(event.partitions),
  ]
}

function wrapped(names: readonly (string | number)[]): string {
  return names.length === 0 ? '' : `\n${names.join('\n')}\n`
}

function partsOf(text: string): readonly string[] {
  return text === '' ? [] : text.slice(1, -1).split('\n')
}
