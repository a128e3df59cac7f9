/**
 * Incremental fetch sessions (KIP-227): what each fetcher asked for last, so that it need only name changes and is only
 * told changes. Owned by one broker; nothing of it survives a restart, and fetchers that meet an unknown session start
 * a new one.
 *
 * | request (id, epoch)   | meaning                            | state afterwards                                   |
 * |-----------------------|------------------------------------|----------------------------------------------------|
 * | (any, -1)             | full, and close                    | session `id` gone                                  |
 * | (any, 0)              | full, and open one if there is room| session `id` gone, perhaps a new one at epoch 1    |
 * | (id, expected epoch)  | incremental: changes and removals  | epoch + 1; gone when no partition is left, or (and |
 * |                       |                                    | FETCH_SESSION_ID_NOT_FOUND) no room for new ones   |
 * | (unknown id, n > 0)   | FETCH_SESSION_ID_NOT_FOUND         | unchanged                                          |
 * | (id, another epoch)   | INVALID_FETCH_SESSION_EPOCH        | unchanged                                          |
 *
 * Both the sessions and the partitions in all of them are bounded; a fetcher there is no room for does without a session.
 */
import { ErrorCode } from '../wire/errors.ts'

/** One partition as a fetcher wants it read. Either `topic` or `topicId` names the topic, by the request's version. */
export interface FetchTarget {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  /** Of the fetcher's own log, when it is a replica; -1 otherwise. */
  readonly logStartOffset: number
  readonly partitionMaxBytes: number
}

/** The parts of a Fetch request that concern its session. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly isReplica: boolean
  readonly targets: readonly FetchTarget[]
  readonly forgotten: readonly Pick<FetchTarget, 'topic' | 'topicId' | 'partition'>[]
}

/** What a session remembers of its last answer on a partition; a change of any of it must be told. */
export interface PartitionAnswer {
  readonly errorCode: ErrorCode
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly recordBytes: number
  readonly isDiverging: boolean
}

export interface FetchExchange {
  /** What to read, in the order in which partitions have a claim on the reply's bytes. */
  readonly targets: readonly FetchTarget[]
  /** Takes the answers, one for each target; says which to send, and under which session. */
  finish(answers: readonly PartitionAnswer[]): { readonly sessionId: number; readonly isListed: (index: number) => boolean }
}

export interface FetchSessionsOptions {
  /** The most sessions at a time; beyond it, fetchers do without (max.incremental.fetch.session.cache.slots). */
  readonly slots: number
  /** The most partitions in all sessions together. @default 200_000 */
  readonly partitionsMax?: number
  /** How long a session must have been idle, or have lived, before another may take its slot (2 minutes in Kafka). */
  readonly evictionMs: number
  readonly monotonicMs: () => number
  readonly randomBelow: (bound: number) => number
}

const NO_SESSION = 0
const FULL_EPOCH = 0
const FINAL_EPOCH = -1
const EPOCH_MAX = 0x7fffffff
/** Some 40 MB. */
const PARTITIONS_MAX = 200_000

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly isReplica: boolean
  readonly createdMs: number
  usedMs: number
  epoch: number
  /** In the order of claim: a partition that got bytes moves to the end. */
  readonly entries: Map<string, SessionEntry>
}

interface SessionEntry {
  target: FetchTarget
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

export class FetchSessions {
  readonly #options: FetchSessionsOptions
  readonly #sessions = new Map<number, Session>()

  constructor(options: FetchSessionsOptions) {
    this.#options = options
  }

  /** Sessions open now. */
  get size(): number {
    return this.#sessions.size
  }

  /** Partitions in all sessions. */
  get partitionCount(): number {
    return this.#sessions.values().reduce((total, { entries }) => total + entries.size, 0)
  }

  get #partitionsMax(): number {
    return this.#options.partitionsMax ?? PARTITIONS_MAX
  }

  /** Opens the exchange a request asks for, or returns the top-level error that answers it. */
  begin(request: SessionRequest): FetchExchange | Exclude<ErrorCode, typeof ErrorCode.NONE> {
    if (request.sessionEpoch === FULL_EPOCH || request.sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(request.sessionId)
      return request.sessionEpoch === FINAL_EPOCH ? sessionless(request.targets) : this.#full(request)
    }
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== request.sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (session.usesTopicIds !== request.usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    if (!this.#holds(session, request)) {
      this.#sessions.delete(session.id)
      return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    }
    return this.#incremental(session, request)
  }

  /** Whether what the request adds to its session fits in. */
  #holds({ entries, usesTopicIds }: Session, { targets }: SessionRequest): boolean {
    if (targets.length === 0) return true
    const added = targets.reduce((count, target) => count + (entries.has(keyOf(target, usesTopicIds)) ? 0 : 1), 0)
    return added === 0 || this.partitionCount + added <= this.#partitionsMax
  }

