/**
 * The follower's half of an incremental fetch session (KIP-227): what the leader has been told, so that a request names
 * only what changed.
 *
 *   none  -> open : the answer to a whole request names a session
 *   open  -> open : every answered request raises the epoch by one
 *   any   -> none : a request failed, or the leader knows the session no more; the next request is whole, and ends the old one
 */
import type { fetch } from '../api/01-fetch.schema.ts'
import type { Encodable } from '../wire/schema.ts'

export interface SessionTarget {
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly logStartOffset: number
}

type Request = Encodable<typeof fetch.request>
type SessionFields = Pick<Request, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'>

const WHOLE = 0
const EPOCH_MAX = 0x7fffffff

export class FollowerSession {
  readonly #partitionBytesMax: number
  #id = 0
  #epoch = WHOLE
  /** What the leader remembers of this session. */
  #told = new Map<string, SessionTarget>()

  constructor(partitionBytesMax: number) {
    this.#partitionBytesMax = partitionBytesMax
  }

  /** The fields of a request that has the leader read exactly `targets`. */
  request(targets: readonly SessionTarget[]): SessionFields {
    const before = this.#epoch === WHOLE ? new Map<string, SessionTarget>() : this.#told
    this.#told = new Map(targets.map((target) => [keyOf(target), target]))
    const changed = targets.filter((target) => !isSame(before.get(keyOf(target)), target))
    const forgotten = [...before].filter(([key]) => !this.#told.has(key)).map(([, target]) => target)
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed, (target) => this.#fields(target)),
      forgottenTopicsData: byTopic(forgotten, ({ partition }) => partition),
    }
  }

  /** `sessionId` is the answer's. */
  answered(sessionId: number): void {
    this.#id = sessionId
    if (sessionId === 0) this.#epoch = WHOLE
    else this.#epoch = this.#epoch === EPOCH_MAX ? 1 : this.#epoch + 1
  }

  reset(): void {
    this.#epoch = WHOLE
  }

  #fields({ partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset }: SessionTarget) {
    const partitionMaxBytes = this.#partitionBytesMax
    return { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset, partitionMaxBytes }
  }
}

function keyOf({ topicId, partition }: SessionTarget): string {
  return `${topicId}/${partition}`
}

function isSame(one: SessionTarget | undefined, other: SessionTarget): boolean {
  return (
    one !== undefined &&
    one.fetchOffset === other.fetchOffset &&
    one.currentLeaderEpoch === other.currentLeaderEpoch &&
    one.lastFetchedEpoch === other.lastFetchedEpoch &&
    one.logStartOffset === other.logStartOffset
  )
}

function byTopic<T>(targets: readonly SessionTarget[], fieldsOf: (target: SessionTarget) => T): { topicId: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>()
  for (const target of targets) {
    const partitions = topics.get(target.topicId)
    if (partitions === undefined) topics.set(target.topicId, [fieldsOf(target)])
    else partitions.push(fieldsOf(target))
  }
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }))
}