  #full(request: SessionRequest): FetchExchange {
    return {
      targets: request.targets,
      finish: (answers) => ({ sessionId: this.#open(request, answers), isListed: () => true }),
    }
  }

  #open(request: SessionRequest, answers: readonly PartitionAnswer[]): number {
    const nowMs = this.#options.monotonicMs()
    if (request.targets.length === 0 || !this.#makeRoom(request, nowMs)) return NO_SESSION
    const entries = new Map<string, SessionEntry>()
    request.targets.forEach((target, index) => {
      const entry = newEntry(target)
      remember(entry, answers[index]!)
      entries.set(keyOf(target, request.usesTopicIds), entry)
    })
    const id = this.#unusedId()
    const { usesTopicIds, isReplica } = request
    this.#sessions.set(id, { id, usesTopicIds, isReplica, createdMs: nowMs, usedMs: nowMs, epoch: 1, entries })
    return id
  }

  #incremental(session: Session, request: SessionRequest): FetchExchange {
    for (const target of request.targets) {
      const key = keyOf(target, session.usesTopicIds)
      const entry = session.entries.get(key)
      if (entry === undefined) session.entries.set(key, newEntry(target))
      else entry.target = target
    }
    for (const forgotten of request.forgotten) session.entries.delete(keyOf(forgotten, session.usesTopicIds))
    if (session.entries.size === 0) {
      this.#sessions.delete(session.id)
      return sessionless([])
    }
    session.epoch = session.epoch === EPOCH_MAX ? 1 : session.epoch + 1
    session.usedMs = this.#options.monotonicMs()
    const entries = [...session.entries]
    return {
      targets: entries.map(([, entry]) => entry.target),
      finish: (answers) => {
        const listed = entries.map(([key, entry], index) => {
          const answer = answers[index]!
          const mustTell = hasNews(entry, answer)
          remember(entry, answer)
          // Those served go last in line, so that a busy partition cannot starve the ones behind it.
          if (answer.recordBytes > 0 && session.entries.delete(key)) session.entries.set(key, entry)
          return mustTell
        })
        return { sessionId: session.id, isListed: (index) => listed[index]! }
      },
    }
  }

  #makeRoom(request: SessionRequest, nowMs: number): boolean {
    const partitionCount = request.targets.length
    if (partitionCount > this.#partitionsMax) return false
    while (this.#sessions.size >= this.#options.slots || this.partitionCount + partitionCount > this.#partitionsMax) {
      const victim = this.#victimOf(request, nowMs)
      if (victim === null) return false
      this.#sessions.delete(victim.id)
    }
    return true
  }

  /** KIP-227's eviction: idle sessions go first; then replicas outrank consumers, and larger sessions smaller ones. */
  #victimOf(request: SessionRequest, nowMs: number): Session | null {
    let idlest: Session | null = null
    let weakest: Session | null = null
    for (const session of this.#sessions.values()) {
      if (idlest === null || session.usedMs < idlest.usedMs) idlest = session
      if (nowMs - session.createdMs < this.#options.evictionMs) continue
      if (weakest === null || outranks(rankOf(weakest), rankOf(session))) weakest = session
    }
    const isIdle = idlest !== null && nowMs - idlest.usedMs > this.#options.evictionMs
    const challenger = { isReplica: request.isReplica, partitionCount: request.targets.length }
    if (isIdle) return idlest
    return weakest !== null && outranks(challenger, rankOf(weakest)) ? weakest : null
  }

  #unusedId(): number {
    for (;;) {
      const id = this.#options.randomBelow(EPOCH_MAX) + 1
      if (!this.#sessions.has(id)) return id
    }
  }
}

function sessionless(targets: readonly FetchTarget[]): FetchExchange {
  return { targets, finish: () => ({ sessionId: NO_SESSION, isListed: () => true }) }
}

function keyOf(target: Pick<FetchTarget, 'topic' | 'topicId' | 'partition'>, usesTopicIds: boolean): string {
  return `${usesTopicIds ? target.topicId : target.topic}/${target.partition}`
}

function newEntry(target: FetchTarget): SessionEntry {
  return { target, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }
}

function hasNews(entry: SessionEntry, answer: PartitionAnswer): boolean {
  return (
    answer.recordBytes > 0 ||
    answer.errorCode !== ErrorCode.NONE ||
    answer.isDiverging ||
    answer.highWatermark !== entry.highWatermark ||
    answer.lastStableOffset !== entry.lastStableOffset ||
    answer.logStartOffset !== entry.logStartOffset
  )
}

function remember(entry: SessionEntry, answer: PartitionAnswer): void {
  // After an error nothing counts as told, so that the recovery is told.
  const isError = answer.errorCode !== ErrorCode.NONE
  entry.highWatermark = isError ? -1 : answer.highWatermark
  entry.lastStableOffset = isError ? -1 : answer.lastStableOffset
  entry.logStartOffset = isError ? -1 : answer.logStartOffset
}

interface Rank {
  readonly isReplica: boolean
  readonly partitionCount: number
}

function rankOf(session: Session): Rank {
  return { isReplica: session.isReplica, partitionCount: session.entries.size }
}

function outranks(one: Rank, other: Rank): boolean {
  if (one.isReplica !== other.isReplica) return one.isReplica
  return one.partitionCount > other.partitionCount
}
